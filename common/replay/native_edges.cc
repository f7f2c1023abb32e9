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

std::unexpected<Error> nonsense() {
  return fail(ErrorKind::replayer, 0, "the replayer's results make no sense");
}

} // namespace

Result<protocol::Command> NativeReplayer::start_edges(std::span<const Address> objects,
                                                      std::span<const Address> clear_collecting) {
  window_.restart();
  const auto addresses = window_.put(objects);
  const auto numbers = window_.fill<std::uint64_t>(objects.size(), [](std::uint64_t i) {
    return i << protocol::edge_index_shift | protocol::edge_count;
  });
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
  command.kind = protocol::Kind::update;
  const auto nothing = [](const protocol::Reply&) { return Result<void>{}; };
  if (auto updated = carry_out(command, nullptr, nothing); !updated) {
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

Result<void> NativeReplayer::edges(std::span<const Address> objects,
                                   std::span<const Address> clear_collecting,
                                   const std::function<Result<void>(std::span<const Edge>)>& take,
                                   std::vector<Incident>* incidents) {
  if (objects.size() > UINT32_MAX) {
    return fail(ErrorKind::limit, 0, "more than 2^32 objects in one collection");
  }
  if (auto locked = finish_lock(); !locked) {
    return locked;
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
  std::vector<Incident> ended;
  while (command.first < objects.size()) {
    const auto reply = ask(command);
    if (!reply) {
      return std::unexpected(reply.error());
    }
    if (reply->next < command.first || reply->next > command.end ||
        reply->incidents > command.incident_capacity || reply->records > command.record_capacity) {
      return nonsense();
    }
    ended.clear();
    if (auto taken = take_incidents(command, *reply, ended); !taken) {
      return taken;
    }
    if (auto taken = take_edges(command, *reply, edges); !taken) {
      return taken;
    }
    if (auto taken = take(edges); !taken) {
      return taken;
    }
    if (reply->next > command.first) {
      command.first = reply->next;
      command.end = objects.size();
      command.record_capacity = edge_capacity;
    } else if (command.record_capacity < most) {
      command.end = command.first + 1; // alone, with all the room there is
      command.record_capacity = most;
    } else {
      ended.push_back({static_cast<std::uint32_t>(command.first), Outcome::timeout, 0, 0, 0, {}});
      ++command.first;
      command.end = objects.size();
      command.record_capacity = edge_capacity;
    }
    if (incidents != nullptr) {
      incidents->insert(incidents->end(), ended.begin(), ended.end());
    }
  }
  command.kind = protocol::Kind::collect;
  command.first = 0;
  command.end = objects.size();
  auto collected =
      carry_out(command, nullptr, [](const protocol::Reply&) { return Result<void>{}; });
  window_.release();
  return collected;
}

} // namespace pygc::replay
