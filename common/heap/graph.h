// Who visits whom, as a graph: the objects of one collection are its nodes, each visit that counts
// is an edge. An object that a container visits twice has two edges from it.
#pragma once

#include "common/base/error.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <span>
#include <vector>

namespace pygc::heap {

/// Compressed sparse rows: 8 bytes an object and 4 an edge, and 4 more an edge once it was asked
/// who visits an object. Not for several threads.
class Graph {
public:
  /// Built piece by piece; the edges come in the order of their containers.
  class Builder {
  public:
    /// `nodes` below 2^32.
    explicit Builder(std::size_t nodes, std::size_t expected_edges = 0);
    /// Errors: limit (2^32 edges), internal (out of order, or no node).
    Result<void> add(std::span<const replay::Edge> edges);
    Graph finish(replay::EdgesResult replayed = {}) &&;

  private:
    std::vector<std::uint32_t> first_; // by container: its first edge; grows with the edges
    std::vector<std::uint32_t> objects_;
    std::size_t nodes_;
  };

  /// Runs each object's traverse function. `clear_collecting` as for replay::Round;
  /// `expected_edges`: room is made for as many at once. What did not complete is in replayed().
  /// Errors: replayer, cancelled, limit.
  static Result<Graph> build(replay::Replayer& replayer, std::span<const Address> objects,
                             std::span<const Address> clear_collecting,
                             std::size_t expected_edges = 0);

  std::size_t node_count() const { return referents_.first.size() - 1; }
  std::size_t edge_count() const { return referents_.others.size(); }
  /// What `node` visits, in the order of its visits.
  std::span<const std::uint32_t> referents(std::uint32_t node) const { return referents_.of(node); }
  /// How many visits of `node` there are.
  std::uint32_t visits_of(std::uint32_t node) const {
    return referrers_.first[node + 1] - referrers_.first[node];
  }
  /// Who visits `node`, ascending.
  std::span<const std::uint32_t> referrers(std::uint32_t node) const {
    if (referrers_.others.size() != edge_count()) {
      find_referrers();
    }
    return referrers_.of(node);
  }
  /// Of containers whose traversals did not complete edges are missing.
  const replay::EdgesResult& replayed() const { return replayed_; }

private:
  struct Rows {
    std::vector<std::uint32_t> first; // node_count + 1
    std::vector<std::uint32_t> others;
    std::span<const std::uint32_t> of(std::uint32_t node) const {
      return std::span(others).subspan(first[node], first[node + 1] - first[node]);
    }
  };

  Graph(Rows referents, replay::EdgesResult replayed);
  void find_referrers() const;

  Rows referents_;
  mutable Rows referrers_; // the others are found when they are asked for
  replay::EdgesResult replayed_;
};

} // namespace pygc::heap
