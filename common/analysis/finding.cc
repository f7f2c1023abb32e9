#include "common/analysis/finding.h"

namespace pygc::analysis {

std::string_view severity_name(Severity severity) {
  switch (severity) {
  case Severity::error:
    return "error";
  case Severity::warning:
    return "warning";
  case Severity::note:
    return "note";
  }
  return "note";
}

std::string_view cause_name(Cause cause) {
  switch (cause) {
  case Cause::unknown:
    return "unknown";
  case Cause::over_visited:
    return "over_visited";
  case Cause::under_counted:
    return "under_counted";
  }
  return "unknown";
}

std::string_view finding_kind_name(FindingKind kind) {
  switch (kind) {
  case FindingKind::negative_gc_refs:
    return "negative_gc_refs";
  case FindingKind::gc_refs_mismatch:
    return "gc_refs_mismatch";
  case FindingKind::unowned_visit:
    return "unowned_visit";
  case FindingKind::duplicate_visit:
    return "duplicate_visit";
  case FindingKind::traverse_fault:
    return "traverse_fault";
  case FindingKind::traverse_write:
    return "traverse_write";
  case FindingKind::traverse_syscall:
    return "traverse_syscall";
  case FindingKind::traverse_timeout:
    return "traverse_timeout";
  case FindingKind::traverse_assertion:
    return "traverse_assertion";
  case FindingKind::list_corrupt:
    return "list_corrupt";
  case FindingKind::object_corrupt:
    return "object_corrupt";
  case FindingKind::dangling_reference:
    return "dangling_reference";
  case FindingKind::lost_object:
    return "lost_object";
  case FindingKind::undercounted_local:
    return "undercounted_local";
  case FindingKind::unfinished_tuple:
    return "unfinished_tuple";
  case FindingKind::count_corrupt:
    return "count_corrupt";
  case FindingKind::unmerged_count:
    return "unmerged_count";
  case FindingKind::crash:
    return "crash";
  case FindingKind::memory_missing:
    return "memory_missing";
  case FindingKind::build_id_mismatch:
    return "build_id_mismatch";
  }
  return "object_corrupt";
}

} // namespace pygc::analysis
