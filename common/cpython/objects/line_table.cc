#include "common/cpython/objects/line_table.h"

namespace pygc::cpython {
namespace {

constexpr std::uint64_t table_limit = std::uint64_t{16} << 20; // bytes of one table

// Kinds of entries (enum _PyCodeLocationInfoKind, Include/cpython/code.h).
constexpr unsigned last_short = 9;
constexpr unsigned first_one_line = 10;
constexpr unsigned last_one_line = 12;
constexpr unsigned no_columns = 13;
constexpr unsigned long_form = 14;

constexpr std::int8_t no_line = -128;  // of 3.10
constexpr std::uint64_t code_unit = 2; // bytes, in which the tables to 3.10 count

class Entries {
public:
  explicit Entries(std::span<const std::uint8_t> table) : table_(table) {}

  bool at_end() const { return at_ >= table_.size(); }
  unsigned byte() { return at_end() ? 0U : table_[at_++]; }
  void skip(std::size_t bytes) { at_ += bytes; }

  /// Six bits a byte, the lowest first; the seventh says that more follow.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 60 && !at_end(); shift += 6) {
      const unsigned next = byte();
      value |= std::uint64_t{next & 63U} << shift;
      if ((next & 64U) == 0) {
        break;
      }
    }
    return value;
  }
  std::int64_t signed_varint() {
    const std::uint64_t value = varint();
    const auto size = static_cast<std::int64_t>(value >> 1U);
    return (value & 1U) != 0 ? -size : size;
  }

private:
  std::span<const std::uint8_t> table_;
  std::size_t at_ = 0;
};

std::optional<std::span<const std::uint8_t>> bytes_of(const ObjectReader& reader, Address table) {
  // PyBytesObject (Include/cpython/bytesobject.h): ob_size, ob_shash, then the bytes.
  const Address size_at = table + reader.runtime().layout.ob_size;
  const auto size = reader.memory().load<std::uint64_t>(size_at);
  if (!size || *size > table_limit) {
    return std::nullopt;
  }
  const auto bytes = reader.memory().view(size_at + 2 * sizeof(std::uint64_t), *size);
  if (!bytes) {
    return std::nullopt;
  }
  return std::span(reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size());
}

} // namespace

std::optional<std::int64_t> line_in(std::span<const std::uint8_t> table, std::int64_t first_line,
                                    std::uint64_t instruction) {
  Entries entries(table);
  std::int64_t line = first_line;
  std::uint64_t end = 0;
  while (!entries.at_end()) {
    const unsigned head = entries.byte();
    const unsigned kind = head >> 3U & 15U;
    end += (head & 7U) + 1;
    bool has_line = true;
    if (kind <= last_short) {
      entries.skip(1);
    } else if (kind <= last_one_line) {
      line += kind - first_one_line;
      entries.skip(2);
    } else if (kind == no_columns) {
      line += entries.signed_varint();
    } else if (kind == long_form) {
      line += entries.signed_varint();
      for (int i = 0; i < 3; ++i) { // the end line and both columns
        entries.varint();
      }
    } else {
      has_line = false;
    }
    if (instruction < end) {
      return has_line ? std::optional(line) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> line_in_ranges(std::span<const std::uint8_t> table,
                                           std::int64_t first_line, std::uint64_t instruction) {
  std::int64_t line = first_line;
  std::uint64_t end = 0;
  for (std::size_t at = 0; at + 1 < table.size(); at += 2) {
    const auto lines = static_cast<std::int8_t>(table[at + 1]);
    end += table[at];
    line += lines == no_line ? 0 : lines;
    if (instruction * code_unit < end) {
      return lines == no_line ? std::nullopt : std::optional(line);
    }
  }
  return std::nullopt;
}

std::int64_t line_in_lnotab(std::span<const std::uint8_t> table, std::int64_t first_line,
                            std::uint64_t instruction) {
  std::int64_t line = first_line;
  std::uint64_t begin = 0;
  for (std::size_t at = 0; at + 1 < table.size(); at += 2) {
    begin += table[at];
    if (begin > instruction * code_unit) {
      break;
    }
    line += static_cast<std::int8_t>(table[at + 1]);
  }
  return line;
}

std::optional<std::int64_t> line_of(const ObjectReader& reader, Address code,
                                    std::uint64_t instruction) {
  const Layout& layout = reader.runtime().layout;
  const auto field = layout.co_linetable ? layout.co_linetable : layout.co_lnotab;
  if (!field || !layout.co_firstlineno) {
    return std::nullopt;
  }
  const auto first = reader.memory().load<std::int32_t>(code + *layout.co_firstlineno);
  const auto table = reader.memory().load<Address>(code + *field);
  const auto bytes = first && table ? bytes_of(reader, *table) : std::nullopt;
  if (!bytes) {
    return std::nullopt;
  }
  if (!layout.co_linetable) {
    return line_in_lnotab(*bytes, *first, instruction);
  }
  return layout.co_code_adaptive ? line_in(*bytes, *first, instruction)
                                 : line_in_ranges(*bytes, *first, instruction);
}

} // namespace pygc::cpython
