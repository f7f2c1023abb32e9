#include "common/heap/graph.h"

#include "common/base/huge_pages.h"

#include <algorithm>
#include <limits>
#include <numeric>

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

Graph Graph::Builder::finish(replay::EdgesResult replayed) && {
  first_.resize(nodes_ + 1, static_cast<std::uint32_t>(objects_.size()));
  return {Rows{std::move(first_), std::move(objects_)}, std::move(replayed)};
}

Graph::Graph(Rows referents, replay::EdgesResult replayed)
    : referents_(std::move(referents)), replayed_(std::move(replayed)) {
  auto& first = referrers_.first;
  reserve_huge(first, node_count() + 1);
  first.assign(node_count() + 1, 0);
  for (const std::uint32_t object : referents_.others) {
    ++first[object + 1];
  }
  std::partial_sum(first.begin(), first.end(), first.begin());
}

void Graph::find_referrers() const {
  auto& first = referrers_.first;
  auto& others = referrers_.others;
  reserve_huge(others, edge_count());
  others.resize(edge_count());
  // Filling a row from behind turns its end, which is the next one's begin, into its own begin.
  for (auto node = static_cast<std::uint32_t>(node_count()); node-- > 0;) {
    for (const std::uint32_t object : this->referents(node)) {
      others[--first[object + 1]] = node;
    }
  }
  std::shift_left(first.begin(), first.end(), 1);
  first.back() = static_cast<std::uint32_t>(edge_count());
}

Result<Graph> Graph::build(replay::Replayer& replayer, std::span<const Address> objects,
                           std::span<const Address> clear_collecting, std::size_t expected_edges) {
  Builder builder(objects.size(), expected_edges);
  auto streamed =
      replayer.edges(objects, clear_collecting, [&builder](std::span<const replay::Edge> edges) {
        return builder.add(edges);
      });
  if (!streamed) {
    return std::unexpected(streamed.error());
  }
  return std::move(builder).finish(std::move(*streamed));
}

} // namespace pygc::heap
