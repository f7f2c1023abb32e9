// What the kernel tells of a process.
#pragma once

#include <fstream>
#include <string>
#include <sys/types.h>

namespace pygc::tests {

/// The value of a field of /proc/PID/status, empty where there is none.
inline std::string status_field(pid_t pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) {
      const std::size_t value = line.find_first_not_of(" \t", name.size() + 1);
      return value == std::string::npos ? std::string() : line.substr(value);
    }
  }
  return {};
}

} // namespace pygc::tests
