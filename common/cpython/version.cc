#include "common/cpython/version.h"

#include "common/cpython/debug_offsets.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr unsigned oldest_minor = 8;
constexpr unsigned newest_minor = 15;
constexpr std::size_t version_text_limit = 64;
constexpr std::size_t scan_limit = std::size_t{16} << 20; // bytes of static storage looked at

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes a decimal number of at most 255 off the front; -1 when there is none.
int take_number(std::string_view& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value > 255) {
    return -1;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return static_cast<int>(value);
}

/// "3.11.2 (main, ...": what Py_GetVersion() formats at start-up and never frees.
std::uint32_t version_in_static_storage(const image::AddressSpace& memory,
                                        const image::Module& module) {
  std::size_t budget = scan_limit;
  for (const image::Range& range : module.static_storage()) {
    const image::Region* region = memory.find(range.start);
    for (Address at = range.start; region != nullptr && at < range.end;
         at = region->end, region = memory.find(at)) {
      const std::size_t size = std::min({region->end - at, range.end - at, Address{budget}});
      budget -= size;
      const auto bytes = memory.view(at, size);
      if (!bytes) {
        continue;
      }
      const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
      for (std::size_t i = text.find("3."); i != std::string_view::npos;
           i = text.find("3.", i + 1)) {
        if ((i > 0 && text[i - 1] != '\0') || i + 2 >= text.size() || !is_digit(text[i + 2])) {
          continue;
        }
        const std::string_view candidate = text.substr(i, version_text_limit);
        const std::size_t blank = candidate.find(" (");
        if (blank == std::string_view::npos) {
          continue;
        }
        if (const std::uint32_t hex = parse_version(candidate.substr(0, blank)); hex != 0) {
          return hex;
        }
      }
    }
  }
  return 0;
}

} // namespace

std::string Version::text() const {
  std::string text = fmt::format("{}.{}.{}", major(), minor(), micro());
  const unsigned serial = hexversion & 0xf;
  switch ((hexversion >> 4) & 0xf) {
  case 0xa:
    return text + fmt::format("a{}", serial);
  case 0xb:
    return text + fmt::format("b{}", serial);
  case 0xc:
    return text + fmt::format("rc{}", serial);
  default:
    return text;
  }
}

std::uint32_t parse_version(std::string_view text) {
  const int major = take_number(text);
  if (major < 0 || text.empty() || text[0] != '.') {
    return 0;
  }
  text.remove_prefix(1);
  const int minor = take_number(text);
  if (minor < 0 || text.empty() || text[0] != '.') {
    return 0;
  }
  text.remove_prefix(1);
  const int micro = take_number(text);
  if (micro < 0) {
    return 0;
  }
  unsigned level = 0xf;
  int serial = 0;
  for (const auto& [mark, value] :
       {std::pair<std::string_view, unsigned>{"rc", 0xc}, {"a", 0xa}, {"b", 0xb}}) {
    if (text.starts_with(mark)) {
      text.remove_prefix(mark.size());
      level = value;
      serial = std::max(take_number(text), 0) & 0xf;
    }
  }
  if (!text.empty() && text != "+") {
    return 0;
  }
  return static_cast<std::uint32_t>(major) << 24 | static_cast<std::uint32_t>(minor) << 16 |
         static_cast<std::uint32_t>(micro) << 8 | level << 4 | static_cast<std::uint32_t>(serial);
}

std::string_view supported_versions() {
  return "3.8 to 3.15";
}

bool is_supported(const Version& version) {
  return version.major() == 3 && version.minor() >= oldest_minor && version.minor() <= newest_minor;
}

Result<Version> read_version(const image::ProcessImage& image, const image::Module& module,
                             Address runtime) {
  Version version;
  const image::AddressSpace& memory = image.memory();
  if (const auto offsets = read_debug_offsets(memory, runtime)) {
    version.hexversion = offsets->hexversion;
    version.free_threaded = offsets->free_threaded;
  } else if (const auto symbol = module.find_symbol("Py_Version")) {
    if (const auto value = memory.load<std::uint64_t>(symbol->address)) {
      version.hexversion = static_cast<std::uint32_t>(*value);
    }
  }
  if (version.hexversion == 0) {
    version.hexversion = version_in_static_storage(memory, module);
  }
  // Exported by every build with Py_REF_DEBUG, which Py_DEBUG implies (Objects/object.c).
  version.debug = module.find_symbol("_Py_NegativeRefcount").has_value();
  if (version.hexversion == 0) {
    return fail(
        ErrorKind::unsupported, runtime,
        fmt::format("{} has a _PyRuntime, but its Python version cannot be found (supported: "
                    "CPython {})",
                    module.path(), supported_versions()));
  }
  return version;
}

} // namespace pygc::cpython
