// Writing to a descriptor, whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pygc {

/// Goes on after signals and partial writes. 0, or errno.
int write_all(int fd, std::span<const std::byte> bytes);
int write_all(int fd, std::string_view text);
/// At that place of a file.
int write_all_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset);

} // namespace pygc
