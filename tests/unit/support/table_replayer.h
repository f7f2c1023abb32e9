// A replayer that runs nothing: it looks up in a table what each container visits.
#pragma once

#include "common/replay/emulated.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace pygc::tests {

/// By container; containers and objects are indices into the objects of the collection.
using Visits = std::vector<std::vector<std::uint32_t>>;

/// An object that every container visits; its memory is not to be had (heap_builder.h).
inline constexpr Address uncollected = 0x40'0098;

class TableReplayer final : public replay::Tracer {
public:
  /// Visits of `borrowed` references do not count.
  TableReplayer(std::vector<Address> objects, Visits visits, Visits borrowed = {})
      : objects_(std::move(objects)), visits_(std::move(visits)), borrowed_(std::move(borrowed)) {
    visits_.resize(objects_.size());
    borrowed_.resize(objects_.size());
  }

  /// From which slot the nth visit of a container comes; else it is not known.
  void set_slot(std::uint32_t container, std::size_t nth, Address slot) {
    slots_[{container, nth}] = slot;
  }
  /// `container` is an index; its traversal does not complete.
  void add_incident(const replay::Incident& incident) { incidents_.push_back(incident); }
  /// `container` is an index; tracing sees it and goes on.
  void add_traced_incident(const replay::Incident& incident) { traced_.push_back(incident); }

  /// A visit that does not count, of an object that is not collected.
  void visit_further(std::uint32_t container, Address object) {
    further_.emplace_back(container, object);
  }

  /// What the container visits after its tp_clear; else nothing.
  void leave(std::uint32_t container, std::vector<std::uint32_t> visited) {
    left_[container] = std::move(visited);
  }

  /// Tracing fails.
  void fail_tracing(Error error) { trace_error_ = std::move(error); }

  /// How often all visits were asked for.
  std::size_t graphs() const { return graphs_; }

  Result<replay::RoundResult> run(const replay::Round& round) override {
    replay::RoundResult result;
    result.gc_refs.assign(round.refcounts.begin(), round.refcounts.end());
    const std::size_t end = round.first + std::min(round.count, visits_.size() - round.first);
    for (std::size_t container = round.first; container < end; ++container) {
      std::map<std::uint32_t, std::uint32_t> seen;
      for (const std::uint32_t visited : visits_[container]) {
        --result.gc_refs[visited];
        ++seen[visited];
        ++result.visits;
      }
      for (const std::uint32_t watched : round.watched) {
        if (seen.contains(watched)) {
          result.decrements.push_back(
              {static_cast<std::uint32_t>(container), watched, seen.at(watched)});
        }
      }
      ++result.traversed;
    }
    for (const replay::Incident& incident : incidents_) {
      if (incident.container >= round.first && incident.container < end) {
        result.incidents.push_back(incident);
        --result.traversed;
      }
    }
    return result;
  }

  Result<std::vector<replay::Visit>> visits(std::span<const Address> containers, Address,
                                            std::vector<replay::Incident>*) override {
    std::vector<replay::Visit> all;
    for (std::uint32_t i = 0; i < containers.size(); ++i) {
      const std::size_t container = index_of(containers[i]);
      for (const auto* table : {&visits_, &borrowed_}) {
        for (const std::uint32_t visited : (*table)[container]) {
          all.push_back({i, objects_[visited]});
        }
        all.push_back({i, uncollected});
      }
      for (const auto& [from, object] : further_) {
        if (from == container) {
          all.push_back({i, object});
        }
      }
    }
    return all;
  }

  Result<replay::EdgesResult>
  edges(std::span<const Address> containers, std::span<const Address>,
        const std::function<Result<void>(std::span<const replay::Edge>)>& take) override {
    ++graphs_;
    for (std::uint32_t i = 0; i < containers.size(); ++i) {
      for (const std::uint32_t visited : visits_[index_of(containers[i])]) {
        const replay::Edge edge{i, visited};
        if (auto taken = take(std::span(&edge, 1)); !taken) {
          return std::unexpected(taken.error());
        }
      }
    }
    return replay::EdgesResult{
        .traversed = containers.size() - incidents_.size(), .unknown = {}, .incidents = incidents_};
  }

  using Tracer::trace;
  Result<replay::Trace> trace(std::span<const replay::TraceRequest> requests,
                              std::span<const Address>) override {
    if (trace_error_) {
      return std::unexpected(*trace_error_);
    }
    replay::Trace trace;
    for (std::uint32_t i = 0; i < requests.size(); ++i) {
      const auto container = static_cast<std::uint32_t>(index_of(requests[i].container));
      std::set<Address> seen;
      for (std::size_t nth = 0; nth < visits_[container].size(); ++nth) {
        const auto slot = slots_.find({container, nth});
        const Address from = slot == slots_.end() ? 0 : slot->second;
        trace.visits.push_back({.request = replay::RequestIndex(i),
                                .object = objects_[visits_[container][nth]],
                                .slot = {from},
                                .repeated = !seen.insert(from).second,
                                .counted = true});
      }
      tell_traced(container, i, trace);
    }
    return trace;
  }

  Result<replay::Trace> trace_cleared(std::span<const replay::TraceRequest> requests,
                                      const replay::AttachedThread& /*thread*/) override {
    if (trace_error_) {
      return std::unexpected(*trace_error_);
    }
    replay::Trace trace;
    for (std::uint32_t i = 0; i < requests.size(); ++i) {
      const auto container = static_cast<std::uint32_t>(index_of(requests[i].container));
      for (const std::uint32_t visited : left_[container]) {
        trace.visits.push_back({.request = replay::RequestIndex(i),
                                .object = objects_[visited],
                                .slot = {requests[i].container + 16},
                                .counted = true});
      }
      tell_traced(container, i, trace);
    }
    return trace;
  }

  std::uint64_t failed_regions() const override { return 0; }

private:
  /// What tracing the container comes upon, as of that request.
  void tell_traced(std::uint32_t container, std::uint32_t request, replay::Trace& trace) const {
    for (replay::Incident incident : traced_) {
      if (incident.container == container) {
        incident.container = request;
        trace.incidents.push_back(incident);
      }
    }
  }

  std::size_t index_of(Address object) const {
    return static_cast<std::size_t>(std::ranges::find(objects_, object) - objects_.begin());
  }

  std::vector<Address> objects_;
  Visits visits_;
  Visits borrowed_;
  std::map<std::pair<std::uint32_t, std::size_t>, Address> slots_;
  std::vector<std::pair<std::uint32_t, Address>> further_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> left_; // after tp_clear
  std::vector<replay::Incident> incidents_;
  std::vector<replay::Incident> traced_;
  std::optional<Error> trace_error_;
  std::size_t graphs_ = 0;
};

} // namespace pygc::tests
