#include "common/target/progress.h"

#include <fmt/format.h>

namespace pygc::target {

std::optional<std::string> Progress::due(Clock::time_point now) {
  if (now < next_) {
    return std::nullopt;
  }
  next_ = now + interval;
  const std::chrono::duration<double> passed = now - start_;
  return fmt::format("pygc: {} ({:.0f} s)", what_, passed.count());
}

} // namespace pygc::target
