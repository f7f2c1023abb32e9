// The two views of the version of pygc.
#pragma once

#include <string>

namespace pygc::report {

/// One document of schema pygc.version/1.
std::string version_json();

std::string version_text();

} // namespace pygc::report
