#include "common/analysis/facts/deallocations.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pygc::analysis {
namespace {

constexpr std::size_t thread_limit = 64;
constexpr std::size_t stack_frame_limit = 256;
constexpr int base_limit = 100;

/// As tp_dealloc functions call their argument; empty registers and optimised variables say
/// nothing.
bool is_of_another(const image::Frame& frame, Address object) {
  for (const std::string_view name : {"self", "op", "o", "obj"}) {
    if (const auto found = frame.variables.find(name); found != frame.variables.end()) {
      return found->second != object;
    }
  }
  return false;
}

/// Called by a tp_dealloc while its object is tracked and has no references: for some instructions.
bool leaves_count(const image::Frame& frame) {
  return frame.function.starts_with("PyObject_GC_UnTrack") ||
         frame.function.starts_with("PyObject_CallFinalizerFromDealloc");
}

} // namespace

void Deallocations::unwind() {
  unwound_ = true;
  std::vector<const target::Thread*> order;
  order.reserve(input_.threads.size());
  for (const target::Thread& thread : input_.threads) {
    order.push_back(&thread);
  }
  std::ranges::stable_partition(order,
                                [](const target::Thread* each) { return each->signal != 0; });
  for (std::size_t i = 0; i < std::min(order.size(), thread_limit); ++i) {
    if (const auto frames = input_.image.unwind(*order[i], stack_frame_limit)) {
      for (std::size_t at = 0; at < frames->size(); ++at) {
        frames_.push_back((*frames)[at]);
        have_called_.push_back(at > 0 && !leaves_count((*frames)[at - 1]));
      }
    }
  }
}

std::optional<Deallocation> Deallocations::find(Address object, Address type) {
  if (!unwound_) {
    unwind();
  }
  const cpython::Layout& layout = input_.reader.runtime().layout;
  std::vector<Address> functions;
  for (int i = 0; i < base_limit && type != 0; ++i) {
    // tp_dealloc follows tp_itemsize (Include/cpython/object.h).
    const auto dealloc =
        input_.reader.memory().load<Address>(type + layout.tp_itemsize + sizeof(std::int64_t));
    if (dealloc && *dealloc != 0) {
      functions.push_back(*dealloc);
    }
    type = input_.reader.type(type).base;
  }
  for (std::size_t at = 0; at < frames_.size(); ++at) {
    const image::Frame& frame = frames_[at];
    const image::Module* module = input_.image.module_at(frame.pc);
    const auto symbol = module == nullptr ? std::nullopt : module->symbol_at(frame.pc);
    if (!symbol || std::ranges::find(functions, symbol->address) == functions.end() ||
        is_of_another(frame, object)) {
      continue;
    }
    return Deallocation{.function = symbol->name,
                        .library = module->path(),
                        .line = module->source_line(frame.pc).value_or(""),
                        .has_called = have_called_[at]};
  }
  return std::nullopt;
}

} // namespace pygc::analysis
