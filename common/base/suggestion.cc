#include "common/base/suggestion.h"

#include <algorithm>

namespace pygc {
namespace {

// Optimal string alignment: a swap of two neighbours is one mistake.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); i++) {
    for (std::size_t j = 0; j <= b.size(); j++) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                             cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

constexpr std::size_t longest_word = 40; // a known one is shorter

} // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::size_t start = word.find_first_not_of('-');
  if (word.size() > longest_word || start == std::string_view::npos || start + 1 == word.size()) {
    return {};
  }
  std::string best;
  std::size_t least = word.size() / 3 + 1;
  for (const std::string& candidate : candidates) {
    // What was only begun is meant, however much is left out.
    const std::size_t differs = candidate.starts_with(word) ? 1 : distance(word, candidate);
    if (differs < least || (differs == least && best.empty())) {
      least = differs;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string meant = nearest(word, candidates);
  return meant.empty() ? "" : "; did you mean '" + meant + "'?";
}

} // namespace pygc
