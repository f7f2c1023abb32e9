#include "tests/e2e/support/plugin_target.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace pygc::e2e {
namespace {

constexpr int patience = 600; // tenths of a second

void wait_a_moment() {
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
}

} // namespace

std::vector<std::string> with_fake_analysis() {
  return {std::string("PYGC_EXECUTABLE=") + PYGC_FAKE_ANALYSIS};
}

PluginTarget::PluginTarget() : executable(PYGC_FAKE_ANALYSIS) {
  const Outcome outcome =
      run({.words = {executable, "--abort"}, .cwd = directory.path(), .core_unlimited = true});
  for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
    if (entry.path().filename().string().starts_with("core")) {
      core = entry.path();
    }
  }
  if (core.empty()) {
    throw std::runtime_error("no core came of " + executable + ": signal " +
                             std::to_string(outcome.signal) + "\n" + outcome.err);
  }
}

pid_t wait_for_hanging(const std::string& file) {
  for (int i = 0; i < patience; i++) {
    pid_t pid = 0;
    if (std::ifstream(file) >> pid) {
      return pid;
    }
    wait_a_moment();
  }
  throw std::runtime_error("the analysis was never started");
}

bool process_ends(pid_t pid) {
  for (int i = 0; i < patience; i++) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string number;
    std::string name;
    std::string state;
    if (!(file >> number >> name >> state) || state == "Z") {
      return true;
    }
    wait_a_moment();
  }
  return false;
}

} // namespace pygc::e2e
