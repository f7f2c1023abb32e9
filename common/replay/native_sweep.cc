#include "common/replay/found_sweep.h"
#include "common/replay/found_walk_layout.h"
#include "common/replay/native_replayer.h"
#include "common/replay/sweep.h"
#include "common/replay/walk_shapes.h"

#include <algorithm>

namespace pygc::replay {
namespace {

constexpr int max_attempts = 4;
constexpr std::uint64_t type_capacity = std::uint64_t{1} << 16;
constexpr std::uint64_t sample_capacity = std::uint64_t{1} << 20;
// Objects that are told at a time: little enough to stay in a processor's cache.
constexpr std::uint64_t listed_at_a_time = std::uint64_t{1} << 13;
// So much memory at least an object takes.
constexpr std::uint64_t object_size = 32;

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::uint64_t most_objects(const image::AddressSpace& memory) {
  std::uint64_t bytes = 0;
  for (const auto& region : memory.regions()) {
    if (region.source != image::Source::missing && region.permissions.write) {
      bytes += std::min(region.end - region.start, protocol::max_walked * object_size);
    }
  }
  return std::clamp<std::uint64_t>(bytes / object_size, 1, protocol::max_walked);
}

std::unexpected<Error> nonsense() {
  return fail(ErrorKind::replayer, 0, "the replayer's results make no sense");
}

} // namespace

class NativeSweep final : public Sweep {
public:
  /// One attempt; see NativeReplayer::start().
  static Result<std::unique_ptr<Sweep>> start(const image::AddressSpace& memory,
                                              const Options& options, const SweepRequest& request,
                                              const FoundObjects* found,
                                              const std::function<bool()>& cancelled, bool& clash) {
    auto process = NativeReplayer::prepare(memory, options, cancelled, Writable::fetched, clash);
    if (!process) {
      return std::unexpected(process.error());
    }
    std::unique_ptr<NativeSweep> sweep(new NativeSweep(
        std::move(*process), found == nullptr ? request.lists.size() : found->lists));
    auto begun = sweep->lay_out(memory, request);
    if (begun) {
      begun = sweep->begin(found);
    }
    if (!begun) {
      return std::unexpected(begun.error());
    }
    return sweep;
  }

  Result<std::optional<SweptLists>> walk() override {
    const auto reply = process_->receive_reply();
    if (!reply) {
      return std::unexpected(reply.error());
    }
    const SharedWindow& window = process_->window_;
    const auto outcome = window.get<protocol::WalkOutcome>(walk_.outcome, 0);
    if (outcome.stop != protocol::WalkStop::none) {
      return std::nullopt;
    }
    if (reply->next > walk_.object_capacity || outcome.sample_count > sample_capacity ||
        outcome.type_count > type_capacity) {
      return nonsense();
    }
    SweptLists lists;
    lists.collected = reply->next;
    lists.immortal = outcome.immortal;
    lists.seconds = since(begun_);
    for (std::size_t i = 0; i < list_count_; ++i) {
      lists.counts.push_back(window.get<protocol::WalkedList>(walk_.lists, i).count);
    }
    for (std::uint64_t i = 0; i < outcome.type_count; ++i) {
      lists.types.push_back(window.get<protocol::WalkedType>(walk_.types, i).type);
    }
    for (std::uint64_t i = 0; i < outcome.sample_count; ++i) {
      const auto sample = window.get<protocol::WalkedSample>(walk_.samples, i);
      lists.samples.push_back({sample.object, sample.type, sample.index});
    }
    collected_ = lists.collected;
    refcounts_ = outcome.refcounts;
    if (auto locking = process_->start_lock(); !locking) {
      return std::unexpected(locking.error());
    }
    return lists;
  }

  Result<std::optional<std::vector<bool>>> find(std::span<const Address> objects) override {
    if (auto locked = process_->finish_lock(); !locked) {
      return std::unexpected(locked.error());
    }
    SharedWindow& window = process_->window_;
    window.restart();
    const auto wanted = window.put(objects);
    const auto records = window.allocate(objects.size(), sizeof(std::uint64_t));
    const auto incidents = window.allocate(1, sizeof(protocol::IncidentRecord));
    for (const auto* offset : {&wanted, &records, &incidents}) {
      if (!*offset) {
        return std::unexpected(offset->error());
      }
    }
    protocol::Command command;
    command.kind = protocol::Kind::find;
    command.end = objects.size();
    command.objects = *wanted;
    command.records = *records;
    command.incidents = *incidents;
    command.incident_capacity = 1;
    const auto reply = process_->ask(command);
    if (!reply) {
      return std::unexpected(reply.error());
    }
    if (reply->incidents != 0) {
      return std::nullopt;
    }
    std::vector<bool> found(objects.size());
    for (std::size_t i = 0; i < objects.size(); ++i) {
      found[i] = window.get<std::uint64_t>(*records, i) == 1;
    }
    return found;
  }

