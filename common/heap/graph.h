// Who visits whom, as a graph: the objects of one collection are its nodes, each visit that counts
// is an edge. An object that a container visits twice has two edges from it.
#pragma once

#include "common/base/error.h"
#include "common/replay/replay.h"

#include <cstdint>
#include <span>
#include <vector>

namespace pygc::heap {

/// Compressed sparse rows, both ways: 4 bytes an object and 4 an edge each way.
class Graph {
public:
  /// Built piece by piece; the edges come in the order of their containers.
  class Builder {
  public:
    /// `nodes` below 2^32.
    explicit Builder(std::size_t nodes, std::size_t expected_edges = 0);
    /// Errors: limit (2^32 edges), internal (out of order, or no node).
    Result<void> add(std::span<const replay::Edge> edges);
    Graph finish() &&;

  private:
    std::vector<std::uint32_t> first_; // by container: its first edge; grows with the edges
    std::vector<std::uint32_t> objects_;
    std::size_t nodes_;
  };

  /// Runs each object's traverse function. `clear_collecting` as for replay::Round;
  /// `expected_edges`: what a round before has counted, for which room is made at once. What did
  /// not complete is in incidents(). Errors: replayer, cancelled, limit.
  static Result<Graph> build(replay::Replayer& replayer, std::span<const Address> objects,
                             std::span<const Address> clear_collecting,
                             std::size_t expected_edges = 0);

  std::size_t node_count() const { return referents_.first.size() - 1; }
  std::size_t edge_count() const { return referents_.others.size(); }
  /// What `node` visits, in the order of its visits.
  std::span<const std::uint32_t> referents(std::uint32_t node) const { return referents_.of(node); }
  /// Who visits `node`, ascending.
  std::span<const std::uint32_t> referrers(std::uint32_t node) const { return referrers_.of(node); }
  /// Traversals that did not complete: of their containers edges are missing.
  const std::vector<replay::Incident>& incidents() const { return incidents_; }

private:
  struct Rows {
    std::vector<std::uint32_t> first; // node_count + 1
    std::vector<std::uint32_t> others;
    std::span<const std::uint32_t> of(std::uint32_t node) const {
      return std::span(others).subspan(first[node], first[node + 1] - first[node]);
    }
  };

  explicit Graph(Rows referents);

  Rows referents_;
  Rows referrers_;
  std::vector<replay::Incident> incidents_;
};

} // namespace pygc::heap
