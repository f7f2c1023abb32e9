// When and how to tell people who wait what a command is doing.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace pygc::target {

class Progress {
public:
  using Clock = std::chrono::steady_clock;

  explicit Progress(Clock::time_point start) : start_(start), next_(start + patience) {}

  void set(std::string_view what) { what_ = what; }
  /// Each time it is asked by the clock's `now`: a line when one is due. Nothing for a command that
  /// ends within a second.
  std::optional<std::string> due(Clock::time_point now);

private:
  static constexpr std::chrono::seconds patience{1};
  static constexpr std::chrono::milliseconds interval{250};

  Clock::time_point start_;
  Clock::time_point next_;
  std::string what_ = "starting";
};

} // namespace pygc::target
