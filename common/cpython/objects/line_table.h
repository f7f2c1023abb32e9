// The lines of a function's instructions (Objects/locations.md, 3.11 and later).
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace pygc::cpython {

/// Of a table's bytes. Nothing for an instruction that has no line, or beyond the table.
std::optional<std::int64_t> line_in(std::span<const std::uint8_t> table, std::int64_t first_line,
                                    std::uint64_t instruction);

/// Of the bytes object co_linetable; `instruction` in code units.
std::optional<std::int64_t> line_of(const ObjectReader& reader, Address table,
                                    std::int64_t first_line, std::uint64_t instruction);

} // namespace pygc::cpython