  Result<void> start_traversals() override {
    if (auto locked = process_->finish_lock(); !locked) {
      return std::unexpected(locked.error());
    }
    process_->window_.restart();
    const auto incidents = process_->window_.allocate(1, sizeof(protocol::IncidentRecord));
    if (!incidents) {
      return std::unexpected(incidents.error());
    }
    incidents_at_ = *incidents;
    protocol::Command command = whole(protocol::Kind::traverse);
    command.incidents = *incidents;
    command.incident_capacity = 1;
    command.visitor = target_visitor();
    begun_ = Clock::now();
    return send(command);
  }

  Result<std::optional<SweptTotals>> finish_traversals() override {
    const auto reply = process_->receive_reply();
    if (!reply) {
      return std::unexpected(reply.error());
    }
    if (!came_to_its_end(*reply)) {
      return std::nullopt;
    }
    if (target_visitor() != 0) { // which has judged nothing
      const auto inspected = inspect();
      if (!inspected) {
        return std::unexpected(inspected.error());
      }
      if (!*inspected) {
        return std::nullopt;
      }
    }
    const auto sums_at = process_->window_.allocate(1, sizeof(protocol::Scan));
    if (!sums_at) {
      return std::unexpected(sums_at.error());
    }
    protocol::Command command = whole(protocol::Kind::scan);
    command.records = *sums_at;
    const auto scanned = process_->ask(command);
    if (!scanned) {
      return std::unexpected(scanned.error());
    }
    const auto sums = process_->window_.get<protocol::Scan>(*sums_at, 0);
    if (scanned->incidents != 0 || scanned->next != collected_ || sums.negative != 0 ||
        sums.lost != 0 || sums.suspects != 0 || sums.refcounts != refcounts_ ||
        sums.gc_refs > sums.refcounts) {
      return std::nullopt;
    }
    return SweptTotals{.visits = sums.refcounts - sums.gc_refs, .seconds = since(begun_)};
  }

  Result<std::vector<std::optional<std::int64_t>>>
  gc_refs(std::span<const Address> objects) override {
    SharedWindow& window = process_->window_;
    window.restart();
    const auto addresses = window.put(objects);
    const auto counts = window.allocate(objects.size(), sizeof(std::int64_t));
    const auto incidents = window.allocate(1, sizeof(protocol::IncidentRecord));
    for (const auto* offset : {&addresses, &counts, &incidents}) {
      if (!*offset) {
        return std::unexpected(offset->error());
      }
    }
    protocol::Command command;
    command.kind = protocol::Kind::collect;
    command.end = objects.size();
    command.objects = *addresses;
    command.counts = *counts;
    command.incidents = *incidents;
    command.incident_capacity = 1;
    if (auto done =
            process_->carry_out(command, nullptr, [](const auto&) { return Result<void>{}; });
        !done) {
      return std::unexpected(done.error());
    }
    std::vector<std::optional<std::int64_t>> all;
    for (std::size_t i = 0; i < objects.size(); ++i) {
      const auto refs = window.get<std::int64_t>(*counts, i);
      all.push_back(refs == protocol::gc_refs_lost ? std::nullopt : std::optional(refs));
    }
    return all;
  }

  Result<void>
  list(const std::function<Result<void>(std::span<const SweptCounts>)>& take) override {
    SharedWindow& window = process_->window_;
    window.restart();
    const auto incidents = window.allocate(1, sizeof(protocol::IncidentRecord));
    const auto one = window.allocate(listed_at_a_time, sizeof(protocol::ListedObject));
    const auto other = window.allocate(listed_at_a_time, sizeof(protocol::ListedObject));
    for (const auto* offset : {&incidents, &one, &other}) {
      if (!*offset) {
        return std::unexpected(offset->error());
      }
    }
    protocol::Command command = whole(protocol::Kind::list);
    command.incidents = *incidents;
    command.record_capacity = listed_at_a_time;
    command.records = *one;
    std::vector<SweptCounts> piece;
    // The replayer fills one buffer while the other is being taken.
    for (auto asked = send(command); command.first < collected_;) {
      const auto reply = asked ? process_->receive_reply() : std::unexpected(asked.error());
      if (!reply) {
        return std::unexpected(reply.error());
      }
      const std::uint64_t count = reply->next - command.first;
      if (reply->incidents != 0 || count == 0 || count > listed_at_a_time ||
          reply->next > collected_) {
        return nonsense();
      }
      const std::uint64_t filled = command.records;
      command.first = reply->next;
      command.records = filled == *one ? *other : *one;
      if (command.first < collected_) {
        asked = send(command);
      }
      piece.clear();
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto listed = window.get<protocol::ListedObject>(filled, i);
        piece.push_back({listed.object, listed.type, listed.refcount, listed.gc_refs});
      }
      if (auto taken = take(piece); !taken) {
        return taken;
      }
    }
    return {};
  }

