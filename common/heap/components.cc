#include "common/heap/components.h"

#include <algorithm>

namespace pygc::heap {
namespace {

class Tarjan {
public:
  Tarjan(const Graph& graph, const std::vector<bool>& members) : graph_(graph) {
    found_.members = NodeNumbers(members);
    order_.assign(found_.members.count(), 0);
    low_.assign(found_.members.count(), 0);
    found_.of_members.assign(found_.members.count(), no_component);
  }

  Components run() {
    found_.members.each([this](std::uint32_t node) {
      if (order_[number(node)] == 0) {
        visit(node);
      }
    });
    return std::move(found_);
  }

private:
  struct Step {
    std::uint32_t node = 0;
    std::uint32_t number = 0;
    std::uint32_t edge = 0; // of the node's referents: the next one to look at
  };

  std::uint32_t number(std::uint32_t node) const { return found_.members.number(node); }

  void enter(std::uint32_t node, std::uint32_t number) {
    order_[number] = low_[number] = ++last_;
    open_.push_back(number);
    path_.push_back({node, number, 0});
  }

  void visit(std::uint32_t start) {
    enter(start, number(start));
    while (!path_.empty()) {
      Step& step = path_.back();
      const auto referents = graph_.referents(step.node);
      if (step.edge < referents.size()) {
        const std::uint32_t other = referents[step.edge++];
        if (!found_.members.contains(other)) {
          continue;
        }
        const std::uint32_t at = number(other);
        if (order_[at] == 0) {
          enter(other, at); // `step` is gone
        } else if (found_.of_members[at] == no_component) {
          low_[step.number] = std::min(low_[step.number], order_[at]);
        }
        continue;
      }
      const Step done = step;
      path_.pop_back();
      if (!path_.empty()) {
        std::uint32_t& low = low_[path_.back().number];
        low = std::min(low, low_[done.number]);
      }
      if (low_[done.number] == order_[done.number]) {
        close(done);
      }
    }
  }

  void close(const Step& first) {
    const auto component = static_cast<std::uint32_t>(found_.sizes.size());
    std::uint32_t size = 0;
    std::uint32_t member = no_component;
    do {
      member = open_.back();
      open_.pop_back();
      found_.of_members[member] = component;
      ++size;
    } while (member != first.number);
    found_.sizes.push_back(size);
    const auto referents = graph_.referents(first.node);
    found_.cyclic.push_back(size > 1 ||
                            std::ranges::find(referents, first.node) != referents.end());
  }

  const Graph& graph_;
  Components found_;
  // By number of a member:
  std::vector<std::uint32_t> order_; // when it was entered, from 1
  std::vector<std::uint32_t> low_;   // the first open one that it is known to reach
  std::vector<std::uint32_t> open_;  // numbers: entered, in no component yet
  std::vector<Step> path_;
  std::uint32_t last_ = 0;
};

} // namespace

Components strong_components(const Graph& graph, const std::vector<bool>& members) {
  return Tarjan(graph, members).run();
}

} // namespace pygc::heap
