// What the analysis takes from a replayer: a forger in its place answers as the input says, and
// writes into the window what it likes.
#include "common/replay/native_replayer.h"
#include "common/replay/sweep.h"
#include "tests/fuzz/fuzz_input.h"

#include <array>
#include <vector>

namespace pygc {
namespace {

constexpr Address base = 0x10'0000;
constexpr std::size_t area = 0x4000;
constexpr std::array<Address, 3> objects{base + 0x100, base + 0x200, base + 0x300};

const image::AddressSpace& memory() {
  static const auto* made = [] {
    auto* space = new image::AddressSpace;
    const std::vector<std::uint8_t> zeros(area);
    const int fd = fuzz::file_of(zeros).release();
    space->own(fd);
    image::Region region;
    region.start = base;
    region.end = base + area;
    region.source = image::Source::saved;
    region.fd = fd;
    region.permissions = {.read = true, .write = true, .execute = false};
    fuzz::must(space->add(std::move(region)).has_value());
    space->sort();
    return space;
  }();
  return *made;
}

void ask_rounds(const replay::Options& options) {
  bool clash = false;
  auto replayer = replay::NativeReplayer::start(memory(), options, [] { return false; }, clash);
  if (!replayer) {
    return;
  }
  constexpr std::array<std::uint64_t, 3> counts{1, 1, 2};
  constexpr std::array<std::uint32_t, 1> watched{2};
  const auto round =
      (*replayer)->run({.objects = objects, .refcounts = counts, .watched = watched});
  if (round) {
    fuzz::must(round->gc_refs.size() == objects.size());
    for (const std::uint32_t index : round->unknown) {
      fuzz::must(index < objects.size());
    }
    for (const replay::Incident& incident : round->incidents) {
      fuzz::must(incident.container < objects.size());
    }
    for (const replay::Decrement& decrement : round->decrements) {
      fuzz::must(decrement.container < objects.size() && decrement.watched < objects.size());
    }
  }
  std::vector<replay::Incident> incidents;
  if (const auto visits = (*replayer)->visits(objects, 0, &incidents)) {
    for (const replay::Visit& visit : *visits) {
      fuzz::must(visit.container < objects.size());
    }
  }
  static_cast<void>(
      (*replayer)->edges(objects, {}, [](std::span<const replay::Edge> edges) -> Result<void> {
        for (const replay::Edge& edge : edges) {
          fuzz::must(edge.container < objects.size() && edge.object < objects.size());
        }
        return {};
      }));
}

void ask_sweep(const replay::Options& options) {
  const replay::SweepRequest request{.lists = {{.head = base, .collected = true}},
                                     .sample_size = 2,
                                     .sampled_type = 0,
                                     .gc_next = 0,
                                     .ob_refcnt = 0,
                                     .tp_base = 0,
                                     .ob_size = 16,
                                     .tuple_type = 0,
                                     .tuple_items = 0,
                                     .dict_type = 0,
                                     .ma_keys = 0,
                                     .ma_values = 0,
                                     .dk_kind = 0};
  auto sweep = replay::start_sweep(memory(), options, request, [] { return false; });
  if (!sweep) {
    return;
  }
  const auto lists = (*sweep)->walk();
  if (!lists || !*lists) {
    return;
  }
  fuzz::must((*lists)->counts.size() == 1);
  static_cast<void>((*sweep)->find(objects));
  if (!(*sweep)->start_traversals()) {
    return;
  }
  static_cast<void>((*sweep)->finish_traversals());
  static_cast<void>((*sweep)->gc_refs(objects));
  static_cast<void>(
      (*sweep)->list([](std::span<const replay::SweptCounts>) -> Result<void> { return {}; }));
}

} // namespace
} // namespace pygc

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pygc;
  fuzz::Input input(data, size);
  const bool sweep = input.take<std::uint8_t>() % 2 != 0;
  const UniqueFd file = fuzz::file_of(input.rest());
  fuzz::must(::dup2(file.get(), PYGC_FORGER_INPUT) == PYGC_FORGER_INPUT);
  replay::Options options;
  options.replayer_path = PYGC_FORGER;
  if (sweep) {
    ask_sweep(options);
  } else {
    ask_rounds(options);
  }
  return 0;
}
