#include "common/analysis/facts/lasting_writes.h"

#include "common/analysis/facts/traverse_function.h"

#include <set>
#include <string>

namespace pygc::analysis {
namespace {

/// The name of the file that holds the code, without its directory; empty when there is none.
std::string file_name_at(const image::ProcessImage& image, Address pc) {
  const image::Module* module = image.module_at(pc);
  return module == nullptr ? std::string() : module->path().substr(module->path().rfind('/') + 1);
}

/// 0 when there is no object.
Address object_at(const CheckInput& input, Address object) {
  const auto type = input.reader.type_address(object);
  if (object % alignof(std::uint64_t) != 0 || !type) {
    return 0;
  }
  // The type of a type is a type: its metatype, sooner or later `type` itself.
  if (!input.reader.is_type(*type)) {
    return 0;
  }
  return input.reader.type(*type).name.empty() ? 0 : object;
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
  if (!layout.free_threaded) {
    return object_at(input, write.address - layout.ob_refcnt);
  }
  const Address local = object_at(input, write.address - layout.free_threaded->ob_ref_local);
  return local != 0 ? local : object_at(input, write.address - layout.free_threaded->ob_ref_shared);
}

namespace {

/// Nothing for what is neither a mutex nor a count of an object.
std::optional<UndoneWrite> read_undone(const CheckInput& input, const replay::Incident& incident) {
  const auto& layout = input.reader.runtime().layout.free_threaded;
  if (!layout || is_dynamic_linker(input.image, incident.pc)) {
    return std::nullopt;
  }
  UndoneWrite undone{.pc = incident.pc, .address = incident.address};
  if (layout->ob_mutex && incident.number == 1) { // a PyMutex is a byte
    undone.object = object_at(input, incident.address - *layout->ob_mutex);
    undone.locks = undone.object != 0;
  }
  if (!undone.locks) {
    undone.object = counted_object(input, incident);
  }
  return undone.object != 0 ? std::optional(undone) : std::nullopt;
}

} // namespace

WriteSummary summarize_writes(const CheckInput& input, const SlotSurvey& survey) {
  struct Writes {
    LastingWrite told;
    bool own = false;         // the place is in the function's own library
    std::set<Address> places; // instructions
  };
  WriteSummary summary;
  std::map<std::pair<Address, bool>, Writes> all;         // by function and whether counts
  std::map<std::pair<Address, bool>, UndoneWrite> undone; // by function and whether it locks
  for (const replay::Incident& incident : survey.incidents) {
    if (incident.container >= survey.requests.size()) {
      continue;
    }
    if (incident.outcome == replay::Outcome::unsupported_instruction) {
      ++summary.unsupported[incident.pc];
    }
    const replay::TraceRequest& request = survey.requests[replay::RequestIndex(incident.container)];
    const Address function = request.function != 0
                                 ? request.function
                                 : traverse_function(input.reader, request.container, 0);
    if (incident.outcome == replay::Outcome::undone_write) {
      if (auto read = read_undone(input, incident)) {
        read->function = function;
        read->container = request.container;
        ++undone.try_emplace({function, read->locks}, *read).first->second.count;
      }
      continue;
    }
    if (incident.outcome != replay::Outcome::write || is_dynamic_linker(input.image, incident.pc)) {
      continue;
    }
    const Address counted = counted_object(input, incident);
    const bool own = input.image.module_at(incident.pc) == input.image.module_at(function);
    auto [found, fresh] = all.try_emplace({function, counted != 0});
    Writes& writes = found->second;
    writes.places.insert(incident.pc);
    ++writes.told.count;
    if (fresh || (own && !writes.own)) {
      writes.own = own;
      writes.told.function = function;
      writes.told.counted = counted;
      writes.told.container = request.container;
      writes.told.pc = incident.pc;
      writes.told.address = incident.address;
    }
  }
  for (auto& [key, writes] : all) {
    writes.told.places = writes.places.size();
    summary.writes.push_back(writes.told);
  }
  for (const auto& [key, write] : undone) {
    // A count that does not come back is told already.
    if (key.second || !all.contains({key.first, true})) {
      summary.undone.push_back(write);
    }
  }
  return summary;
}

} // namespace pygc::analysis
