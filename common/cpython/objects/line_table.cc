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

std::optional<std::int64_t> line_of(const ObjectReader& reader, Address table,
                                    std::int64_t first_line, std::uint64_t instruction) {
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
  return line_in({reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()}, first_line,
                 instruction);
}

} // namespace pygc::cpython
