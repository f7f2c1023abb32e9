#include "common/cpython/objects/faulthandler.h"

#include <algorithm>
#include <fmt/format.h>

namespace pygc::cpython {
namespace {

constexpr unsigned signal_count = 65; // Py_NSIG on Linux

/// Where the parts of one entry lie, from its start.
struct EntryShape {
  std::uint32_t enabled = 0;
  std::uint32_t file = 8;
  std::uint32_t fd = 16;
  std::uint32_t all_threads = 20;
};

// Up to 3.11 the three are unnamed structs of Modules/faulthandler.c, unchanged since 3.3.
constexpr EntryShape static_fatal_error{};
constexpr std::uint32_t static_thread_file = 0;
constexpr std::uint32_t static_thread_fd = 8;
constexpr EntryShape user_signal_shape{};
constexpr std::uint32_t static_user_signal_size = 192;
constexpr std::uint32_t user_signal_chain = 24;

class Reader {
public:
  Reader(const image::AddressSpace& memory, const Runtime& runtime)
      : memory_(memory), layout_(runtime.layout) {}

  Result<void> fatal_error(Address at, const EntryShape& shape) {
    auto entry = read_entry("fatal_error", at, shape);
    if (!entry) {
      return std::unexpected(entry.error());
    }
    state.entries.push_back(std::move(*entry));
    return {};
  }

  Result<void> thread(Address file_slot, Address fd) {
    const auto file = memory_.load<Address>(file_slot);
    const auto number = memory_.load<std::int32_t>(fd);
    if (!file || !number) {
      return std::unexpected(file ? number.error() : file.error());
    }
    state.entries.push_back({.name = "thread",
                             .file_slot = file_slot,
                             .file = *file,
                             .fd = *number,
                             .enabled = *file != 0,
                             .all_threads = *file != 0}); // the timer knows no other way
    return {};
  }

  /// `pointer` holds the address of an array of one element a signal, NULL until register() is
  /// used.
  Result<void> user_signals(Address pointer) {
    const auto array = memory_.load<Address>(pointer);
    if (!array) {
      return std::unexpected(array.error());
    }
    if (*array == 0) {
      return {};
    }
    const EntryShape shape{layout_.user_signal_enabled.value_or(user_signal_shape.enabled),
                           layout_.user_signal_file.value_or(user_signal_shape.file),
                           layout_.user_signal_fd.value_or(user_signal_shape.fd),
                           layout_.user_signal_all_threads.value_or(user_signal_shape.all_threads)};
    const std::uint32_t size = layout_.user_signal_size.value_or(static_user_signal_size);
    for (unsigned i = 0; i < signal_count; ++i) {
      const Address at = *array + Address{i} * size;
      auto entry = read_entry(fmt::format("user_signals[{}]", i), at, shape);
      if (!entry) {
        return std::unexpected(entry.error());
      }
      entry->chain =
          memory_.load<std::int32_t>(at + layout_.user_signal_chain.value_or(user_signal_chain))
              .value_or(0) != 0;
      if (entry->enabled || entry->file != 0) {
        state.entries.push_back(std::move(*entry));
      }
    }
    return {};
  }

  FaulthandlerState state;

private:
  Result<FaulthandlerEntry> read_entry(std::string name, Address at,
                                       const EntryShape& shape) const {
    const auto enabled = memory_.load<std::int32_t>(at + shape.enabled);
    const auto file = memory_.load<Address>(at + shape.file);
    const auto fd = memory_.load<std::int32_t>(at + shape.fd);
    const auto all_threads = memory_.load<std::int32_t>(at + shape.all_threads);
    if (!enabled || !file || !fd || !all_threads) {
      return fail(ErrorKind::memory_not_saved, at,
                  fmt::format("faulthandler's state at {:#x} cannot be read", at));
    }
    return FaulthandlerEntry{.name = std::move(name),
                             .file_slot = at + shape.file,
                             .file = *file,
                             .fd = *fd,
                             .enabled = *enabled != 0,
                             .all_threads = *all_threads != 0};
  }

  const image::AddressSpace& memory_;
  const Layout& layout_;
};

/// A static variable by name; the same name may also be a function's (3.11: fatal_error).
Result<Address> static_variable(const image::Module& module, std::string_view name) {
  const auto symbols = module.find_symbols(name);
  const auto found =
      std::ranges::find_if(symbols, [](const image::Symbol& s) { return !s.function; });
  if (found == symbols.end()) {
    return fail(
        ErrorKind::no_symbol, 0,
        fmt::format("{} has no symbol for faulthandler's static '{}'; its debug symbols have",
                    module.path(), name));
  }
  return found->address;
}

} // namespace

Result<FaulthandlerState> read_faulthandler(const image::ProcessImage& image,
                                            const Runtime& runtime) {
  const Layout& layout = runtime.layout;
  Reader reader(image.memory(), runtime);
  if (layout.runtime_faulthandler && layout.fh_file && layout.fh_enabled && layout.fh_fd &&
      layout.fh_all_threads && layout.fh_thread_file && layout.fh_thread_fd &&
      layout.fh_user_signals) {
    const Address base = runtime.address + *layout.runtime_faulthandler;
    reader.state.where = "_PyRuntime.faulthandler";
    reader.state.address = base;
    const EntryShape shape{*layout.fh_enabled, *layout.fh_file, *layout.fh_fd,
                           *layout.fh_all_threads};
    if (auto read = reader.fatal_error(base, shape); !read) {
      return std::unexpected(read.error());
    }
    if (auto read = reader.thread(base + *layout.fh_thread_file, base + *layout.fh_thread_fd);
        !read) {
      return std::unexpected(read.error());
    }
    if (auto read = reader.user_signals(base + *layout.fh_user_signals); !read) {
      return std::unexpected(read.error());
    }
    return std::move(reader.state);
  }
  // faulthandler is linked into the interpreter's own image in every usual build.
  reader.state.where = "static";
  const auto fatal_error = static_variable(*runtime.module, "fatal_error");
  const auto thread = static_variable(*runtime.module, "thread");
  const auto user_signals = static_variable(*runtime.module, "user_signals");
  if (!fatal_error || !thread || !user_signals) {
    return std::unexpected(!fatal_error ? fatal_error.error()
                           : !thread    ? thread.error()
                                        : user_signals.error());
  }
  if (auto read = reader.fatal_error(*fatal_error, static_fatal_error); !read) {
    return std::unexpected(read.error());
  }
  if (auto read = reader.thread(*thread + static_thread_file, *thread + static_thread_fd); !read) {
    return std::unexpected(read.error());
  }
  if (auto read = reader.user_signals(*user_signals); !read) {
    return std::unexpected(read.error());
  }
  return std::move(reader.state);
}

} // namespace pygc::cpython
