#include "common/heap/graph.h"

#include "common/base/huge_pages.h"

#include <algorithm>
#include <limits>

namespace pygc::heap {
namespace {

constexpr std::size_t edge_limit = std::numeric_limits<std::uint32_t>::max();

} // namespace

Graph::Builder::Builder(std::size_t nodes, std::size_t expected_edges) : nodes_(nodes) {
  reserve_huge(first_, nodes + 1);
  reserve_huge(objects_, std::min(expected_edges, edge_limit));
}

Result<void> Graph::Builder::add(std::span<const replay::Edge> edges) {
  if (edges.size() > edge_limit - objects_.size()) {
    return fail(ErrorKind::limit, 0,
                "the objects make more than 2^32 visits: more than the graph can hold");
  }
  for (const replay::Edge& edge : edges) {
    if (edge.container >= nodes_ || edge.object >= nodes_ || edge.container + 1 < first_.size()) {
      return fail(ErrorKind::internal, 0, "an edge of the graph out of its order");
    }
    first_.resize(std::size_t{edge.container} + 1, static_cast<std::uint32_t>(objects_.size()));
    objects_.push_back(edge.object);
  }
  return {};
}

Graph Graph::Builder::finish() && {
  first_.resize(nodes_ + 1, static_cast<std::uint32_t>(objects_.size()));
  return Graph(Rows{std::move(first_), std::move(objects_)});
}

Graph::Graph(Rows referents) : referents_(std::move(referents)) {
  const std::size_t nodes = node_count();
  auto& first = referrers_.first;
  reserve_huge(first, nodes + 1);
  reserve_huge(referrers_.others, edge_count());
  first.assign(nodes + 1, 0);
  for (const std::uint32_t object : referents_.others) {
    ++first[object];
  }
  // Each row's end, which filling from behind turns into its begin.
  std::uint32_t sum = 0;
  for (std::uint32_t& count : first) {
    count = sum += count;
  }
  referrers_.others.resize(edge_count());
  for (std::size_t node = nodes; node-- > 0;) {
    for (const std::uint32_t object : this->referents(static_cast<std::uint32_t>(node))) {
      referrers_.others[--first[object]] = static_cast<std::uint32_t>(node);
    }
  }
}

Result<Graph> Graph::build(replay::Replayer& replayer, std::span<const Address> objects,
                           std::span<const Address> clear_collecting, std::size_t expected_edges) {
  Builder builder(objects.size(), expected_edges);
  std::vector<replay::Incident> incidents;
  auto streamed = replayer.edges(
      objects, clear_collecting,
      [&builder](std::span<const replay::Edge> edges) { return builder.add(edges); }, &incidents);
  if (!streamed) {
    return std::unexpected(streamed.error());
  }
  Graph graph = std::move(builder).finish();
  graph.incidents_ = std::move(incidents);
  return graph;
}

} // namespace pygc::heap
