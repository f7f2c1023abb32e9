// What a check tells of a target, as data. Views turn it into text and JSON.
#pragma once

#include "common/analysis/owner.h"
#include "common/base/error.h"
#include "common/base/slot_address.h"
#include "common/cpython/collector/phase.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::analysis {

enum class Severity : std::uint8_t { error, warning, note };
std::string_view severity_name(Severity severity);

enum class FindingKind : std::uint8_t {
  negative_gc_refs,
  gc_refs_mismatch,
  unowned_visit,
  duplicate_visit,
  traverse_fault,
  traverse_write,
  traverse_syscall,
  traverse_timeout,
  traverse_assertion,
  list_corrupt,
  object_corrupt,
  dangling_reference,
  lost_object,
  undercounted_local,
  unfinished_tuple,
  count_corrupt,
  unmerged_count,
  crash,
  memory_missing,
  build_id_mismatch,
};
std::string_view finding_kind_name(FindingKind kind);

/// An object as people know it.
struct ObjectView {
  Address address = 0;
  std::string type;
  std::string summary;
  std::uint64_t refcount = 0;
};

/// Where in a container a visited pointer was loaded from.
struct VisitPlace {
  std::optional<SlotAddress> slot;
  std::string name; // as people know it; may be empty
  Owner owner = Owner::unknown;
  std::uint64_t visits = 1; // from there
};

/// A container whose traverse function visits the object of a finding.
struct Visitor {
  Address container = 0;
  std::string type;
  std::string name; // the container's own name, e.g. a module's; may be empty
  std::string summary;
  std::string function; // of the traverse function, symbol or image+offset
  std::uint64_t visits = 0;
  std::optional<SlotAddress> slot; // where the visited pointer was loaded from
  std::string slot_name;
  Owner owner = Owner::unknown;   // of the slot
  std::vector<VisitPlace> places; // all of them, the one above first; those that are known
  std::string path;               // "sys.__dict__" of a module's dictionary; else empty
  std::string library;            // the function's file where that is an extension's; else empty
  std::string base_function;      // the extension's that the function calls for a base type
  std::string base_library;

  /// The function that belongs to an extension, and its file; empty when the interpreter's own code
  /// visits alone.
  const std::string& extension_function() const {
    return library.empty() ? base_function : function;
  }
  const std::string& extension_library() const { return library.empty() ? base_library : library; }
};

/// Why gc_refs is negative, as far as the slots of the visits prove it.
enum class Cause : std::uint8_t {
  unknown,
  over_visited,  // a slot of another owner is visited, or one slot more than once
  under_counted, // each visit has a slot of its own: more slots than references
};

/// "unknown", "over_visited", "under_counted".
std::string_view cause_name(Cause cause);

/// An object that a finding's cause concerns, with its arithmetic.
struct Victim {
  ObjectView object;
  std::int64_t gc_refs = 0;
  std::uint64_t visits = 0;
  std::uint64_t too_many = 0;    // visits that the cause accounts for and no reference does
  std::vector<Visitor> visitors; // all who visit it, where they were looked up
};

/// The code that is to be looked at first where nothing proves a cause.
struct Suspect {
  std::string function;
  std::string library;
  std::uint64_t visitors = 0; // of those that visit the object
};

/// A defect that has been reported.
struct KnownIssue {
  std::string id; // "gh-149590"
  std::string url;
  std::string note; // what became of it
};

struct Finding {
  FindingKind kind = FindingKind::negative_gc_refs;
  Severity severity = Severity::error;
  std::int64_t interpreter = 0; // id
  std::optional<ObjectView> object;
  std::optional<std::int64_t> gc_refs; // recomputed
  std::optional<std::int64_t> stored;  // gc_refs as the collector left it
  std::optional<std::uint64_t> visits;
  std::optional<std::uint64_t> unexplained_visits;
  std::vector<Visitor> visitors;
  std::string function;           // for traverse_*: the traverse function
  std::optional<Address> pc;      // for traverse_*
  std::optional<Address> address; // faulting address, damaged node
  Cause cause = Cause::unknown;   // of negative_gc_refs
  std::uint64_t occurrences = 1;  // equal findings folded into this one
  std::string message;            // what it means, in one or two sentences
  bool proven = false;            // the cause follows from the slots of the visits
  std::string field;           // what is visited wrongly, of any container: "its type", "cache[*]"
  std::vector<Victim> victims; // of a cause: the worst first
  std::uint64_t further_victims = 0;
  std::optional<Suspect> suspect; // of negative_gc_refs
  std::string effect;             // what comes of it in this build; a sentence, may be empty
  std::string fix;                // what mends it; a sentence without a full stop, may be empty
  std::optional<KnownIssue> known;
  std::vector<std::string> next; // commands of pygc that show more
};

