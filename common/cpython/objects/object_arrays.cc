#include "common/cpython/objects/object_arrays.h"

#include "common/cpython/type_proof.h"

#include <algorithm>

namespace pygc::cpython {
namespace {

constexpr std::uint64_t word = sizeof(Address);
constexpr std::uint64_t size_limit = std::uint64_t{1} << 47;
// PyArrayObject_fields, behind the PyObject: data, nd, dimensions, strides, base, descr, flags.
constexpr std::uint64_t nd_at = 1 * word;
constexpr std::uint64_t dimensions_at = 2 * word;
constexpr std::uint64_t strides_at = 3 * word;
constexpr std::uint64_t descr_at = 5 * word;
constexpr std::uint64_t flags_at = 6 * word;
constexpr std::int32_t dimension_limit = 64; // NPY_MAXDIMS
constexpr std::uint32_t owns_data = 4;       // NPY_ARRAY_OWNDATA
// PyArray_Descr, behind the PyObject: typeobj, kind, type, byteorder, a byte of flags, type_num.
constexpr std::uint64_t kind_at = 1 * word;
constexpr std::uint64_t type_num_at = kind_at + 4;
constexpr std::int32_t object_number = 17; // NPY_OBJECT

bool is_of_objects(const image::AddressSpace& memory, Address fields) {
  const auto kind = memory.load<char>(fields + kind_at);
  const auto type = memory.load<char>(fields + kind_at + 1);
  const auto number = memory.load<std::int32_t>(fields + type_num_at);
  return kind && type && number && *kind == 'O' && *type == 'O' && *number == object_number;
}

/// The dimensions by descending stride, where each stride is what the smaller ones take together.
bool have_no_gaps(const std::vector<ObjectArray::Dimension>& dimensions, std::uint64_t& size) {
  std::vector<ObjectArray::Dimension> ascending = dimensions;
  std::ranges::stable_sort(ascending, {}, &ObjectArray::Dimension::stride);
  size = word;
  for (const ObjectArray::Dimension& each : ascending) {
    if (each.count == 0 || each.count > size_limit / size) {
      return false;
    }
    if (each.count == 1) {
      continue; // its stride says nothing
    }
    if (each.stride != size) {
      return false;
    }
    size *= each.count;
  }
  return true;
}

} // namespace

std::vector<std::uint64_t> ObjectArray::subscripts(Address at) const {
  std::vector<std::uint64_t> found;
  if (at < data || at - data >= size || (at - data) % word != 0) {
    return found;
  }
  for (const Dimension& each : dimensions) {
    found.push_back(each.count == 1 ? 0 : (at - data) / each.stride % each.count);
  }
  return found;
}

std::optional<ObjectArray> object_array(const ObjectReader& reader, Address object) {
  const image::AddressSpace& memory = reader.memory();
  const Address fields = object + reader.runtime().layout.ob_size; // sizeof(PyObject)
  const auto data = memory.load<Address>(fields);
  const auto nd = memory.load<std::int32_t>(fields + nd_at);
  const auto counts = memory.load<Address>(fields + dimensions_at);
  const auto strides = memory.load<Address>(fields + strides_at);
  const auto descr = memory.load<Address>(fields + descr_at);
  const auto flags = memory.load<std::uint32_t>(fields + flags_at);
  if (!data || !nd || !counts || !strides || !descr || !flags || !is_plausible(*data) || *nd <= 0 ||
      *nd > dimension_limit || !is_plausible(*counts) || !is_plausible(*strides) ||
      !is_plausible(*descr) || (*flags & owns_data) == 0 ||
      !is_of_objects(memory, *descr + reader.runtime().layout.ob_size)) {
    return std::nullopt;
  }
  ObjectArray array{.data = *data, .size = 0, .dimensions = {}};
  for (std::int32_t i = 0; i < *nd; ++i) {
    const std::uint64_t at = static_cast<std::uint64_t>(i) * word;
    const auto count = memory.load<std::uint64_t>(*counts + at);
    const auto stride = memory.load<std::uint64_t>(*strides + at);
    if (!count || !stride) {
      return std::nullopt;
    }
    array.dimensions.push_back({.count = *count, .stride = *stride});
  }
  if (!have_no_gaps(array.dimensions, array.size) ||
      !memory.load<Address>(array.data + array.size - word)) {
    return std::nullopt;
  }
  return array;
}

} // namespace pygc::cpython