  void let_go() override { process_->process_.let_go(); }

  Replayer& replayer() override { return *process_; }

private:
  NativeSweep(std::unique_ptr<NativeReplayer> process, std::size_t lists)
      : process_(std::move(process)), list_count_(lists) {}

  Result<void> lay_out(const image::AddressSpace& memory, const SweepRequest& request) {
    SharedWindow& window = process_->window_;
    std::vector<protocol::WalkedList> lists;
    lists.reserve(list_count_);
    for (const SweepRequest::List& list : request.lists) {
      lists.push_back({.head = list.head, .collected = list.collected ? 1U : 0U});
    }
    lists.resize(list_count_); // found ones have no heads
    window.restart();
    const auto lists_at = window.put(std::span<const protocol::WalkedList>(lists));
    const auto types = window.allocate(type_capacity, sizeof(protocol::WalkedType));
    const auto samples = window.allocate(sample_capacity, sizeof(protocol::WalkedSample));
    const auto outcome = window.allocate(1, sizeof(protocol::WalkOutcome));
    for (const auto* offset : {&lists_at, &types, &samples, &outcome}) {
      if (!*offset) {
        return std::unexpected(offset->error());
      }
    }
    walk_.list_count = static_cast<std::uint32_t>(lists.size());
    walk_.lists = *lists_at;
    walk_.types = *types;
    walk_.type_capacity = type_capacity;
    walk_.samples = *samples;
    walk_.sample_capacity = sample_capacity;
    walk_.outcome = *outcome;
    walk_.object_capacity = most_objects(memory);
    walk_.sample_size = request.sample_size;
    borrowed_references_ = request.borrowed_references;
    put_shapes(request, walk_);
    walk_.counts_aside = borrowed_references_ && process_->visit_decref_ != 0 ? 0 : 1;
    return {};
  }

  Result<void> begin(const FoundObjects* found) {
    begun_ = Clock::now();
    if (found == nullptr) {
      return process_->process_.send(std::as_bytes(std::span(&walk_, 1)), {});
    }
    const auto walk = lay_out_found(process_->window_, walk_, *found);
    if (!walk) {
      return std::unexpected(walk.error());
    }
    return process_->process_.send(std::as_bytes(std::span(&*walk, 1)), {});
  }

  Result<void> send(const protocol::Command& command) const {
    return process_->process_.send(std::as_bytes(std::span(&command, 1)), {});
  }

  /// False: a traversal has not come to its end.
  Result<bool> inspect() {
    protocol::Command command = whole(protocol::Kind::inspect);
    command.incidents = incidents_at_;
    const auto reply = process_->ask(command);
    if (!reply) {
      return std::unexpected(reply.error());
    }
    return came_to_its_end(*reply);
  }

  bool came_to_its_end(const protocol::Reply& reply) const {
    return reply.incidents == 0 && reply.next == collected_ && reply.traversed == collected_;
  }

  /// 0: the replayer's own.
  Address target_visitor() const { return walk_.counts_aside != 0 ? 0 : process_->visit_decref_; }

  protocol::Command whole(protocol::Kind kind) const {
    protocol::Command command;
    command.kind = kind;
    command.end = collected_;
    command.objects = protocol::walked_objects;
    command.incident_capacity = 1;
    return command;
  }

  std::unique_ptr<NativeReplayer> process_;
  std::size_t list_count_;
  protocol::Walk walk_;
  Clock::time_point begun_;
  std::uint64_t collected_ = 0;
  std::uint64_t refcounts_ = 0;
  bool borrowed_references_ = false;
  std::uint64_t incidents_at_ = 0; // in the window
};

namespace {

Result<std::unique_ptr<Sweep>> start(const image::AddressSpace& memory, const Options& options,
                                     const SweepRequest& request, const FoundObjects* found,
                                     const std::function<bool()>& cancelled) {
  for (int attempt = 1;; ++attempt) {
    bool clash = false;
    auto sweep = NativeSweep::start(memory, options, request, found, cancelled, clash);
    if (sweep || !clash || attempt == max_attempts) {
      return sweep;
    }
  }
}

} // namespace

Result<std::unique_ptr<Sweep>> start_sweep(const image::AddressSpace& memory,
                                           const Options& options, const SweepRequest& request,
                                           const std::function<bool()>& cancelled) {
  return start(memory, options, request, nullptr, cancelled);
}

Result<std::unique_ptr<Sweep>> start_found_sweep(const image::AddressSpace& memory,
                                                 const Options& options,
                                                 const SweepRequest& request,
                                                 const FoundObjects& found,
                                                 const std::function<bool()>& cancelled) {
  return start(memory, options, request, &found, cancelled);
}

} // namespace pygc::replay
