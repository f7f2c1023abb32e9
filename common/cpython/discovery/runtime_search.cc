#include "common/cpython/discovery/runtime_search.h"

#include "common/cpython/debug_offsets.h"
#include "common/cpython/discovery/interpreters.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

bool looks_like_python(const image::Module& module) {
  const std::string& path = module.path();
  const std::size_t slash = path.rfind('/');
  return path.find("python", slash == std::string::npos ? 0 : slash) != std::string::npos;
}

/// Why no _PyRuntime was found, from most to least telling.
Error no_runtime_error(const image::ProcessImage& image) {
  for (const auto& module : image.modules()) {
    if (module->file_state() == image::FileState::build_id_mismatch &&
        (module == image.modules().front() || looks_like_python(*module))) {
      return {ErrorKind::build_id_mismatch, module->extent().start, module->file_problem()};
    }
  }
  for (const auto& module : image.modules()) {
    if (module->file_state() == image::FileState::missing &&
        (module == image.modules().front() || looks_like_python(*module))) {
      return {ErrorKind::not_found, module->extent().start, module->file_problem()};
    }
  }
  for (const auto& module : image.modules()) {
    if (module->find_symbol("Py_GetVersion")) {
      return {
          ErrorKind::no_runtime, module->extent().start,
          fmt::format("{} is a CPython, but it has no symbol _PyRuntime (supported: CPython {})",
                      module->path(), supported_versions())};
    }
  }
  const std::string name =
      image.modules().empty() ? "the program" : image.modules().front()->path();
  return {ErrorKind::not_python, 0,
          fmt::format("{} is not a Python program: no loaded image has a "
                      "CPython in it",
                      name)};
}

/// Objects that live for ever have a negative int32 as reference count since 3.12; None always is
/// one of them (Include/internal/pycore_object.h, _Py_SetImmortal).
bool has_immortal_objects(const image::ProcessImage& image, const Runtime& runtime) {
  const auto none = runtime.module->find_symbol("_Py_NoneStruct");
  if (!none) {
    return false;
  }
  const auto count = load_refcount(image.memory(), runtime.layout, none->address);
  return count && static_cast<std::int32_t>(*count) < 0;
}

/// Reads and proves `runtime` with a layout; leaves it as it was when the target disagrees.
Result<void> try_layout(const image::ProcessImage& image, Runtime& runtime, const Layout& layout,
                        LayoutSource source, std::string detail) {
  if (layout.free_threaded && layout.stack_ref_size) {
    return fail(ErrorKind::unsupported, runtime.address,
                "frames of this free-threaded build hold deferred references, which pygc does not "
                "count yet");
  }
  Runtime attempt = runtime;
  attempt.layout = layout;
  attempt.version.free_threaded = layout.free_threaded.has_value();
  attempt.layout_source = source;
  attempt.layout_detail = std::move(detail);
  if (auto read = read_interpreters(image.memory(), attempt); !read) {
    return read;
  }
  if (attempt.interpreters.empty() && source != LayoutSource::dwarf) {
    return fail(ErrorKind::corrupt, runtime.address, "no interpreter proves the layout");
  }
  if (auto proof = prove_layout(image.memory(), attempt); !proof) {
    return proof;
  }
  attempt.immortal_objects = has_immortal_objects(image, attempt);
  // The one of free-threaded builds notes more than gc_refs: a visitor of pygc's counts instead.
  if (const auto visitor = runtime.module->find_symbol("visit_decref");
      visitor && visitor->function && !layout.free_threaded) {
    attempt.visit_decref = visitor->address;
  }
  runtime = std::move(attempt);
  return {};
}

/// How far a table is from the target's build; 0 is the same version and flags.
std::uint64_t distance(const LayoutTable& table, const Version& version) {
  const auto micro = static_cast<std::int64_t>(table.hexversion >> 8 & 0xff) -
                     static_cast<std::int64_t>(version.micro());
  return static_cast<std::uint64_t>(micro < 0 ? -micro : micro) * 2 +
         (table.debug == version.debug ? 0 : 1);
}

/// What the target says of itself outweighs a table of another patch release.
Layout with_debug_offsets(Layout layout, const std::optional<DebugOffsets>& offsets) {
  if (offsets) {
    layout.interpreters_head = static_cast<std::uint32_t>(offsets->interpreters_head);
    layout.interp_id = static_cast<std::uint32_t>(offsets->interpreter_id);
    layout.interp_next = static_cast<std::uint32_t>(offsets->interpreter_next);
    layout.interp_size = static_cast<std::uint32_t>(offsets->interpreter_size);
    layout.runtime_size = static_cast<std::uint32_t>(offsets->runtime_size);
  }
  return layout;
}

