#include "common/analysis/step/subtract_route.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace pygc::analysis {
namespace {

/// What a stop in between costs, in stops that are let pass: pygc looks at the process anew.
constexpr std::uint64_t hop_cost = 300;
/// After so many stops the user is told how far the process has got.
constexpr std::uint64_t most_passes = 5000;
constexpr int most_hops = 4; // planned ahead

struct Leg {
  std::uint32_t to = 0;
  bool by_call = false;
  std::uint64_t stops = 0;
};

class Planner {
public:
  explicit Planner(const RouteRequest& request) : request_(request) {
    // How many containers up to each one have its function.
    std::unordered_map<Address, std::uint64_t> counts;
    rank_.resize(request_.to + std::size_t{1});
    for (std::uint32_t i = request_.next_entry; i <= request_.to && i < known(); ++i) {
      rank_[i] = ++counts[request_.functions[i]];
    }
  }

  /// The first leg of the best way to `to`, and in `total` what all of it costs.
  Leg plan(std::uint32_t to, bool before, std::uint64_t& total, int depth) const {
    Leg first = direct(to, before);
    total = first.stops;
    if (depth == most_hops || total <= hop_cost) {
      return first;
    }
    std::uint32_t best = to;
    std::uint64_t best_cost = total;
    std::uint64_t same = 0; // containers behind the candidate that have the function of `to`
    for (std::uint32_t at = to; at-- > request_.next_entry;) {
      const std::uint64_t calls = to - at;
      const bool by_entry = !before && enters(to);
      const std::uint64_t rest = by_entry ? std::min(calls, same + 1) : calls;
      if (rest + hop_cost >= best_cost) {
        if (!by_entry) {
          break; // further away it only grows
        }
      } else if (enters(at) && rank_[at] + rest + hop_cost < best_cost) {
        best = at;
        best_cost = rank_[at] + rest + hop_cost;
      }
      same += std::uint64_t{by_entry && request_.functions[at] == request_.functions[to]};
    }
    if (best == to) {
      return first;
    }
    std::uint64_t to_best = 0;
    first = plan(best, false, to_best, depth + 1);
    total = to_best + best_cost - rank_[best];
    return first;
  }

private:
  std::size_t known() const { return request_.functions.size(); }
  bool enters(std::uint32_t container) const {
    return container >= request_.next_entry && container < known() &&
           request_.functions[container] != 0;
  }
  Leg direct(std::uint32_t to, bool before) const {
    const std::uint64_t calls = std::uint64_t{to} - request_.next_call + 1;
    if (!before && enters(to) && rank_[to] <= calls) {
      return {to, false, rank_[to]};
    }
    return {to, true, calls};
  }

  const RouteRequest& request_;
  std::vector<std::uint64_t> rank_;
};

} // namespace

Hop next_hop(const RouteRequest& request) {
  std::uint64_t total = 0;
  const Leg leg = Planner(request).plan(request.to, request.before, total, 0);
  Hop hop{.function = leg.by_call ? 0 : request.functions[leg.to],
          .passes = leg.stops - 1,
          .container = leg.to,
          .left = total,
          .last = leg.to == request.to};
  if (leg.stops <= most_passes) {
    return hop;
  }
  hop.passes = most_passes - 1;
  hop.last = false;
  if (leg.by_call) {
    hop.container = request.next_call + static_cast<std::uint32_t>(hop.passes);
    return hop;
  }
  std::uint64_t seen = 0;
  for (std::uint32_t i = request.next_entry; i < leg.to; ++i) {
    seen += std::uint64_t{request.functions[i] == hop.function};
    if (seen == most_passes) {
      hop.container = i;
      break;
    }
  }
  return hop;
}

} // namespace pygc::analysis
