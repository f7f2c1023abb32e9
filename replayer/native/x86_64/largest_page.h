// What the largest pages of x86-64 are, but for huge ones, which nobody has to know of.
#pragma once

#include <cstddef>

namespace pygc::replayer::machine {

/// For alignments that the linker has to know; page.h of common/machine has the size that is in
/// use.
inline constexpr std::size_t largest_page_size = 4096;

} // namespace pygc::replayer::machine
