// Turns addresses into what a report shows: objects, visitors, traverse functions.
#pragma once

#include "common/analysis/finding.h"
#include "common/cpython/object_names.h"
#include "common/cpython/object_reader.h"
#include "common/heap/heap.h"
#include "common/image/module.h"

#include <span>

namespace pygc::analysis {

class Explainer {
public:
  Explainer(const image::ProcessImage& image, cpython::ObjectReader& reader, const heap::Heap& heap)
      : image_(image), reader_(reader), names_(reader), heap_(heap) {}

  /// Lets dictionaries among these be named after their owners.
  void prepare(std::span<const Address> objects);
  ObjectView object(Address address);
  /// `visits` of a visit to `visited` by `container`.
  Visitor visitor(Address container, Address visited, std::uint64_t visits);
  /// The function that visits what `container` owns: m_traverse for what a module's state holds,
  /// else the tp_traverse of its type. Address in the target, 0 when unreadable.
  Address traverse_function(Address container, Address visited);
  std::string function_name(Address function) const { return image_.describe_code(function); }

private:
  const image::ProcessImage& image_;
  cpython::ObjectReader& reader_;
  cpython::ObjectNames names_;
  const heap::Heap& heap_;
};

} // namespace pygc::analysis
