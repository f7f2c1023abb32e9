// Where pygc's own parts lie: beside the executable, as built and as installed.
#pragma once

#include <string>

namespace pygc::cli {

/// PREFIX/libexec/pygc, or PYGC_LIBEXEC_DIR from the environment.
std::string replayer_directory();
/// PREFIX/share/pygc, or PYGC_SHARE_DIR from the environment.
std::string share_directory();

} // namespace pygc::cli
