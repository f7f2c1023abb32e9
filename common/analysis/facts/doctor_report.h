// What `pygc doctor` found, as data.
#pragma once

#include <string>
#include <vector>

namespace pygc::analysis {

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

} // namespace pygc::analysis
