// Text in lines of a given width.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pygc::commands {

/// Breaks `text` at blanks into lines of at most `width` columns, each indented by `indent` blanks;
/// a word that is longer stays whole. Ends with a newline.
std::string paragraph(std::string_view text, unsigned width, unsigned indent = 0);

} // namespace pygc::commands
