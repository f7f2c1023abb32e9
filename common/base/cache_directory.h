// Where pygc keeps what is worth keeping between commands.
#pragma once

#include <string>

namespace pygc {

/// $PYGC_CACHE_DIR, else $XDG_CACHE_HOME/pygc, else ~/.cache/pygc; empty when there is no home.
std::string cache_directory();

} // namespace pygc
