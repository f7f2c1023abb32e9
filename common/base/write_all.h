// Writing to a descriptor, whole.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace pygc {

/// Goes on after signals and partial writes. 0, or errno.
int write_all(int fd, std::span<const std::byte> bytes);
int write_all(int fd, std::string_view text);

} // namespace pygc
