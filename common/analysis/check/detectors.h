// The detectors: each is a function from the facts to findings of its kind. None knows of another's
// findings; what findings have in common is for the diagnosis.
#pragma once

#include "common/analysis/facts/explain.h"
#include "common/analysis/facts/facts.h"
#include "common/analysis/finding.h"

#include <string>
#include <vector>

namespace pygc::analysis {

struct Detection {
  std::vector<Finding> findings;
  std::vector<std::string> notes; // what is not listed
};

/// The explainer names what lies at an address.
using Detector = Detection (*)(const Facts& facts, Explainer& explainer);

/// Lists that do not hang together, and objects on them that cannot be.
Detection detect_list_corrupt(const Facts& facts, Explainer& explainer);
Detection detect_object_corrupt(const Facts& facts, Explainer& explainer);
/// Reference counts of free-threaded builds whose fields contradict each other.
Detection detect_count_corrupt(const Facts& facts, Explainer& explainer);
/// Objects that wait to have their counts merged, and that nobody knows of.
Detection detect_unmerged_count(const Facts& facts, Explainer& explainer);
/// What could not be looked at for lack of memory: lists, and traversals that need it.
Detection detect_memory_missing(const Facts& facts, Explainer& explainer);
/// Files that are not the ones that were loaded.
Detection detect_build_id_mismatch(const Facts& facts, Explainer& explainer);

/// The end of the target, when that was in the collector or in a call that concerns its objects.
Detection detect_crash(const Facts& facts, Explainer& explainer);
/// Visits to what is no live object.
Detection detect_dangling_reference(const Facts& facts, Explainer& explainer);

/// Objects that say they are tracked and are on no list.
Detection detect_lost_object(const Facts& facts, Explainer& explainer);

/// Objects that a running function uses, and whose reference count does not say so.
Detection detect_undercounted_local(const Facts& facts, Explainer& explainer);

/// Tuples that were handed out before they were filled.
Detection detect_unfinished_tuple(const Facts& facts, Explainer& explainer);

/// Traversals that a fault, an illegal instruction or a trap ends.
Detection detect_traverse_fault(const Facts& facts, Explainer& explainer);
/// Traversals that an assertion or a fatal error of the interpreter ends.
Detection detect_traverse_assertion(const Facts& facts, Explainer& explainer);
Detection detect_traverse_syscall(const Facts& facts, Explainer& explainer);
Detection detect_traverse_timeout(const Facts& facts, Explainer& explainer);
/// Functions whose traversals change memory for good; an error when that is a reference count,
/// which the collector has copied before.
Detection detect_traverse_write(const Facts& facts, Explainer& explainer);

/// Objects with more visits than references, with all who visit them and from which slots.
Detection detect_negative_gc_refs(const Facts& facts, Explainer& explainer);
/// Slots that containers visit without owning them.
Detection detect_unowned_visit(const Facts& facts, Explainer& explainer);
/// Slots that are visited more than once.
Detection detect_duplicate_visit(const Facts& facts, Explainer& explainer);
/// Objects whose stored gc_refs memory does not explain, and the victim of the running collection.
Detection detect_gc_refs_mismatch(const Facts& facts, Explainer& explainer);

} // namespace pygc::analysis
