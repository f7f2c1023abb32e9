// The lines of a function's instructions: Objects/locations.md (3.11 and later),
// Objects/lnotab_notes.txt (before).
#pragma once

#include "common/cpython/objects/object_reader.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace pygc::cpython {

/// Of the bytes of co_linetable, 3.11 and later; `instruction` in code units. Nothing for an
/// instruction that has no line, or beyond the table.
std::optional<std::int64_t> line_in(std::span<const std::uint8_t> table, std::int64_t first_line,
                                    std::uint64_t instruction);

/// The same of co_linetable as 3.10 has it: pairs of bytes and lines.
std::optional<std::int64_t> line_in_ranges(std::span<const std::uint8_t> table,
                                           std::int64_t first_line, std::uint64_t instruction);

/// The same of co_lnotab (to 3.9; PyCode_Addr2Line, Objects/codeobject.c), where every instruction
/// has a line.
std::int64_t line_in_lnotab(std::span<const std::uint8_t> table, std::int64_t first_line,
                            std::uint64_t instruction);

/// Of a code object, by the table that it has; `instruction` in code units. Nothing where the
/// layout knows none.
std::optional<std::int64_t> line_of(const ObjectReader& reader, Address code,
                                    std::uint64_t instruction);

} // namespace pygc::cpython
