#include "common/cpython/objects/value_text.h"

#include "common/cpython/objects/int_value.h"
#include "common/cpython/objects/str_data.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr std::size_t text_limit = 60;  // characters of a str, bytes of bytes
constexpr unsigned bytes_subclass = 27; // Py_TPFLAGS_BYTES_SUBCLASS, a bit of tp_flags

/// repr(), but that it takes single quotes always, and only escapes what ASCII cannot print.
void append_escaped(std::string& to, unsigned char c, bool of_bytes) {
  if (c == '\\' || c == '\'') {
    to += '\\';
    to += static_cast<char>(c);
  } else if (c == '\n') {
    to += "\\n";
  } else if (c < 0x20 || c == 0x7f || (of_bytes && c >= 0x80)) {
    to += fmt::format("\\x{:02x}", c);
  } else {
    to += static_cast<char>(c);
  }
}

std::string quoted(std::string_view text, bool of_bytes, bool whole) {
  std::string result = of_bytes ? "b'" : "'";
  for (const char c : text) {
    append_escaped(result, static_cast<unsigned char>(c), of_bytes);
  }
  return result + (whole ? "'" : "'...");
}

std::string str_text(const ObjectReader& reader, Address str) {
  const auto chars = str_data(reader.memory(), reader.runtime().layout, str);
  const auto text =
      chars ? reader.text(str, text_limit) : Result<std::string>(std::unexpected(chars.error()));
  return text ? quoted(*text, false, chars->count <= text_limit) : "";
}

/// PyBytesObject (Include/cpython/bytesobject.h): ob_shash lies between ob_size and the bytes.
std::string bytes_text(const ObjectReader& reader, Address bytes) {
  const Address size_at = bytes + reader.runtime().layout.ob_size;
  const auto size = reader.memory().load<std::int64_t>(size_at);
  if (!size || *size < 0) {
    return {};
  }
  const std::size_t count = std::min(static_cast<std::size_t>(*size), text_limit);
  std::vector<std::byte> raw(count);
  if (!reader.memory().read(size_at + 2 * sizeof(std::int64_t), raw)) {
    return {};
  }
  std::string text;
  for (const std::byte each : raw) {
    text += static_cast<char>(each);
  }
  return quoted(text, true, static_cast<std::size_t>(*size) == count);
}

std::string float_text(const ObjectReader& reader, Address number) {
  const auto value =
      reader.memory().load<double>(number + reader.runtime().layout.ob_size); // behind PyObject
  return value ? fmt::format("{}", *value) : "";
}

} // namespace

std::string value_text(ObjectReader& reader, Address object, Address type) {
  const TypeInfo& info = reader.type(type);
  if (info.has_flag(type_flag::unicode_subclass)) {
    return str_text(reader, object);
  }
  if (info.has_flag(bytes_subclass)) {
    return bytes_text(reader, object);
  }
  if (info.has_flag(long_subclass)) {
    const std::optional<std::int64_t> value = int_value(reader, object);
    if (!value) {
      return {};
    }
    return reader.is_instance(type, "PyBool_Type") ? (*value != 0 ? "True" : "False")
                                                   : fmt::format("{}", *value);
  }
  return reader.is_instance(type, "PyFloat_Type") ? float_text(reader, object) : "";
}

} // namespace pygc::cpython
