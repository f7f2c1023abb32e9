// What `pygc step` and `pygc watch` begin with: the target, and the collection that it is inside
// of.
#pragma once

#include "common/analysis/running_collection.h"
#include "common/commands/context.h"

#include <memory>

namespace pygc::commands {

struct OpenCollection {
  std::unique_ptr<Context> context;
  /// nullptr when no interpreter collects.
  std::unique_ptr<analysis::RunningCollection> collection;

  /// In subtract_refs, at a known place.
  bool located() const { return collection != nullptr && collection->position() != nullptr; }
};

Result<OpenCollection> open_collection(const Options& options, Surroundings& surroundings);

/// The loops of subtract_refs. Errors: unsupported when none is found.
Result<std::vector<cpython::SubtractLoop>> subtract_loops(const Context& context);

} // namespace pygc::commands
