#include "common/replay/native_replayer.h"

#include "common/base/huge_pages.h"
#include "common/machine/page.h"

#include <algorithm>

namespace pygc::replay {
namespace {

// Of traversals that run out of memory only these many are kept per exchange; more need more
// exchanges.
constexpr std::uint64_t incident_capacity = 4096;
constexpr std::uint64_t decrement_capacity = 4096;
constexpr std::uint64_t visit_capacity = std::uint64_t{1} << 20;

// The window holds a few words per object, and an object takes at least so many bytes of the image.
// One container may visit every word of it, and each visit listed takes two. The spare part is for
// the buffers. It is sparse: what is not used costs nothing.
constexpr std::uint64_t window_share = 3;
constexpr std::uint64_t window_spare = std::uint64_t{64} << 20;

// Larger refcounts, and decrements by more than this, are somebody's scribbles.
constexpr std::int64_t refcount_limit = std::int64_t{1} << 39;

constexpr int max_attempts = 4;

constexpr std::chrono::milliseconds processor_base{120'000};
constexpr std::uint64_t bytes_per_millisecond = 1 << 10;

std::uint64_t window_size(const image::AddressSpace& memory) {
  std::uint64_t total = window_spare;
  for (const auto& region : memory.regions()) {
    if (region.source != image::Source::missing) {
      const std::uint64_t size = std::min(region.end - region.start, protocol::max_window_size);
      total += window_share * size;
      total = std::min(total, protocol::max_window_size);
    }
  }
  return machine::page_down(total);
}

/// The processor time that a replayer of this memory may use: a hundred times what is usual.
std::chrono::milliseconds processor_limit(const image::AddressSpace& memory) {
  std::uint64_t size = 0;
  for (const auto& region : memory.regions()) {
    size += region.source == image::Source::missing || !region.permissions.write
                ? 0
                : std::min(region.end - region.start, protocol::max_window_size);
  }
  return processor_base + std::chrono::milliseconds(size / bytes_per_millisecond);
}

/// Of a traversal that did not complete; nothing for what no replayer tells.
std::optional<Outcome> outcome_of(const protocol::IncidentRecord& record) {
  return record.outcome > Outcome::completed && record.outcome <= Outcome::undone_write
             ? std::optional(record.outcome)
             : std::nullopt;
}

std::unexpected<Error> nonsense() {
  return fail(ErrorKind::replayer, 0, "the replayer's results make no sense");
}

std::unexpected<Error> misuse(const char* reason) {
  return fail(ErrorKind::internal, 0, reason);
}

} // namespace

NativeReplayer::NativeReplayer(ReplayerProcess process, SharedWindow window,
                               const image::AddressSpace& memory)
    : process_(std::move(process)), window_(std::move(window)), memory_(memory) {}

Result<std::unique_ptr<NativeReplayer>>
NativeReplayer::prepare(const image::AddressSpace& memory, const Options& options,
                        const std::function<bool()>& cancelled, Writable writable, bool& clash,
                        ReplayerProcess* early) {
  clash = false;
  auto window = SharedWindow::create(window_size(memory));
  if (!window) {
    return std::unexpected(window.error());
  }
  auto process = early != nullptr ? Result<ReplayerProcess>(std::move(*early))
                                  : ReplayerProcess::start(options.replayer_path, cancelled);
  if (!process) {
    return std::unexpected(process.error());
  }
  std::unique_ptr<NativeReplayer> replayer(
      new NativeReplayer(std::move(*process), std::move(*window), memory));
  replayer->process_.limit_processor_time(
      options.processor_time.count() != 0 ? options.processor_time : processor_limit(memory));
  auto ready = replayer->set_up(options);
  if (ready) {
    ready = replayer->map(memory, writable, options.idle);
  }
  if (!ready) {
    clash = replayer->process_.exit_status() == protocol::exit_clash;
    return std::unexpected(ready.error());
  }
  return replayer;
}

Result<std::unique_ptr<NativeReplayer>>
NativeReplayer::start(const image::AddressSpace& memory, const Options& options,
                      const std::function<bool()>& cancelled, bool& clash, ReplayerProcess* early) {
  auto replayer = prepare(memory, options, cancelled, Writable::whole, clash, early);
  if (replayer) {
    if (auto locking = (*replayer)->start_lock(); !locking) {
      return std::unexpected(locking.error());
    }
  }
  return replayer;
}

Result<void> NativeReplayer::check(const Round& round) {
  if (round.objects.size() != round.refcounts.size()) {
    return misuse("a replay round with unequal numbers of objects and refcounts");
  }
  if (round.objects.size() > UINT32_MAX) {
    return fail(ErrorKind::limit, 0, "more than 2^32 objects in one collection");
  }
  if (round.watched.size() > max_watched) {
    return fail(ErrorKind::limit, 0,
                "more than " + std::to_string(max_watched) + " objects to watch in one replay");
  }
  for (const std::uint32_t index : round.watched) {
    if (index >= round.objects.size()) {
      return misuse("a watched object that is not in the replay round");
    }
  }
  return {};
}

Result<protocol::Command> NativeReplayer::lay_out(const Round& round, RoundResult& result) {
  const std::size_t count = round.objects.size();
  std::vector<std::uint64_t> clipped;
  std::span<const std::uint64_t> refcounts = round.refcounts;
  for (std::size_t i = 0; i < count; ++i) {
    if (refcounts[i] > static_cast<std::uint64_t>(refcount_limit)) {
      if (clipped.empty()) {
        clipped.assign(refcounts.begin(), refcounts.end());
      }
      clipped[i] = static_cast<std::uint64_t>(refcount_limit);
      result.unknown.push_back(static_cast<std::uint32_t>(i));
    }
  }
  if (!clipped.empty()) {
    refcounts = clipped;
  }

  window_.restart();
  protocol::Command command;
  command.end = count;
  command.watched_count = static_cast<std::uint32_t>(round.watched.size());
  command.incident_capacity = incident_capacity;
  command.record_capacity = decrement_capacity;
  const auto objects = window_.put(round.objects);
  const auto counts = window_.put(refcounts);
  const auto watched = window_.put(round.watched);
  const auto incidents = window_.allocate(incident_capacity, sizeof(protocol::IncidentRecord));
  const auto records = window_.allocate(decrement_capacity, sizeof(protocol::DecrementRecord));
  for (const auto* offset : {&objects, &counts, &watched, &incidents, &records}) {
    if (!*offset) {
      return std::unexpected(offset->error());
    }
  }
  command.objects = *objects;
  command.counts = *counts;
  command.watched = *watched;
  command.incidents = *incidents;
  command.records = *records;
  return command;
}

Result<void>
NativeReplayer::carry_out(protocol::Command command, std::vector<Incident>* incidents,
                          const std::function<Result<void>(const protocol::Reply&)>& take) {
  std::vector<Incident> ignored;
  while (command.first < command.end) {
    auto reply = ask(command);
    if (!reply) {
      return std::unexpected(reply.error());
    }
    const bool sane = reply->next >= command.first && reply->next <= command.end &&
                      reply->incidents <= command.incident_capacity &&
                      reply->records <= command.record_capacity &&
                      reply->traversed <= command.end - command.first;
    if (!sane) {
      return nonsense();
    }
    ignored.clear();
    if (auto taken = take_incidents(command, *reply, incidents != nullptr ? *incidents : ignored);
        !taken) {
      return taken;
    }
    if (auto taken = take(*reply); !taken) {
      return taken;
    }
    if (reply->next == command.first) {
      return fail(ErrorKind::limit, 0, "one traversal makes more visits than pygc can list");
    }
    command.first = reply->next;
  }
  return {};
}

Result<void> NativeReplayer::take_incidents(const protocol::Command& command,
                                            const protocol::Reply& reply,
                                            std::vector<Incident>& incidents) const {
  for (std::uint64_t i = 0; i < reply.incidents; ++i) {
    const auto record = window_.get<protocol::IncidentRecord>(command.incidents, i);
    const auto outcome = outcome_of(record);
    if (!outcome || record.container < command.first || record.container >= command.end) {
      return nonsense();
    }
    incidents.push_back(
        {record.container, *outcome, record.pc, record.address, record.number, record.arguments});
  }
  return {};
}

Result<void> NativeReplayer::take_decrements(const protocol::Command& command,
                                             const protocol::Reply& reply,
                                             RoundResult& result) const {
  for (std::uint64_t i = 0; i < reply.records; ++i) {
    const auto record = window_.get<protocol::DecrementRecord>(command.records, i);
    if (record.container < command.first || record.container >= command.end ||
        record.watched >= result.gc_refs.size()) {
      return nonsense();
    }
    result.decrements.push_back({record.container, record.watched, record.visits});
  }
  return {};
}

void NativeReplayer::take_gc_refs(const Round& round, const protocol::Command& command,
                                  RoundResult& result) const {
  const std::vector<std::uint32_t> beyond_reason = std::move(result.unknown);
  result.unknown.clear();
  auto next_beyond = beyond_reason.begin();
  for (std::size_t i = 0; i < round.objects.size(); ++i) {
    const auto refcount = static_cast<std::int64_t>(round.refcounts[i]);
    const auto refs = window_.get<std::int64_t>(command.counts, i);
    const bool beyond = next_beyond != beyond_reason.end() && *next_beyond == i;
    if (beyond) {
      ++next_beyond;
    }
    if (!beyond && refs <= refcount && refs >= -refcount_limit) {
      result.gc_refs[i] = refs;
      result.visits += static_cast<std::uint64_t>(refcount - refs);
    } else {
      result.gc_refs[i] = refcount;
      result.unknown.push_back(static_cast<std::uint32_t>(i));
    }
  }
}

Result<void> NativeReplayer::clear(const Round& round, const protocol::Command& prototype) {
  const auto objects = window_.put(round.clear_collecting);
  if (!objects) {
    return std::unexpected(objects.error());
  }
  protocol::Command command = prototype;
  command.kind = protocol::Kind::clear;
  command.objects = *objects;
  command.end = round.clear_collecting.size();
  return carry_out(command, nullptr, [](const auto&) { return Result<void>{}; });
}

Result<RoundResult> NativeReplayer::run(const Round& round) {
  if (auto sane = check(round); !sane) {
    return std::unexpected(sane.error());
  }
  if (auto locked = finish_lock(); !locked) {
    return std::unexpected(locked.error());
  }
  RoundResult result;
  reserve_huge(result.gc_refs, round.objects.size());
  result.gc_refs.resize(round.objects.size());
  auto laid_out = lay_out(round, result);
  if (!laid_out) {
    return std::unexpected(laid_out.error());
  }
  protocol::Command command = *laid_out;
  if (auto cleared = clear(round, command); !cleared) {
    return std::unexpected(cleared.error());
  }

  const auto begin = std::chrono::steady_clock::now();
  const auto nothing = [](const protocol::Reply&) { return Result<void>{}; };
  command.kind = protocol::Kind::update;
  if (auto done = carry_out(command, &result.incidents, nothing); !done) {
    return std::unexpected(done.error());
  }

  protocol::Command traverse = command;
  traverse.kind = protocol::Kind::traverse;
  traverse.visitor = visit_decref_;
  traverse.first = std::min(round.first, round.objects.size());
  traverse.end = traverse.first + std::min(round.count, round.objects.size() - traverse.first);
  auto taken = [&](const protocol::Reply& reply) {
    result.traversed += reply.traversed;
    return take_decrements(traverse, reply, result);
  };
  if (auto done = carry_out(traverse, &result.incidents, taken); !done) {
    return std::unexpected(done.error());
  }

  command.kind = protocol::Kind::collect;
  if (auto done = carry_out(command, nullptr, nothing); !done) {
    return std::unexpected(done.error());
  }
  const std::chrono::duration<double> taken_time = std::chrono::steady_clock::now() - begin;
  result.seconds = taken_time.count();

  take_gc_refs(round, command, result);
  std::ranges::stable_sort(result.incidents, {}, &Incident::container);
  return result;
}

Result<std::vector<Visit>> NativeReplayer::visits(std::span<const Address> containers,
                                                  Address function,
                                                  std::vector<Incident>* incidents) {
  if (containers.size() > UINT32_MAX) {
    return fail(ErrorKind::limit, 0, "more than 2^32 containers to visit");
  }
  if (auto locked = finish_lock(); !locked) {
    return std::unexpected(locked.error());
  }
  window_.restart();
  const auto objects = window_.put(containers);
  const auto incident_buffer =
      window_.allocate(incident_capacity, sizeof(protocol::IncidentRecord));
  // All that is left, up to what a list may hold: one container may make very many.
  const std::uint64_t capacity = std::clamp(window_.most(sizeof(protocol::VisitRecord)),
                                            visit_capacity, std::uint64_t{max_visits});
  const auto records = window_.allocate(capacity, sizeof(protocol::VisitRecord));
  for (const auto* offset : {&objects, &incident_buffer, &records}) {
    if (!*offset) {
      return std::unexpected(offset->error());
    }
  }
  protocol::Command command;
  command.kind = protocol::Kind::visits;
  command.end = containers.size();
  command.objects = *objects;
  command.incidents = *incident_buffer;
  command.incident_capacity = incident_capacity;
  command.records = *records;
  command.record_capacity = capacity;
  command.function = function;

  std::vector<Visit> visits;
  auto take = [&](const protocol::Reply& reply) -> Result<void> {
    if (visits.size() + reply.records > max_visits) {
      return fail(ErrorKind::limit, 0,
                  "more than " + std::to_string(max_visits) + " visits to list");
    }
    for (std::uint64_t i = 0; i < reply.records; ++i) {
      const auto record = window_.get<protocol::VisitRecord>(command.records, i);
      if (record.container >= containers.size()) {
        return nonsense();
      }
      visits.push_back({record.container, record.object});
    }
    return {};
  };
  if (auto done = carry_out(command, incidents, take); !done) {
    return std::unexpected(done.error());
  }
  return visits;
}

Result<std::unique_ptr<Replayer>> start_native(const image::AddressSpace& memory,
                                               const Options& options,
                                               const std::function<bool()>& cancelled) {
  for (int attempt = 1;; ++attempt) {
    bool clash = false;
    auto replayer = NativeReplayer::start(memory, options, cancelled, clash);
    if (replayer) {
      return std::unique_ptr<Replayer>(std::move(*replayer));
    }
    if (!clash || attempt == max_attempts) {
      return std::unexpected(replayer.error());
    }
  }
}

} // namespace pygc::replay
