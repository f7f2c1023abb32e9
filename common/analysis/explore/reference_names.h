// Where in a container a reference is: "['key']", "[3]", "+0x18 of the container".
#pragma once

#include "common/analysis/explore/references.h"
#include "common/analysis/facts/ownership.h"
#include "common/analysis/facts/slot_names.h"
#include "common/base/slot_address.h"
#include "common/cpython/objects/object_reader.h"
#include "common/image/module.h"
#include "common/replay/emulated.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pygc::analysis {

struct ReferenceName {
  std::string text;                // empty: not known
  std::optional<SlotAddress> slot; // where the pointer lies, when a trace told it
};

/// Starts the emulator when it is first needed. Errors: those of its start.
using TracerSource = std::function<Result<replay::Tracer*>()>;

class ReferenceNames {
public:
  ReferenceNames(const image::ProcessImage& image, cpython::ObjectReader& reader)
      : reader_(reader), ownership_(image, reader), slot_names_(image, reader, ownership_) {}

  /// Runs the containers of at most max_traced of these references in the emulator, so that slots
  /// can be named that no knowledge of a type names. The tracer is asked for only where there are
  /// some; when it cannot be had, or fails, they stay nameless and a note says why. Errors:
  /// cancelled.
  Result<void> trace(const TracerSource& tracer, std::span<const Reference> references,
                     std::vector<std::string>& notes);
  ReferenceName name(const Reference& reference);

  static constexpr std::size_t max_traced = 256;

private:
  /// By what is known of dict, list, tuple, and attributes for which no dict has been made.
  std::string name_by_type(const Reference& reference);

  cpython::ObjectReader& reader_;
  Ownership ownership_;
  SlotNames slot_names_;
  std::map<std::pair<Address, Address>, SlotAddress> slots_; // by container and object
};

} // namespace pygc::analysis
