// Which CPython a target runs.
#pragma once

#include "common/base/error.h"
#include "common/image/module.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace pygc::cpython {

struct Version {
  std::uint32_t hexversion = 0; // as sys.hexversion
  bool debug = false;           // Py_DEBUG
  bool free_threaded = false;   // Py_GIL_DISABLED

  unsigned major() const { return hexversion >> 24; }
  unsigned minor() const { return (hexversion >> 16) & 0xff; }
  unsigned micro() const { return (hexversion >> 8) & 0xff; }
  /// "3.11.2", "3.15.0b2".
  std::string text() const;
};

/// Parses "3.11.2", "3.15.0b2+" and the like. 0 when it is none.
std::uint32_t parse_version(std::string_view text);

/// The oldest and newest series that pygc handles, as one word for messages: "3.8 to 3.15".
std::string_view supported_versions();
bool is_supported(const Version& version);

/// Finds the version of the CPython in `module`: `Py_Version` (3.11+, Python/getversion.c), else
/// the text that Py_GetVersion() keeps in static storage. Errors: unsupported when none is found.
Result<Version> read_version(const image::ProcessImage& image, const image::Module& module,
                             Address runtime);

} // namespace pygc::cpython
