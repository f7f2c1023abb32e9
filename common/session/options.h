// What the user says about the target and how it is to be examined.
#pragma once

#include "common/image/module.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::session {

/// Which replayer runs the target's code.
enum class Engine : std::uint8_t { native, emulated, both };
std::string_view engine_name(Engine engine);

struct Options {
  std::string core;
  std::optional<std::int64_t> pid;
  std::string executable;
  std::string sysroot;
  std::vector<std::string> debug_directories;
  bool no_debuginfod = false;
  std::optional<std::size_t> runtime; // which CPython of the target, as `pygc runtime` lists them
  Engine engine = Engine::native;
  bool json = false;
  std::optional<bool> progress;
  std::string output;

  image::FileOptions file_options() const;
};

} // namespace pygc::session
