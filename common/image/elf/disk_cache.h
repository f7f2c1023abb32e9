// What was read from the debug information of one build, kept between commands in the user's cache
// directory, so that the next command need not open it at all.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace pygc::image {

class DiskCache {
public:
  /// For one build; without a build-id nothing is kept.
  explicit DiskCache(std::string build_id);
  DiskCache(const DiskCache&) = delete;
  DiskCache& operator=(const DiskCache&) = delete;
  ~DiskCache() { flush(); }

  /// What was put under a section and key; nothing when it was never asked. null: it was asked, and
  /// there is nothing.
  std::optional<nlohmann::json> get(std::string_view section, const std::string& key);
  void put(std::string_view section, const std::string& key, nlohmann::json value);
  /// Writes what is new. Failures are silent: the cache is a convenience.
  void flush();

private:
  nlohmann::json& contents();

  std::string build_id_;
  std::optional<nlohmann::json> contents_;
  bool changed_ = false;
};

} // namespace pygc::image
