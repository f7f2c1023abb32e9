#include "common/session/found_objects.h"

#include "common/cpython/collector/collector.h"
#include "common/cpython/collector/merge_queues.h"
#include "common/heap/collected_set.h"
#include "common/replay/protocol/found_walk.h"

#include <array>
#include <cstddef>
#include <unordered_map>

namespace pygc::session {
namespace {

constexpr std::uint64_t granule = replay::protocol::found_granule;
constexpr std::uint64_t word_bits = 64;
// A run ends where so much memory holds no object: its bits would cost more than another run.
constexpr std::uint64_t longest_gap = std::uint64_t{64} << 10U;
constexpr std::uint64_t longest_run = std::uint64_t{1} << 20U;
constexpr std::size_t cancel_interval = std::size_t{1} << 14U;

/// Gives up at the first thing that the walk of a careful check would have to tell.
class Finder final : public cpython::HeapSink {
public:
  Finder(cpython::ObjectReader& reader, std::uint32_t sample_size,
         const std::function<bool()>& cancelled)
      : reader_(reader), type_offset_(reader.runtime().layout.ob_type), sample_size_(sample_size),
        cancelled_(cancelled),
        queues_(cpython::read_merge_queues(reader.memory(), reader.runtime())) {}

  std::optional<replay::FoundObjects> find() {
    if (!queues_.known) {
      return std::nullopt;
    }
    const cpython::Runtime& runtime = reader_.runtime();
    const cpython::Interpreter& interpreter = runtime.interpreters.front();
    const auto source = cpython::collector_of(runtime.layout).source(reader_.memory(), runtime);
    for (const std::size_t space : heap::swept_spaces(runtime, interpreter)) {
      is_collected_ = interpreter.spaces[space].kind != cpython::SpaceKind::permanent;
      count_ = 0;
      collected_.end();
      others_.end();
      if (!source->walk(interpreter, interpreter.spaces[space], *this) || gave_up_) {
        return std::nullopt;
      }
      found_.lists.counts.push_back(count_);
    }
    const auto& fields = runtime.layout.free_threaded;
    if (!fields) {
      return std::nullopt;
    }
    found_.ob_ref_local = fields->ob_ref_local;
    found_.ob_ref_shared = fields->ob_ref_shared;
    found_.ob_gc_bits = fields->ob_gc_bits;
    return std::move(found_);
  }

  cpython::Verdict add(const cpython::TrackedObject& tracked) override {
    const auto type_at = reader_.memory().load<Address>(tracked.object + type_offset_);
    const bool is_negative = static_cast<std::int64_t>(tracked.refcount) < 0;
    const bool is_queued = !queues_.objects.empty() && queues_.objects.contains(tracked.object);
    if (tracked.unreadable != nullptr || tracked.in_motion || is_queued || !type_at ||
        is_negative || (tracked.refcount == 0 && !tracked.may_be_dead)) {
      gave_up_ = true;
      return cpython::Verdict::damaged;
    }
    ++count_;
    const bool immortal = reader_.runtime().is_immortal(tracked.refcount);
    found_.lists.immortal += is_collected_ && immortal ? 1U : 0U;
    if (!is_collected_ || immortal) {
      type_of(*type_at);
      others_.add(found_, tracked.object, false);
      return cpython::Verdict::usable;
    }
    Type& type = type_of(*type_at);
    if (type.sampled < sample_size_ || type.all) {
      ++type.sampled;
      found_.lists.samples.push_back({tracked.object, *type_at, found_.lists.collected});
    }
    collected_.add(found_, tracked.object, true);
    ++found_.lists.collected;
    return cpython::Verdict::usable;
  }

  std::span<const Address> added() const override { return {}; }
  void drop_repeated() override { gave_up_ = true; }
  std::size_t add_fault(cpython::SpaceFault /*fault*/) override {
    gave_up_ = true;
    return 0;
  }
  void withdraw(std::size_t /*fault*/) override {}
  std::string take_back_object_fault() override { return {}; }

  Result<void> proceed() override {
    if (gave_up_ || (++asked_ % cancel_interval == 0 && cancelled_())) {
      return fail(ErrorKind::cancelled, 0, "the objects are left to a careful walk");
    }
    return {};
  }

private:
  /// Where the run that grows is.
  class Growing {
  public:
    void end() { open_ = false; }
    void add(replay::FoundObjects& found, Address object, bool collected) {
      if (!open_ || object <= last_ || object - last_ > longest_gap ||
          object - first_ >= longest_run || (object - first_) % granule != 0) {
        open_ = true;
        first_ = object;
        run_ = found.runs.size();
        found.runs.push_back({.first = object, .collected = collected, .words = {}});
        found.runs.back().words.reserve(longest_run / granule / word_bits);
      }
      last_ = object;
      std::vector<std::uint64_t>& words = found.runs[run_].words;
      const std::uint64_t bit = (object - first_) / granule;
      if (bit / word_bits >= words.size()) {
        words.resize(bit / word_bits + 1);
      }
      words[bit / word_bits] |= std::uint64_t{1} << bit % word_bits;
    }

  private:
    bool open_ = false;
    std::size_t run_ = 0;
    Address first_ = 0;
    Address last_ = 0;
  };

  struct Type {
    std::uint32_t sampled = 0;
    bool all = false;
  };

  Type& type_of(Address type) {
    constexpr std::uint64_t least_size = 256; // of a type: they lie so far from one another
    auto& recent = recent_[type / least_size % recent_.size()];
    if (recent.second == nullptr || recent.first != type) {
      const auto [found, fresh] = types_.try_emplace(type);
      if (fresh) {
        found_.lists.types.push_back(type);
        found->second.all =
            reader_.type(type).problem.empty() && reader_.is_instance(type, "PyModule_Type");
      }
      recent = {type, &found->second};
    }
    return *recent.second;
  }

  cpython::ObjectReader& reader_;
  std::uint64_t type_offset_;
  std::uint32_t sample_size_;
  const std::function<bool()>& cancelled_;
  cpython::MergeQueues queues_;
  replay::FoundObjects found_;
  Growing collected_;
  Growing others_; // immortal and frozen ones
  bool is_collected_ = false;
  bool gave_up_ = false;
  std::uint64_t count_ = 0; // of the space that is walked
  std::size_t asked_ = 0;
  std::unordered_map<Address, Type> types_;
  std::array<std::pair<Address, Type*>, 256> recent_{};
};

} // namespace

std::optional<replay::FoundObjects> find_objects(cpython::ObjectReader& reader,
                                                 std::uint32_t sample_size,
                                                 const std::function<bool()>& cancelled) {
  return Finder(reader, sample_size, cancelled).find();
}

} // namespace pygc::session
