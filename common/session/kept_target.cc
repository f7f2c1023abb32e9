#include "common/session/kept_target.h"

#include "common/base/file_identity.h"
#include "common/image/elf/image_file.h"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace pygc::session {
namespace {

/// What servers lack now they may have later, and no file tells.
bool servers_may_have_more(const OpenedTarget& target, const image::FileOptions& files) {
  const char* urls = std::getenv("DEBUGINFOD_URLS");
  return files.debuginfod && urls != nullptr && *urls != '\0' &&
         std::ranges::any_of(target.image().modules(), [](const auto& module) {
           return module->file_state() != image::FileState::found;
         });
}

} // namespace

// A debugger does not always tell its executable. It is the same when it is the file that the
// target names.
bool KeptTarget::has_executable(const image::FileOptions& files) const {
  if (files.executable == executable_) {
    return true;
  }
  const auto& modules = target_->image().modules();
  if (!files.sysroot.empty() || modules.empty()) {
    return false;
  }
  const auto identity = [&](const std::string& executable) {
    return file_identity(executable.empty() ? modules.front()->path() : executable);
  };
  const std::string now = identity(files.executable);
  return !now.empty() && now == identity(executable_);
}

std::shared_ptr<OpenedTarget> KeptTarget::find(const std::string& key,
                                               const image::FileOptions& files) {
  const bool same = target_ != nullptr && key_ == key && has_executable(files) &&
                    std::ranges::all_of(places_, [](const Place& place) {
                      return file_identity(place.path) == place.identity;
                    });
  if (!same) { // before another is opened: not twice the memory
    target_.reset();
    places_.clear();
  }
  return target_;
}

void KeptTarget::opened(const std::optional<std::string>& key,
                        const std::shared_ptr<OpenedTarget>& target,
                        const image::FileOptions& files) {
  ++count_;
  if (!key || servers_may_have_more(*target, files)) {
    return;
  }
  key_ = *key;
  target_ = target;
  places_ = places_of(*target, files);
  executable_ = files.executable;
}

// The files of the images, and wherever such a file or its debug file would have been taken from.
std::vector<KeptTarget::Place> KeptTarget::places_of(const OpenedTarget& target,
                                                     const image::FileOptions& files) {
  std::set<std::string> paths = {files.executable};
  for (const auto& module : target.image().modules()) {
    const std::string path(image::without_deleted(module->path()));
    paths.insert({module->file_path(), path, files.sysroot + path});
    if (module->build_id().empty()) {
      continue;
    }
    for (const std::string& directory : image::debug_directories(files)) {
      for (const char* suffix : {"", ".debug"}) {
        paths.insert(image::build_id_path(directory, module->build_id(), suffix));
      }
    }
  }
  std::vector<Place> places;
  places.reserve(paths.size());
  for (const std::string& path : paths) {
    places.push_back({.path = path, .identity = file_identity(path)});
  }
  return places;
}

std::optional<std::string> key_of(const Options& options, const image::FileOptions& files,
                                  const std::string& stop_id) {
  if (stop_id.empty() || options.pid || options.core == "-") {
    return std::nullopt;
  }
  std::vector<std::string> parts = {stop_id, options.core, options.executable, files.sysroot};
  if (!options.core.empty()) {
    parts.push_back(file_identity(options.core));
    if (parts.back().empty()) {
      return std::nullopt;
    }
  }
  parts.insert(parts.end(), files.debug_directories.begin(), files.debug_directories.end());
  parts.emplace_back(files.debuginfod ? "debuginfod" : "");
  parts.push_back(options.runtime ? std::to_string(*options.runtime) : "");
  parts.emplace_back(engine_name(options.engine));
  std::string key;
  for (const std::string& part : parts) { // no two lists of parts give one key
    key += std::to_string(part.size()) + ":" + part;
  }
  return key;
}

} // namespace pygc::session
