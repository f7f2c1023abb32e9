// The words of `pygc step`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pygc::commands {

/// Where the process is to go.
enum class Verb : std::uint8_t {
  none, // nowhere: tells where it is
  arm,
  next,
  visit,
  to,
  until_negative,
};

/// Nothing for a word that is no verb.
constexpr std::optional<Verb> verb_named(std::string_view word) {
  constexpr std::array<std::string_view, 6> names = {"",      "arm", "next",
                                                     "visit", "to",  "until-negative"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == word) {
      return static_cast<Verb>(i);
    }
  }
  return std::nullopt;
}

/// How far a command has got that has let the process run in between: a word (--stage) of its own
/// next call.
namespace stage {
inline constexpr const char* leaving = "leaving"; // the end of this subtract_refs, to arm the next
inline constexpr const char* armed = "armed";     // the begin of a subtract_refs
inline constexpr const char* container = "container"; // the container of a decrement to be refused
inline constexpr const char* hop = "hop";             // a stop on the way, by breakpoints
inline constexpr const char* reached = "reached";     // all of it
} // namespace stage

} // namespace pygc::commands
