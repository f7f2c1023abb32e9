// The native engine's stream of edges: each object holds its own index while its round lasts, so
// that no visit needs a look-up.
#include "common/replay/native_replayer.h"

#include <algorithm>
#include <unistd.h>

namespace pygc::replay {
namespace {

constexpr std::uint64_t incident_capacity = 4096;
// What one exchange carries as a rule, and what a container with more visits than that may have.
constexpr std::uint64_t edge_capacity = std::uint64_t{1} << 18;
constexpr std::uint64_t max_edge_capacity = std::uint64_t{1} << 28;
// Objects whose heads are written, or read, in one exchange.
constexpr std::uint64_t numbers_at_a_time = std::uint64_t{1} << 16;

/// What the head of the object at that index holds while edges are streamed.
constexpr std::uint64_t number_of(std::uint64_t index) {
  return index << protocol::edge_index_shift | protocol::edge_count;
}

std::unexpected<Error> nonsense() {
  return fail(ErrorKind::replayer, 0, "the replayer's results make no sense");
}

} // namespace

Result<void> NativeReplayer::for_numbers(
    const protocol::Command& edges, protocol::Kind kind,
    const std::function<Result<void>(std::uint64_t, const protocol::Command&)>& each) {
  protocol::Command command = edges;
  command.kind = kind;
  command.first = 0;
  for (std::uint64_t first = 0; first < edges.object_count; first += numbers_at_a_time) {
    command.objects = edges.objects + first * sizeof(Address);
    command.end = std::min(numbers_at_a_time, edges.object_count - first);
    if (auto done = each(first, command); !done) {
      return done;
    }
  }
  return {};
}

Result<protocol::Command> NativeReplayer::start_edges(std::span<const Address> objects,
                                                      std::span<const Address> clear_collecting) {
  window_.restart();
  const auto addresses = window_.put(objects);
  const auto numbers = window_.allocate(numbers_at_a_time, sizeof(std::uint64_t));
  const auto incidents = window_.allocate(incident_capacity, sizeof(protocol::IncidentRecord));
  for (const auto* offset : {&addresses, &numbers, &incidents}) {
    if (!*offset) {
      return std::unexpected(offset->error());
    }
  }
  protocol::Command command;
  command.end = objects.size();
  command.object_count = objects.size();
  command.objects = *addresses;
  command.counts = *numbers;
  command.incidents = *incidents;
  command.incident_capacity = incident_capacity;
  const Round leftovers{.objects = {}, .refcounts = {}, .clear_collecting = clear_collecting};
  if (auto cleared = clear(leftovers, command); !cleared) {
    return std::unexpected(cleared.error());
  }
  auto updated =
      for_numbers(command, protocol::Kind::update, [&](std::uint64_t first, const auto& piece) {
        for (std::uint64_t i = 0; i < piece.end; ++i) {
          window_.set(piece.counts, i, number_of(first + i));
        }
        return carry_out(piece, nullptr, [](const protocol::Reply&) { return Result<void>{}; });
      });
  if (!updated) {
    return std::unexpected(updated.error());
  }
  const auto records = window_.allocate(edge_capacity, sizeof(protocol::EdgeRecord));
  if (!records) {
    return std::unexpected(records.error());
  }
  command.kind = protocol::Kind::edges;
  command.records = *records;
  command.record_capacity = edge_capacity;
  command.visitor = visit_decref_;
  return command;
}

Result<void> NativeReplayer::take_edges(const protocol::Command& command,
                                        const protocol::Reply& reply,
                                        std::vector<Edge>& edges) const {
  edges.clear();
  std::uint64_t last = command.first;
  for (std::uint64_t i = 0; i < reply.records; ++i) {
    const auto record = window_.get<protocol::EdgeRecord>(command.records, i);
    if (record.container < last || record.container >= command.end ||
        record.object >= command.object_count) {
      return nonsense();
    }
    last = record.container;
    edges.push_back({record.container, record.object});
  }
  return {};
}

Result<EdgesResult>
NativeReplayer::edges(std::span<const Address> objects, std::span<const Address> clear_collecting,
                      const std::function<Result<void>(std::span<const Edge>)>& take) {
  if (objects.size() > UINT32_MAX) {
    return fail(ErrorKind::limit, 0, "more than 2^32 objects in one collection");
  }
  if (auto locked = finish_lock(); !locked) {
    return std::unexpected(locked.error());
  }
  auto started = start_edges(objects, clear_collecting);
  if (!started) {
    return std::unexpected(started.error());
  }
  protocol::Command command = *started;
  // Behind the records lies the rest of the window: room for a container with many visits.
  const std::uint64_t most =
      std::min(max_edge_capacity, edge_capacity + (window_.room() / sizeof(protocol::EdgeRecord)));
  std::vector<Edge> edges;
  EdgesResult result;
  while (command.first < objects.size()) {
    const auto reply = ask(command);
    if (!reply) {
      return std::unexpected(reply.error());
    }
    if (reply->next < command.first || reply->next > command.end ||
        reply->incidents > command.incident_capacity || reply->records > command.record_capacity ||
        reply->traversed > command.end - command.first) {
      return nonsense();
    }
    if (auto taken = take_incidents(command, *reply, result.incidents); !taken) {
      return std::unexpected(taken.error());
    }
    if (auto taken = take_edges(command, *reply, edges); !taken) {
      return std::unexpected(taken.error());
    }
    if (auto taken = take(edges); !taken) {
      return std::unexpected(taken.error());
    }
    result.traversed += reply->traversed;
    if (reply->next > command.first) {
      command.first = reply->next;
      command.end = objects.size();
      command.record_capacity = edge_capacity;
    } else if (command.record_capacity < most) {
      command.end = command.first + 1; // alone, with all the room there is
      command.record_capacity = most;
    } else {
      result.incidents.push_back(
          {static_cast<std::uint32_t>(command.first), Outcome::timeout, 0, 0, 0, {}});
      ++command.first;
      command.end = objects.size();
      command.record_capacity = edge_capacity;
    }
  }
  auto collected =
      for_numbers(*started, protocol::Kind::collect, [&](std::uint64_t first, const auto& piece) {
        auto done =
            carry_out(piece, nullptr, [](const protocol::Reply&) { return Result<void>{}; });
        for (std::uint64_t i = 0; done && i < piece.end; ++i) {
          if (window_.get<std::uint64_t>(piece.counts, i) != number_of(first + i)) {
            result.unknown.push_back(static_cast<std::uint32_t>(first + i));
          }
        }
        return done;
      });
  window_.release();
  if (!collected) {
    return std::unexpected(collected.error());
  }
  return result;
}

} // namespace pygc::replay
