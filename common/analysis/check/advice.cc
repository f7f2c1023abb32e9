#include "common/analysis/check/advice.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace pygc::analysis {
namespace {

std::string fix_of_unowned(const Finding& finding) {
  const bool of_module = std::ranges::all_of(
      finding.visitors, [](const Visitor& visitor) { return visitor.type == "module"; });
  return of_module
             ? "visit only what the module's own state (m_size) holds; what a static variable "
               "holds is visited by nobody"
             : "visit only what the object itself holds; what a static variable holds is "
               "visited by nobody";
}

std::string fix_of_duplicate(const Finding& finding) {
  const Visitor* first = finding.visitors.empty() ? nullptr : &finding.visitors.front();
  if (first != nullptr && first->visits == 1) {
    return "let one object own the reference, and visit it there alone";
  }
  return first != nullptr && !first->base_function.empty()
             ? fmt::format("visit the reference once: {} leaves it to {}", first->base_function,
                           first->function)
             : "visit each reference once";
}

std::string fix_of_negative(const Finding& finding) {
  if (finding.cause == Cause::under_counted) {
    return "look for a reference that is borrowed and visited all the same, or that is released "
           "without being owned";
  }
  return finding.suspect ? fmt::format("compare what {} visits with what its objects own",
                                       finding.suspect->function)
                         : std::string{};
}

std::string fix_of_kind(const Finding& finding) {
  switch (finding.kind) {
  case FindingKind::dangling_reference:
    return "look for a reference that is released without being owned, or stored without being "
           "taken";
  case FindingKind::undercounted_local:
    return "look for a reference that is released without being owned: of a borrowed argument, or "
           "of what a borrowing call returned";
  case FindingKind::unfinished_tuple:
    return "leave tuples alone that gc.get_referrers() or gc.get_objects() returns; in C fill a "
           "tuple before other code runs";
  case FindingKind::object_corrupt:
    return finding.function.empty()
               ? std::string{}
               : fmt::format("call PyObject_GC_UnTrack first in {}", finding.function);
  case FindingKind::list_corrupt:
  case FindingKind::lost_object:
    return "call PyObject_GC_UnTrack before an object is freed, and PyObject_GC_Track once";
  case FindingKind::traverse_fault:
  case FindingKind::traverse_assertion:
    return fmt::format("let {} follow no pointer that may be NULL, and track an object only when "
                       "its fields are set",
                       finding.function);
  case FindingKind::traverse_write:
  case FindingKind::traverse_syscall:
    return "visit in a traverse function, and do nothing else";
  default:
    return {};
  }
}

std::string fix_of(const Finding& finding, bool truncated) {
  switch (finding.kind) {
  case FindingKind::unowned_visit:
    return fix_of_unowned(finding);
  case FindingKind::duplicate_visit:
    return fix_of_duplicate(finding);
  case FindingKind::negative_gc_refs:
    return fix_of_negative(finding);
  case FindingKind::count_corrupt:
    return "look for what writes ob_tid, ob_ref_local or ob_ref_shared itself, or gives back a "
           "reference that it does not own";
  case FindingKind::memory_missing:
    return truncated ? "ulimit -c unlimited, and room on the disk, before the next core"
                     : "take the next core with coredump_filter 0x33 or more (or by gcore, or pygc "
                       "snapshot), and have the files at hand that ran";
  default:
    return fix_of_kind(finding);
  }
}

std::string about(std::string_view command, Address address) {
  return fmt::format("pygc {} {:#x}", command, address);
}

std::vector<std::string> next_of(const Finding& finding) {
  const Address object = finding.object ? finding.object->address : 0;
  switch (finding.kind) {
  case FindingKind::dangling_reference:
    return finding.visitors.empty()
               ? std::vector<std::string>{}
               : std::vector{about("object", finding.visitors.front().container),
                             about("refs --to", finding.address.value_or(0))};
  case FindingKind::negative_gc_refs:
  case FindingKind::unowned_visit:
  case FindingKind::duplicate_visit:
  case FindingKind::undercounted_local:
  case FindingKind::unfinished_tuple:
  case FindingKind::count_corrupt:
  case FindingKind::unmerged_count:
    return {about("object", object), about("refs --to", object)};
  case FindingKind::traverse_fault:
  case FindingKind::traverse_write:
  case FindingKind::traverse_syscall:
  case FindingKind::traverse_timeout:
  case FindingKind::traverse_assertion:
    return {about("object", object), "pygc audit"};
  case FindingKind::object_corrupt:
    return {about("refs --to", finding.address.value_or(object))};
  case FindingKind::list_corrupt:
    return {"pygc generations"};
  case FindingKind::memory_missing:
  case FindingKind::build_id_mismatch:
    return {"pygc doctor"};
  case FindingKind::gc_refs_mismatch:
  case FindingKind::lost_object:
  case FindingKind::crash:
    break;
  }
  return {object != 0 ? about("object", object) : std::string("pygc runtime")};
}

} // namespace

std::string effect_of(std::int64_t gc_refs, bool reachable, bool debug_build) {
  if (gc_refs < 0) {
    return debug_build
               ? fmt::format("A collection in this debug build aborts: \"refcount is too small\" "
                             "(gc_refs {}).",
                             gc_refs)
               : fmt::format("A debug build aborts: \"refcount is too small\". This release build "
                             "keeps the object, for {} counts as reachable, and clears it in use "
                             "when it is exactly 0.",
                             gc_refs);
  }
  if (!reachable) {
    return "The next collection takes the object for garbage (gc_refs 0) and clears it in use.";
  }
  return {};
}

std::optional<Suspect> suspect_of(std::span<const Visitor> visitors) {
  std::map<std::string, std::uint64_t> functions; // visits
  Suspect suspect;
  for (const Visitor& visitor : visitors) {
    const std::string& library = visitor.extension_library();
    if (library.empty()) {
      continue;
    }
    if (!suspect.library.empty() && suspect.library != library) {
      return std::nullopt;
    }
    suspect.library = library;
    ++suspect.visitors;
    functions[visitor.extension_function()] += visitor.visits;
  }
  if (functions.empty()) {
    return std::nullopt;
  }
  suspect.function =
      std::ranges::max_element(functions, {}, [](const auto& each) { return each.second; })->first;
  return suspect;
}

std::optional<KnownIssue> known_issue(const Finding& finding) {
  // faulthandler is part of the interpreter or, where that is built so, an extension of its own.
  const bool of_faulthandler = finding.function == "faulthandler_traverse" &&
                               !finding.visitors.empty() &&
                               std::ranges::all_of(finding.visitors, [](const Visitor& visitor) {
                                 return visitor.name == "faulthandler" && is_foreign(visitor.owner);
                               });
  if (finding.kind != FindingKind::unowned_visit || !of_faulthandler) {
    return std::nullopt;
  }
  return KnownIssue{.id = "gh-149590",
                    .url = "https://github.com/python/cpython/issues/149590",
                    .note = "mended by removing faulthandler_traverse"};
}

void advise(Finding& finding, bool truncated) {
  if (finding.fix.empty()) {
    finding.fix = fix_of(finding, truncated);
  }
  finding.known = known_issue(finding);
  finding.next = next_of(finding);
}

} // namespace pygc::analysis
