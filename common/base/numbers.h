// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace pygc {

/// 1339465 -> "1,339,465".
std::string grouped(std::uint64_t number);

} // namespace pygc
