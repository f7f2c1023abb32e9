#include "common/session/options.h"

namespace pygc::session {

std::string_view engine_name(Engine engine) {
  switch (engine) {
  case Engine::native:
    return "native";
  case Engine::emulated:
    return "emulated";
  case Engine::both:
    return "both";
  }
  return "native";
}

image::FileOptions Options::file_options() const {
  image::FileOptions files;
  files.executable = executable;
  files.sysroot = sysroot;
  files.debug_directories = debug_directories;
  files.debuginfod = !no_debuginfod;
  return files;
}

} // namespace pygc::session
