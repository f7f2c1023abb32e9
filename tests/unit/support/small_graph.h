// A graph that a test writes down.
#pragma once

#include "common/heap/graph.h"

#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace pygc::tests {

inline heap::Graph graph_of(std::size_t nodes, const std::vector<replay::Edge>& edges) {
  heap::Graph::Builder builder(nodes);
  EXPECT_TRUE(builder.add(edges));
  return std::move(builder).finish();
}

} // namespace pygc::tests
