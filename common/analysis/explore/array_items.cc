#include "common/analysis/explore/array_items.h"

#include "common/analysis/explore/words_in_use.h"
#include "common/cpython/objects/object_path.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <span>
#include <utility>

namespace pygc::analysis {
namespace {

constexpr std::size_t array_limit = std::size_t{1} << 20;

} // namespace

ArrayItems::ArrayItems(cpython::ObjectReader& reader, const std::vector<machine::Thread>& threads,
                       std::function<bool()> cancelled)
    : reader_(reader), threads_(threads), cancelled_(std::move(cancelled)) {}

void ArrayItems::find_arrays() {
  const auto type = cpython::object_at_path(reader_, "numpy.ndarray");
  if (!type || !reader_.is_type(*type)) {
    return;
  }
  // The collector does not know them: each has the address of its type.
  const auto words =
      find_words_in_use(reader_, threads_, std::span(&*type, 1), array_limit, cancelled_);
  if (!words) {
    return;
  }
  for (const Word& word : words->places) {
    const Address object = word.at - reader_.runtime().layout.ob_type;
    if (auto items = word.at == 0 ? std::nullopt : cpython::object_array(reader_, object)) {
      const Address data = items->data;
      arrays_.try_emplace(data, Array{.object = object, .items = std::move(*items)});
    }
  }
}

std::string ArrayItems::name(Address at) {
  if (!std::exchange(looked_for_, true)) {
    find_arrays();
  }
  const auto behind = arrays_.upper_bound(at);
  if (behind == arrays_.begin()) {
    return {};
  }
  const Array& array = std::prev(behind)->second;
  const auto subscripts = array.items.subscripts(at);
  return subscripts.empty() ? std::string{}
                            : fmt::format("[{}] of numpy.ndarray {:#x}",
                                          fmt::join(subscripts, ", "), array.object);
}

} // namespace pygc::analysis
