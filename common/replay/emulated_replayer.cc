#include "common/replay/emulated_replayer.h"

#include <algorithm>
#include <string>
#include <unistd.h>
#include <unordered_map>

namespace pygc::replay {
namespace {

constexpr std::uint64_t incident_capacity = 4096;
// The largest container must fit: its visits cannot be told in two answers.
constexpr std::uint64_t max_record_capacity = std::uint64_t{1} << 26;
// So many at a time when all visits are asked for: what one trace lists is limited.
constexpr std::size_t containers_per_trace = std::size_t{1} << 16;

} // namespace

EmulatedReplayer::EmulatedReplayer(std::unique_ptr<NativeReplayer> process)
    : process_(std::move(process)) {}

Result<protocol::Command> EmulatedReplayer::lay_out(std::span<const TraceRequest> requests,
                                                    std::span<const Address> watched) {
  std::vector<std::uint64_t> containers;
  std::vector<std::uint64_t> functions;
  containers.reserve(requests.size());
  functions.reserve(requests.size());
  for (const auto& request : requests) {
    containers.push_back(request.container);
    functions.push_back(request.function);
  }
  SharedWindow& window = process_->window_;
  window.restart();
  const auto objects = window.put(std::span<const std::uint64_t>(containers));
  const auto counts = window.put(std::span<const std::uint64_t>(functions));
  const auto functions_watched = window.put(watched);
  const auto incidents = window.allocate(incident_capacity, sizeof(protocol::IncidentRecord));
  const std::uint64_t capacity =
      std::min(window.room() / sizeof(protocol::TraceRecord) / 2, max_record_capacity);
  const auto records = window.allocate(capacity, sizeof(protocol::TraceRecord));
  for (const auto* offset : {&objects, &counts, &functions_watched, &incidents, &records}) {
    if (!*offset) {
      return std::unexpected(offset->error());
    }
  }
  protocol::Command command;
  command.end = requests.size();
  command.objects = *objects;
  command.counts = *counts;
  command.watched = *functions_watched;
  command.watched_count = static_cast<std::uint32_t>(watched.size());
  command.incidents = *incidents;
  command.incident_capacity = incident_capacity;
  command.records = *records;
  command.record_capacity = capacity;
  command.visitor = process_->visit_decref_;
  return command;
}

Result<void> EmulatedReplayer::take(const protocol::Command& command, const protocol::Reply& reply,
                                    Trace& trace, std::size_t requests) const {
  if (trace.visits.size() + reply.records > max_visits) {
    return fail(ErrorKind::limit, 0, "more than " + std::to_string(max_visits) + " visits to list");
  }
  trace.visits.reserve(trace.visits.size() + reply.records);
  for (std::uint64_t i = 0; i < reply.records; ++i) {
    const auto record = process_->window_.get<protocol::TraceRecord>(command.records, i);
    if (record.request >= requests) {
      return fail(ErrorKind::replayer, 0, "the replayer's results make no sense");
    }
    if (record.other != 0) {
      trace.others.push_back({RequestIndex(record.request), record.object, {record.slot}});
    } else {
      trace.visits.push_back({RequestIndex(record.request),
                              record.object,
                              {record.slot},
                              record.repeated != 0,
                              record.counted != 0});
    }
  }
  trace.instructions += reply.instructions;
  return {};
}

Result<Trace> EmulatedReplayer::trace(std::span<const TraceRequest> requests,
                                      std::span<const Address> watched) {
  return carry_out(protocol::Kind::trace, requests, watched, {});
}

Result<Trace> EmulatedReplayer::trace_cleared(std::span<const TraceRequest> requests,
                                              const AttachedThread& thread) {
  return carry_out(protocol::Kind::trace_cleared, requests, {}, thread);
}

Result<Trace> EmulatedReplayer::carry_out(protocol::Kind kind,
                                          std::span<const TraceRequest> requests,
                                          std::span<const Address> watched,
                                          const AttachedThread& thread) {
  if (requests.size() > UINT32_MAX) {
    return fail(ErrorKind::limit, 0, "more than 2^32 containers to trace");
  }
  static_assert(max_watched_functions <= protocol::max_watched_functions);
  if (watched.size() > max_watched_functions) {
    return fail(ErrorKind::limit, 0, "more functions to watch than one trace may");
  }
  if (auto locked = process_->finish_lock(); !locked) {
    return std::unexpected(locked.error());
  }
  auto command = lay_out(requests, watched);
  if (!command) {
    return std::unexpected(command.error());
  }
  command->kind = kind;
  command->answers[0] = {thread.thread_state.function, thread.thread_state.value};
  command->answers[1] = {thread.interpreter.function, thread.interpreter.value};
  Trace trace;
  auto done = process_->carry_out(*command, &trace.incidents, [&](const protocol::Reply& reply) {
    return take(*command, reply, trace, requests.size());
  });
  if (!done) {
    return std::unexpected(done.error());
  }
  return trace;
}

Result<EdgesResult>
EmulatedReplayer::edges(std::span<const Address> objects,
                        std::span<const Address> /*clear_collecting: a trace marks its own*/,
                        const std::function<Result<void>(std::span<const Edge>)>& take) {
  if (objects.size() > UINT32_MAX) {
    return fail(ErrorKind::limit, 0, "more than 2^32 objects in one collection");
  }
  std::unordered_map<Address, std::uint32_t> index;
  index.reserve(objects.size());
  for (std::size_t i = 0; i < objects.size(); ++i) {
    index.emplace(objects[i], static_cast<std::uint32_t>(i));
  }
  EdgesResult result;
  result.traversed = objects.size();
  std::vector<Edge> edges;
  for (std::size_t first = 0; first < objects.size(); first += containers_per_trace) {
    const auto part =
        objects.subspan(first, std::min(containers_per_trace, objects.size() - first));
    std::vector<TraceRequest> requests;
    for (const Address object : part) {
      requests.push_back({.container = object});
    }
    const auto traced = trace(requests, {});
    if (!traced) {
      return std::unexpected(traced.error());
    }
    edges.clear();
    for (const TracedVisit& visit : traced->visits) {
      const auto found = visit.counted ? index.find(visit.object) : index.end();
      if (found != index.end()) {
        edges.push_back({static_cast<std::uint32_t>(first) + visit.request, found->second});
      }
    }
    for (Incident incident : traced->incidents) {
      if (ends_traversal(incident.outcome)) {
        incident.container += static_cast<std::uint32_t>(first);
        result.incidents.push_back(incident);
        --result.traversed;
      }
    }
    if (auto taken = take(edges); !taken) {
      return std::unexpected(taken.error());
    }
  }
  return result;
}

std::shared_ptr<ReplayerProcess> start_early(const std::string& replayer_path,
                                             const std::function<bool()>& cancelled) {
  auto process = ::access(replayer_path.c_str(), X_OK) == 0
                     ? ReplayerProcess::start(replayer_path, cancelled)
                     : fail(ErrorKind::replayer, 0, "the emulated engine is missing");
  return process ? std::make_shared<ReplayerProcess>(std::move(*process)) : nullptr;
}

Result<std::unique_ptr<Tracer>> start_emulated(const image::AddressSpace& memory,
                                               const Options& options,
                                               const std::function<bool()>& cancelled,
                                               std::shared_ptr<ReplayerProcess> early) {
  if (::access(options.replayer_path.c_str(), F_OK) != 0) {
    return fail(ErrorKind::replayer, 0,
                "the emulated engine is missing (" + options.replayer_path +
                    "); install pygc with it (built with Unicorn 2, libunicorn2)");
  }
  if (::access(options.replayer_path.c_str(), X_OK) != 0) {
    return fail(ErrorKind::replayer, 0,
                "the emulated engine is not executable (" + options.replayer_path +
                    "); reinstall pygc");
  }
  bool clash = false;
  auto process = NativeReplayer::start(memory, options, cancelled, clash, early.get());
  if (!process) {
    return std::unexpected(process.error());
  }
  return std::make_unique<EmulatedReplayer>(std::move(*process));
}

} // namespace pygc::replay
