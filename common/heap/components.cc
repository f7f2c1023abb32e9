#include "common/heap/components.h"

#include <algorithm>

namespace pygc::heap {
namespace {

class Tarjan {
public:
  Tarjan(const Graph& graph, const std::vector<bool>& members)
      : graph_(graph), members_(members), order_(graph.node_count(), 0),
        low_(graph.node_count(), 0) {
    found_.of.assign(graph.node_count(), no_component);
  }

  Components run() {
    for (std::uint32_t node = 0; node < graph_.node_count(); ++node) {
      if (members_[node] && order_[node] == 0) {
        visit(node);
      }
    }
    return std::move(found_);
  }

private:
  struct Step {
    std::uint32_t node = 0;
    std::uint32_t edge = 0; // of the node's referents: the next one to look at
  };

  void enter(std::uint32_t node) {
    order_[node] = low_[node] = ++last_;
    open_.push_back(node);
    path_.push_back({node, 0});
  }

  void visit(std::uint32_t start) {
    enter(start);
    while (!path_.empty()) {
      Step& step = path_.back();
      const auto referents = graph_.referents(step.node);
      if (step.edge < referents.size()) {
        const std::uint32_t other = referents[step.edge++];
        if (!members_[other]) {
          continue;
        }
        if (order_[other] == 0) {
          enter(other); // `step` is gone
        } else if (found_.of[other] == no_component) {
          low_[step.node] = std::min(low_[step.node], order_[other]);
        }
        continue;
      }
      const std::uint32_t node = step.node;
      path_.pop_back();
      if (!path_.empty()) {
        low_[path_.back().node] = std::min(low_[path_.back().node], low_[node]);
      }
      if (low_[node] == order_[node]) {
        close(node);
      }
    }
  }

  void close(std::uint32_t first) {
    const auto component = static_cast<std::uint32_t>(found_.sizes.size());
    std::uint32_t size = 0;
    std::uint32_t node = no_component;
    do {
      node = open_.back();
      open_.pop_back();
      found_.of[node] = component;
      ++size;
    } while (node != first);
    found_.sizes.push_back(size);
    const auto referents = graph_.referents(first);
    found_.cyclic.push_back(size > 1 || std::ranges::find(referents, first) != referents.end());
  }

  const Graph& graph_;
  const std::vector<bool>& members_;
  Components found_;
  std::vector<std::uint32_t> order_; // by node: when it was entered, from 1
  std::vector<std::uint32_t> low_;   // by node: the first open node that it is known to reach
  std::vector<std::uint32_t> open_;  // entered, in no component yet
  std::vector<Step> path_;
  std::uint32_t last_ = 0;
};

} // namespace

Components strong_components(const Graph& graph, const std::vector<bool>& members) {
  return Tarjan(graph, members).run();
}

} // namespace pygc::heap
