#include "common/cpython/objects/int_value.h"

#include <algorithm>
#include <cstdlib>

namespace pygc::cpython {
namespace {

constexpr std::int64_t tag_bits = 3;  // of lv_tag: sign and flags
constexpr std::int64_t sign_mask = 3; // of them: 0 positive, 1 zero, 2 negative
constexpr std::int64_t zero_sign = 1;
constexpr std::int64_t negative_sign = 2;
constexpr unsigned digit_bits = 30;
constexpr std::int64_t digit_limit = 3; // more do not fit
constexpr unsigned last_digit_bits = 3; // of the third: more do not fit
constexpr std::int64_t count_limit = std::int64_t{1} << 40;

} // namespace

std::optional<bool> ints_have_tags(ObjectReader& reader) {
  const Address zero = reader.exported("_Py_FalseStruct");
  const auto size =
      zero == 0 ? fail(ErrorKind::no_symbol, 0, "no False")
                : reader.memory().load<std::int64_t>(zero + reader.runtime().layout.ob_size);
  return size ? std::optional(*size != 0) : std::nullopt;
}

std::optional<std::uint64_t> digit_count(ObjectReader& reader, Address object) {
  const std::optional<bool> tags = ints_have_tags(reader);
  const auto stored = reader.memory().load<std::int64_t>(object + reader.runtime().layout.ob_size);
  if (!tags || !stored || *stored < -count_limit || *stored > count_limit) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*tags ? std::max<std::int64_t>(*stored >> tag_bits, 1)
                                          : std::abs(*stored));
}

std::optional<std::int64_t> int_value(ObjectReader& reader, Address object) {
  const auto type = reader.type_address(object);
  const std::optional<bool> tags = ints_have_tags(reader);
  if (!type || !tags || !reader.type(*type).has_flag(long_subclass)) {
    return std::nullopt;
  }
  const Address size_at = object + reader.runtime().layout.ob_size;
  const auto stored = reader.memory().load<std::int64_t>(size_at);
  if (!stored || (!*tags && (*stored < -digit_limit || *stored > digit_limit))) {
    return std::nullopt;
  }
  const bool negative = *tags ? (*stored & sign_mask) == negative_sign : *stored < 0;
  const bool zero = *tags && (*stored & sign_mask) == zero_sign;
  const std::int64_t digits = zero ? 0 : *tags ? *stored >> tag_bits : std::abs(*stored);
  if (digits < 0 || digits > digit_limit) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  for (std::int64_t i = 0; i < digits; ++i) {
    const auto digit = reader.memory().load<std::uint32_t>(
        size_at + sizeof(std::int64_t) + static_cast<Address>(i) * sizeof(std::uint32_t));
    const unsigned bits = i + 1 == digit_limit ? last_digit_bits : digit_bits;
    if (!digit || *digit >> bits != 0) {
      return std::nullopt;
    }
    value |= static_cast<std::int64_t>(*digit) << (digit_bits * static_cast<unsigned>(i));
  }
  return negative ? -value : value;
}

} // namespace pygc::cpython