/// PyGC_Head is aligned to 8 bytes upstream and to 4 in some distributions, so that the lists of a
/// table of the other kind lie 4 bytes off; a pointer before what follows them aligns that again.
std::optional<Layout> with_other_alignment(Layout layout) {
  constexpr std::uint32_t upstream = 8;
  if (!layout.gc_generations || *layout.gc_generations < upstream) {
    return std::nullopt;
  }
  const std::uint32_t offset = *layout.gc_generations;
  layout.gc_generations = offset % upstream == 0 ? offset - upstream / 2 : offset + upstream / 2;
  return layout;
}

Result<void> find_layout(const image::ProcessImage& image, Runtime& runtime,
                         const std::string& directory) {
  Error last{ErrorKind::corrupt, runtime.address, "no layout is known"};
  std::optional<Error> not_saved; // no layout can be proven on memory that is not there
  const auto keep = [&](const Error& error) {
    last = error;
    if (error.kind == ErrorKind::memory_not_saved && !not_saved) {
      not_saved = error;
    }
  };
  if (auto structs = runtime.module->layouts(layout_queries())) {
    auto layout = make_layout(*structs);
    auto tried = layout ? try_layout(image, runtime, *layout, LayoutSource::dwarf,
                                     runtime.module->debug_file_path())
                        : Result<void>(std::unexpected(layout.error()));
    if (tried) {
      return {};
    }
    if (tried.error().kind == ErrorKind::unsupported) {
      return tried;
    }
    keep(tried.error());
  }
  std::vector<LayoutTable> tables = load_layout_tables(directory);
  std::erase_if(tables, [&](const LayoutTable& t) {
    return t.hexversion >> 16 != runtime.version.hexversion >> 16 ||
           t.layout.free_threaded.has_value() != runtime.version.free_threaded;
  });
  std::ranges::stable_sort(tables, {},
                           [&](const LayoutTable& t) { return distance(t, runtime.version); });
  const auto offsets = read_debug_offsets(image.memory(), runtime.address);
  for (const LayoutTable& table : tables) {
    const bool exact = distance(table, runtime.version) == 0;
    auto tried =
        try_layout(image, runtime, exact ? table.layout : with_debug_offsets(table.layout, offsets),
                   exact ? LayoutSource::table : LayoutSource::probed, table.name);
    if (tried) {
      return {};
    }
    if (exact) {
      keep(tried.error());
    } else {
      last = tried.error();
    }
  }
  for (const LayoutTable& table : tables) {
    const auto other = with_other_alignment(table.layout);
    if (other && try_layout(image, runtime, with_debug_offsets(*other, offsets),
                            LayoutSource::probed, table.name + ", with another alignment")) {
      return {};
    }
  }
  if (not_saved) {
    return fail(ErrorKind::memory_not_saved, not_saved->address,
                "the state of CPython cannot be read: " + not_saved->reason);
  }
  return fail(
      ErrorKind::unsupported, runtime.address,
      fmt::format("no layout of CPython {}{}{} fits this target ({}); install its debug symbols",
                  runtime.version.text(), runtime.version.free_threaded ? " free-threaded" : "",
                  runtime.version.debug ? " debug" : "", last.reason));
}

} // namespace

Result<std::vector<Runtime>> find_runtimes(const image::ProcessImage& image,
                                           const std::string& tables) {
  std::vector<Runtime> found;
  std::optional<Error> problem;
  bool uninitialised = false;
  for (const auto& module : image.modules()) {
    const auto symbol = module->find_symbol("_PyRuntime");
    if (!symbol) {
      continue;
    }
    Runtime runtime;
    runtime.module = module.get();
    runtime.address = symbol->address;
    auto version = read_version(image, *module, runtime.address);
    if (!version) {
      problem = version.error();
      continue;
    }
    runtime.version = *version;
    if (!is_supported(*version)) {
      problem = Error{ErrorKind::unsupported, runtime.address,
                      fmt::format("{} is CPython {}; supported is CPython {}", module->path(),
                                  version->text(), supported_versions())};
      continue;
    }
    if (auto layout = find_layout(image, runtime, tables); !layout) {
      problem = layout.error();
      continue;
    }
    if (runtime.interpreters.empty()) {
      uninitialised = true;
      continue;
    }
    found.push_back(std::move(runtime));
  }
  if (!found.empty()) {
    return found;
  }
  if (problem) {
    return std::unexpected(*problem);
  }
  if (uninitialised) {
    return fail(ErrorKind::no_runtime, 0,
                "the target's CPython has no interpreter (not yet started, "
                "or already finalised)");
  }
  return std::unexpected(no_runtime_error(image));
}

} // namespace pygc::cpython
