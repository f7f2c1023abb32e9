#include "common/analysis/audit/borrowed_places.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pygc::analysis {
namespace {

struct Place {
  std::string_view type;
  bool whole; // else the part that an instance of a subclass has from this type
};

constexpr std::array places = {
    Place{.type = "_PyWeakref_RefType", .whole = false},
    Place{.type = "_PyWeakref_ProxyType", .whole = false},
    Place{.type = "_PyWeakref_CallableProxyType", .whole = false},
    Place{.type = "PyDict_Type", .whole = false},
    Place{.type = "PyFrame_Type", .whole = true},
    Place{.type = "PyGen_Type", .whole = true},
    Place{.type = "PyCoro_Type", .whole = true},
    Place{.type = "PyAsyncGen_Type", .whole = true},
    Place{.type = "PyMemoryView_Type", .whole = true},
};

} // namespace

bool is_borrowed_place(cpython::ObjectReader& reader, Address type, Address object,
                       SlotAddress slot) {
  return std::ranges::any_of(places, [&](const Place& place) {
    if (!reader.is_instance(type, place.type)) {
      return false;
    }
    const std::int64_t size = reader.type(reader.exported(place.type)).basicsize;
    return place.whole ||
           (size > 0 && slot.at - object < static_cast<std::uint64_t>(size) && slot.at >= object);
  });
}

} // namespace pygc::analysis
