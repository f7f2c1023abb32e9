// "did you mean": the known word that a mistyped one is nearest to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pygc {

/// The first of the candidates with the fewest letters left out, added, changed or swapped; empty
/// when all differ in more than a third of the word and one letter more, and for a word of one
/// letter.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "; did you mean 'check'?", or nothing when no candidate is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

} // namespace pygc
