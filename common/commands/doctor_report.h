// What `pygc doctor` found, as data.
#pragma once

#include "common/commands/context.h"

#include <string>
#include <vector>

namespace pygc::commands {

/// Something that makes results worse, or impossible, and what mends it.
struct Lack {
  std::string what;
  std::string effect;
  std::string remedy; // a command or an option
  bool fatal = false; // pygc check cannot work with this
};

struct Fact {
  std::string name; // "python.version"
  std::string value;
};

struct DoctorReport {
  std::vector<Fact> facts;
  std::vector<Lack> lacks;
};

/// Looks at everything that a check needs, in the order in which it needs it, and goes as far as it
/// can.
DoctorReport examine(Context& context, const Options& options);

} // namespace pygc::commands
