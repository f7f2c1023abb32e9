#include "common/image/elf/disk_cache.h"

#include "common/base/cache_directory.h"
#include "common/base/output_file.h"

#include <filesystem>
#include <fstream>

namespace pygc::image {
namespace {

constexpr std::string_view schema = "pygc.cache/1";
constexpr std::uintmax_t max_file_size = 16U << 20U;

nlohmann::json empty_contents(const std::string& build_id) {
  return {{"schema", schema}, {"build_id", build_id}};
}

std::string file_of(const std::string& build_id) {
  const std::string directory = cache_directory();
  return directory.empty() || build_id.empty() ? std::string()
                                               : directory + "/" + build_id + ".json";
}

nlohmann::json read_contents(const std::string& path, const std::string& build_id) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > max_file_size) {
    return empty_contents(build_id);
  }
  std::ifstream file(path);
  auto contents = nlohmann::json::parse(file, nullptr, false);
  const bool ours = contents.is_object() && contents.contains("schema") &&
                    contents["schema"] == schema && contents.contains("build_id") &&
                    contents["build_id"] == build_id;
  return ours ? contents : empty_contents(build_id);
}

} // namespace

DiskCache::DiskCache(std::string build_id) : build_id_(std::move(build_id)) {}

nlohmann::json& DiskCache::contents() {
  if (!contents_) {
    contents_ = read_contents(file_of(build_id_), build_id_);
  }
  return *contents_;
}

std::optional<nlohmann::json> DiskCache::get(std::string_view section, const std::string& key) {
  const auto& all = contents();
  const auto found = all.find(section);
  if (found == all.end() || !found->is_object()) {
    return std::nullopt;
  }
  const auto value = found->find(key);
  return value == found->end() ? std::nullopt : std::optional(*value);
}

void DiskCache::put(std::string_view section, const std::string& key, nlohmann::json value) {
  auto& part = contents()[std::string(section)];
  if (!part.is_object()) {
    part = nlohmann::json::object();
  }
  part[key] = std::move(value);
  changed_ = true;
}

void DiskCache::flush() {
  const std::string path = file_of(build_id_);
  if (!changed_ || path.empty()) {
    return;
  }
  changed_ = false;
  std::error_code error;
  std::filesystem::create_directories(cache_directory(), error);
  const std::string text =
      contents().dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  // A cache that cannot be written costs time, nothing else.
  if (auto file = OutputFile::open(path, 0600); file && file->write(text)) {
    static_cast<void>(file->commit());
  }
}

} // namespace pygc::image
