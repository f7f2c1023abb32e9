// How people call the place in a container from which a visited pointer was loaded.
#pragma once

#include "common/analysis/facts/ownership.h"
#include "common/base/slot_address.h"
#include "common/cpython/objects/item_place.h"
#include "common/cpython/objects/object_reader.h"
#include "common/cpython/objects/running_frames.h"
#include "common/image/debug_knowledge.h"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace pygc::analysis {

class SlotNames {
public:
  SlotNames(const image::ProcessImage& image, cpython::ObjectReader& reader, Ownership& ownership)
      : image_(image), reader_(reader), ownership_(ownership) {}

  /// As Python or C spells it: "['key']", "[3]", ".member", "its type", "'x' of f() (a.py:3)",
  /// ".member of Struct" with DWARF, of a module's state ".member of the module's state (Struct)",
  /// "_PyRuntime.faulthandler.fatal_error.file" with DWARF, "symbol+0x8", "image+0x1234",
  /// "+0x18 of the container"; of dynamic memory that no type tells about, empty.
  std::string name(Address container, SlotAddress slot);
  /// Where a dict, list or tuple has the object, when the slot is not known. Empty: it is none, or
  /// has it not.
  std::string item_name(Address container, Address object);
  /// "'session' of work() (app.py:8)"
  std::string variable(const cpython::FrameReference& reference);

private:
  std::string item(Address container, SlotAddress slot);
  /// ".user", of an instance's dictionary or of what stands for it.
  std::string attribute(Address container, SlotAddress slot);
  /// In the container's own memory, `offset` bytes from its address.
  std::string field(Address container, std::uint64_t offset);
  std::string state_field(Address module, std::uint64_t offset);
  std::string static_variable(const image::Module& module, SlotAddress slot);
  std::string spelled(const cpython::ItemPlace& place);

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  Ownership& ownership_;
  std::unordered_map<Address, std::string> statics_; // by slot
  /// By type and offset: searching debug information is dear.
  std::map<std::pair<Address, std::uint64_t>, std::optional<image::StructMember>> members_;
};

} // namespace pygc::analysis