/// Where a collection that was running when the target stopped had got to.
struct CollectionState {
  bool in_progress = false;
  std::optional<std::int64_t> interpreter; // id
  cpython::Phase phase = cpython::Phase::unknown;
  std::string generation;                       // name; empty when unknown
  std::optional<ObjectView> container;          // whose traverse function was running
  std::optional<std::uint64_t> container_index; // its place on the list, from 0
  std::optional<ObjectView> victim;             // the object of the failed assertion
};

struct GenerationView {
  std::string name;
  Address address = 0;
  std::int64_t count = 0;
  std::int64_t threshold = 0;
  std::uint64_t objects = 0;
};

struct InterpreterView {
  std::int64_t id = 0;
  Address address = 0;
  std::vector<GenerationView> generations;
};

struct ObjectCounts {
  std::uint64_t walked = 0;        // on the lists
  std::uint64_t traversed = 0;     // tp_traverse ran to its end
  std::uint64_t visits = 0;        // decrements of gc_refs
  std::uint64_t immortal = 0;      // left out as update_refs leaves them out
  std::uint64_t frozen = 0;        // in a permanent generation, not collected
  std::uint64_t unreadable = 0;    // on a list, but no usable object
  std::uint64_t not_traversed = 0; // should have been, and were not or not to the end
  std::uint64_t traced = 0;        // traversals whose visits' slots were looked at
};

/// Both engines on the same objects. Any difference is a defect of pygc.
struct EngineComparison {
  std::uint64_t objects = 0;      // compared
  std::uint64_t differences = 0;  // gc_refs differ
  std::uint64_t not_compared = 0; // visited by a traversal that the emulator cannot execute
};

/// The signal that ended the target, and what its thread was doing to the collector's objects.
struct CrashView {
  std::string signal; // "SIGSEGV"
  std::uint64_t tid = 0;
  std::string doing;    // "untracking an object"; empty: nothing of that kind, and so all below
  std::string function; // that does it
  std::optional<ObjectView> object;    // to which it is done
  std::string object_state;            // what that looks like
  std::optional<ObjectView> container; // whose traverse function visits the object
  std::string caller;                  // who called for it
  std::string caller_module;           // its file
  std::string caller_line;             // "file.c:12", where known
  std::string called;                  // what `function` has called, an extension's function before
                                       // the interpreter's; empty for the collector's own calls
  std::string called_module;           // its file
  std::string called_line;             // "file.c:12", where known
  std::vector<std::string> stack;      // innermost first, the first ones; not empty when unwound
  bool stack_overflow = false;         // the thread has gone beyond the end of its stack,
  std::uint64_t repeated = 0;          // with so many frames of one function
};

/// What a check looks at, and what it leaves to other commands or could not look at.
struct Coverage {
  struct Gap {
    std::string what;
    std::string why;     // empty: another command's
    std::string command; // that looks at it; may be empty
  };
  std::vector<std::string> checked;
  std::vector<Gap> not_checked;
};

struct CheckReport {
  CollectionState collection;
  std::optional<CrashView> crash;
  std::vector<InterpreterView> interpreters;
  ObjectCounts objects;
  bool complete = true;
  std::vector<std::string> incomplete_because; // one sentence each
  std::vector<std::string> notes;              // what degrades explanations, not the verdict
  std::vector<Finding> findings;               // worst first
  Coverage coverage;
  std::optional<EngineComparison> engines;
  double replay_seconds = 0;
};

} // namespace pygc::analysis
