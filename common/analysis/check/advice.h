// What people need besides the fact: what comes of it, what mends it, whether it is known, and
// which command shows more.
#pragma once

#include "common/analysis/finding.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace pygc::analysis {

/// What a collection does to an object with this gc_refs (Python/gc.c, move_unreachable: anything
/// but 0 counts as reachable; visit_decref asserts in debug builds). A sentence; empty when it is
/// right about the object. `reachable`: from an object with references from outside.
std::string effect_of(std::int64_t gc_refs, bool reachable, bool debug_build);

/// The extension that the visitors belong to; nothing when they belong to the interpreter or to
/// several extensions.
std::optional<Suspect> suspect_of(std::span<const Visitor> visitors);

/// By facts that no other defect has. Nothing: not known here.
std::optional<KnownIssue> known_issue(const Finding& finding);

/// Fills in fix, known issue and next commands, as the rest of the finding has them. `truncated`:
/// the core ends before it should.
void advise(Finding& finding, bool truncated);

} // namespace pygc::analysis
