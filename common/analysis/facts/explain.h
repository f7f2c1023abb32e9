// Turns addresses into what a report shows: objects, visitors, traverse functions.
#pragma once

#include "common/analysis/facts/ownership.h"
#include "common/analysis/facts/slot_names.h"
#include "common/analysis/facts/traverse_function.h"
#include "common/analysis/finding.h"
#include "common/base/slot_address.h"
#include "common/cpython/objects/object_names.h"
#include "common/cpython/objects/object_reader.h"
#include "common/cpython/objects/running_frames.h"
#include "common/heap/heap.h"
#include "common/image/module.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pygc::analysis {

/// What an address looks like that should be an object's.
struct ObjectState {
  bool readable = false;
  std::uint64_t refcount = 0;
  std::string type_problem; // empty: it has a type of a GC object
  bool of_type = false;     // it has a type, of GC objects or not
  bool tracked = false;     // only of GC objects
};

/// A type with its objects near a place in memory.
struct TypeAround {
  std::string name;
  std::uint64_t objects = 0;
  bool of_extension = false; // its traverse function is
};

class Explainer {
public:
  Explainer(const image::ProcessImage& image, cpython::ObjectReader& reader, const heap::Heap& heap)
      : image_(image), reader_(reader), names_(reader), heap_(heap), ownership_(image, reader),
        slot_names_(image, reader, ownership_) {}

  /// Lets dictionaries among these be named after their owners.
  void prepare(std::span<const Address> objects);
  ObjectView object(Address address);
  ObjectState state(Address address);
  /// Types of the tracked objects around an address, as far as a pool of pymalloc reaches, which
  /// has blocks of one size: those of extensions first, then the most frequent.
  std::vector<TypeAround> types_around(Address address);
  /// `visits` of a visit to `visited` by `container`.
  Visitor visitor(Address container, Address visited, std::uint64_t visits);
  /// The file of a function of an extension; empty for one of the interpreter's own image.
  std::string extension_of(Address function) const;
  bool is_debug_build() const { return reader_.runtime().version.debug; }
  /// As SlotNames::item_name has it.
  std::string item_name(Address container, Address object) {
    return slot_names_.item_name(container, object);
  }
  /// As traverse_function.h has it.
  Address traverse_function(Address container, Address visited) {
    return analysis::traverse_function(reader_, container, visited);
  }
  /// Adds the slot that visits came from, with its name and owner.
  void attach_slot(Visitor& visitor, SlotAddress slot, std::uint64_t visits = 1);
  std::string function_name(Address function) const { return image_.describe_code(function); }
  /// A local variable of a running function: "'session' of work() (app.py:8)".
  std::string variable(const cpython::FrameReference& reference) {
    return slot_names_.variable(reference);
  }
  /// Where the function at a place in code was declared, "file.c:12"; empty when that is not known.
  std::string source_line(Address pc) const;
  /// A place in code: "faulthandler_traverse+0x12".
  std::string place(Address pc) const { return image_.describe_code(pc); }

private:
  /// "sys.__dict__" of a module's dictionary; else empty.
  std::string path(Address container);

  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  cpython::ObjectNames names_;
  const heap::Heap& heap_;
  Ownership ownership_;
  SlotNames slot_names_;
};

} // namespace pygc::analysis
