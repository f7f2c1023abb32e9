// What a document is about: the target, and the CPython in it.
#pragma once

#include "common/cpython/runtime.h"
#include "common/target/target.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pygc::report {

/// The CPython that a document is about.
struct Python {
  cpython::Version version;
  cpython::LayoutSource layout_source = cpython::LayoutSource::dwarf;
  std::string layout_detail;
  std::string image; // the file that holds it, as the target saw it
};

/// As far as it was known when the document was made.
struct Subject {
  std::optional<target::Info> target;
  std::optional<std::uint64_t> fetched_bytes; // of a target whose memory comes as it is touched
  std::optional<Python> python;
};

/// `runtime`: null when no CPython has been found (yet).
Subject subject_of(const target::Target& target, const cpython::Runtime* runtime);

/// "core", "live", "remote".
std::string_view target_kind_name(target::Kind kind);

} // namespace pygc::report
