// What `pygc step` and `pygc watch` begin with: the target, and the collection that it is inside
// of.
#pragma once

#include "common/analysis/step/running_collection.h"
#include "common/session/context.h"

#include <memory>

namespace pygc::commands {

struct OpenCollection {
  std::unique_ptr<session::Context> context;
  /// nullptr when no interpreter collects.
  std::unique_ptr<analysis::RunningCollection> collection;

  /// In subtract_refs, at a known place.
  bool located() const { return collection != nullptr && collection->position() != nullptr; }
};

Result<OpenCollection> open_collection(const session::Options& options,
                                       session::Surroundings& surroundings);

/// Whether hardware watchpoints are of use here, and fire (choose_watchpoints()).
bool relies_on_watchpoints(const OpenCollection& open, bool asked);

/// The loops of subtract_refs. Errors: unsupported when none is found.
Result<std::vector<cpython::SubtractLoop>> subtract_loops(const session::Context& context);

} // namespace pygc::commands
