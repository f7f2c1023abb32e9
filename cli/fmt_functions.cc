// What the library fmt holds beside its headers, for a pygc that is linked statically: this file is
// compiled with FMT_HEADER_ONLY and without inlining, and what it uses comes to be in it.
#include <cstdio>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <locale>

namespace pygc::cli {

/// Never called. Uses of the other files are found wanting by the linker.
[[gnu::used]] std::string use_fmt(double wide, float narrow, const std::locale& locale) {
  fmt::print(stdout, "{:?}", "text");
  return fmt::format(locale, "{:L} {:L} {}", wide, narrow, wide) + fmt::vformat("", {});
}

} // namespace pygc::cli
