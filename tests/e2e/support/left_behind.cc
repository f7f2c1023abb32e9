#include "tests/e2e/support/left_behind.h"

#include <filesystem>

namespace pygc::e2e {
namespace {

void list_files(const std::filesystem::path& directory, std::vector<std::string>& to) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_directory()) {
      to.push_back(entry.path().string());
    }
  }
}

} // namespace

TracedOutcome run_pygc_traced(const std::vector<std::string>& words,
                              const std::vector<std::string>& env) {
  const TempDir temporary;
  const TempDir working;
  const TempDir cache;
  Command command{.words = {PYGC_BINARY}, .env = env, .cwd = working.path().string()};
  command.words.insert(command.words.end(), words.begin(), words.end());
  command.env.push_back("TMPDIR=" + temporary.path().string());
  command.env.push_back("PYGC_CACHE_DIR=" + cache.path().string());
  TracedOutcome traced;
  traced.outcome = run(command);
  list_files(temporary.path(), traced.files);
  list_files(working.path(), traced.files);
  std::vector<std::string> cached;
  list_files(cache.path(), cached);
  for (const std::string& file : cached) {
    if (!file.ends_with(".json") || std::filesystem::is_empty(file)) {
      traced.files.push_back(file);
    }
  }
  return traced;
}

} // namespace pygc::e2e
