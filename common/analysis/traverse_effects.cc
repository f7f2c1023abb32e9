#include "common/analysis/traverse_effects.h"

#include <fmt/format.h>
#include <map>
#include <set>

namespace pygc::analysis {
namespace {

class Effects {
public:
  Effects(const CheckInput& input, Explainer& explainer, const SlotSurvey& survey,
          CheckReport& report)
      : input_(input), explainer_(explainer), survey_(survey), report_(report) {}

  void tell() {
    for (const replay::Incident& incident : survey_.incidents) {
      if (incident.container >= survey_.requests.size()) {
        continue;
      }
      if (incident.outcome == replay::Outcome::unsupported_instruction) {
        ++unsupported_[incident.pc];
      } else if (incident.outcome == replay::Outcome::write &&
                 !is_dynamic_linker(input_.image, incident.pc)) {
        add_write(incident);
      }
    }
    for (auto& [key, writes] : writes_) {
      describe(writes);
      report_.findings.push_back(std::move(writes.finding));
    }
    for (const auto& [pc, count] : unsupported_) {
      report_.notes.push_back(fmt::format("{} traced traversals need an instruction that the "
                                          "emulator lacks, in {}: their slots are not known",
                                          count, input_.image.describe_code(pc)));
    }
  }

private:
  /// What one function writes: to reference counts, or to all else.
  struct Writes {
    Finding finding;
    bool own = false;         // the place is in the function's own library
    Address counted = 0;      // the object whose reference count it is
    std::set<Address> places; // instructions
  };

  void add_write(const replay::Incident& incident) {
    const replay::TraceRequest& request = survey_.requests[incident.container];
    const Address function = request.function != 0
                                 ? request.function
                                 : explainer_.traverse_function(request.container, 0);
    const Address counted = counted_object(input_, incident);
    const bool own = input_.image.module_at(incident.pc) == input_.image.module_at(function);
    auto [found, fresh] = writes_.try_emplace({function, counted != 0});
    Writes& writes = found->second;
    writes.places.insert(incident.pc);
    Finding& finding = writes.finding;
    if (!fresh) {
      ++finding.occurrences;
      if (writes.own || !own) {
        return;
      }
    }
    writes.own = own;
    writes.counted = counted;
    finding.kind = FindingKind::traverse_write;
    finding.object = explainer_.object(request.container);
    finding.function = explainer_.function_name(function);
    finding.pc = incident.pc;
    finding.address = incident.address;
  }

  void describe(Writes& writes) {
    Finding& finding = writes.finding;
    std::string at = input_.image.describe_code(finding.pc.value_or(0));
    if (writes.places.size() > 1) {
      at += fmt::format(" and at {} more places", writes.places.size() - 1);
    }
    if (writes.counted != 0) {
      finding.message = fmt::format(
          "The traversal by {} changes the reference count of {} at {:#x}, in {}. The collector "
          "has copied the counts before it traverses: the object will leak, or be freed while it "
          "is in use.",
          finding.function, explainer_.object(writes.counted).summary, writes.counted, at);
    } else {
      finding.severity = Severity::warning;
      finding.message = fmt::format(
          "The traversal by {} writes to memory at {:#x}, in {}. A traverse function must have no "
          "side effects: it runs several times in each collection.",
          finding.function, finding.address.value_or(0), at);
    }
  }

  const CheckInput& input_;
  Explainer& explainer_;
  const SlotSurvey& survey_;
  CheckReport& report_;
  std::map<std::pair<Address, bool>, Writes> writes_; // by function and whether counts
  std::map<Address, std::uint64_t> unsupported_;      // by pc
};

/// The name of the file that holds the code, without its directory; empty when there is none.
std::string file_name_at(const image::ProcessImage& image, Address pc) {
  const image::Module* module = image.module_at(pc);
  return module == nullptr ? std::string() : module->path().substr(module->path().rfind('/') + 1);
}

} // namespace

bool is_dynamic_linker(const image::ProcessImage& image, Address pc) {
  const std::string name = file_name_at(image, pc);
  return name.starts_with("ld-") || name.starts_with("ld.so");
}

Address counted_object(const CheckInput& input, const replay::Incident& write) {
  const std::string writer = file_name_at(input.image, write.pc);
  if (writer.starts_with("libc.so") || writer.starts_with("libc-")) {
    return 0;
  }
  const cpython::Layout& layout = input.reader.runtime().layout;
  const Address object = write.address - layout.ob_refcnt;
  const auto type = input.reader.type_address(object);
  if (object % alignof(std::uint64_t) != 0 || !type) {
    return 0;
  }
  // The type of a type is a type: its metatype, sooner or later `type` itself.
  const auto metatype = input.reader.type_address(*type);
  if (!metatype || !input.reader.type(*metatype).has_flag(cpython::type_flag::type_subclass)) {
    return 0;
  }
  return input.reader.type(*type).name.empty() ? 0 : object;
}

void tell_traverse_effects(const CheckInput& input, Explainer& explainer, const SlotSurvey& survey,
                           CheckReport& report) {
  Effects(input, explainer, survey, report).tell();
}

} // namespace pygc::analysis
