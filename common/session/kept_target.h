// What one command has opened, for the next one: in an analysis that a debugger's plugin keeps, as
// long as the target stands still.
#pragma once

#include "common/session/opened_target.h"
#include "common/session/options.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pygc::session {

class KeptTarget {
public:
  /// What was kept under the key, while no file behind it has changed and it would be opened with
  /// the same executable; else null, and it is gone.
  std::shared_ptr<OpenedTarget> find(const std::string& key, const image::FileOptions& files);
  /// Without a key it is for the one command alone. Nor is a target kept whose missing files a
  /// server may come to have.
  void opened(const std::optional<std::string>& key, const std::shared_ptr<OpenedTarget>& target,
              const image::FileOptions& files);

  bool holds() const { return target_ != nullptr; }
  /// Targets opened so far.
  std::uint64_t count() const { return count_; }

private:
  /// A file, there or not, and its identity when the target was opened.
  struct Place {
    std::string path;
    std::string identity;
  };
  static std::vector<Place> places_of(const OpenedTarget& target, const image::FileOptions& files);
  bool has_executable(const image::FileOptions& files) const;

  std::string key_;
  std::shared_ptr<OpenedTarget> target_;
  std::vector<Place> places_;
  std::string executable_; // that it was opened with
  std::uint64_t count_ = 0;
};

/// All that decides what is opened: where the target stands (`stop_id`) or which core is named, and
/// the options about its files. Nothing when two openings may differ all the same. `files` is as
/// the target is opened with; its executable counts as far as the options name it.
std::optional<std::string> key_of(const Options& options, const image::FileOptions& files,
                                  const std::string& stop_id);

} // namespace pygc::session
