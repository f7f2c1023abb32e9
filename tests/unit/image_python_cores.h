// Cores of real interpreters, taken by the tests themselves.
#pragma once

#include "tests/unit/image_builder.h"

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace pygc::image::testing {

/// The two imports that make a debug interpreter abort in the middle of a collection.
inline constexpr const char* abort_in_collection =
    "import faulthandler,sys; faulthandler.enable(); del sys.modules['faulthandler']; "
    "import faulthandler as f2; import gc; gc.collect()";

inline void redirect_output(const char* path) {
  const int output = ::open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (output >= 0) {
    ::dup2(output, 1);
    ::dup2(output, 2);
  }
}

inline bool kernel_writes_core_files() {
  std::ifstream file("/proc/sys/kernel/core_pattern");
  std::string pattern;
  return std::getline(file, pattern) && !pattern.starts_with('|') && !pattern.contains('/');
}

/// Starts an interpreter in `directory`; its output goes to a file there.
inline pid_t start_python(const char* python, const std::string& code, const std::string& directory,
                          const char* coredump_filter) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_CORE, &unlimited);
    std::ofstream("/proc/self/coredump_filter") << coredump_filter;
    redirect_output((directory + "/output").c_str());
    if (::chdir(directory.c_str()) == 0) {
      ::execl(python, python, "-c", code.c_str(), nullptr);
    }
    ::_exit(127);
  }
  return pid;
}

/// The core that the kernel writes when the code kills its interpreter; empty when there is none.
inline std::string kernel_core(const char* python, const std::string& code,
                               const std::string& directory, const char* coredump_filter = "0x33") {
  const pid_t pid = start_python(python, code, directory, coredump_filter);
  int status = 0;
  ::waitpid(pid, &status, 0);
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with("core")) {
      return entry.path().string();
    }
  }
  return {};
}

/// A core taken by gcore of an interpreter that runs the code and then waits.
inline std::string gcore_core(const char* python, const std::string& code,
                              const std::string& directory) {
  const std::string ready = directory + "/ready";
  const pid_t pid = start_python(
      python, code + "\nimport time\nopen('" + ready + "', 'w').close()\ntime.sleep(100)\n",
      directory, "0x33");
  for (int i = 0; i < 1000 && !std::filesystem::exists(ready); ++i) {
    ::usleep(10'000);
  }
  const std::string prefix = directory + "/core";
  const pid_t taker = ::fork();
  if (taker == 0) {
    redirect_output("/dev/null");
    ::execlp("gcore", "gcore", "-o", prefix.c_str(), std::to_string(pid).c_str(), nullptr);
    ::_exit(127);
  }
  ::waitpid(taker, nullptr, 0);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  const std::string path = prefix + "." + std::to_string(pid);
  return std::filesystem::exists(path) ? path : std::string();
}

/// What GDB makes of each expression by the debug information of an interpreter, where it can.
inline std::vector<std::optional<std::int64_t>>
evaluate_in_gdb(const char* python, const std::vector<std::string>& expressions) {
  std::string command = "gdb -nx -batch -iex 'set debuginfod enabled off'";
  for (const std::string& each : expressions) {
    command += " -ex 'output/d (long)(" + each + ")' -ex 'echo \\n'";
  }
  command += std::string(" ") + python + " 2>/dev/null";
  std::vector<std::optional<std::int64_t>> values;
  const std::unique_ptr<FILE, int (*)(FILE*)> output(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 256> line{};
  while (output && std::fgets(line.data(), line.size(), output.get()) != nullptr) {
    values.push_back(line[0] == '\n' ? std::nullopt
                                     : std::optional<std::int64_t>(std::atoll(line.data())));
  }
  values.resize(expressions.size());
  return values;
}

} // namespace pygc::image::testing
