// The ELF images loaded in a target (executable, shared libraries) and the files they came from.
#pragma once

#include "common/base/error.h"
#include "common/image/address_space.h"
#include "common/target/target.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::image {

struct Symbol {
  std::string name;    // as in the symbol table (LTO suffixes included)
  Address address = 0; // in the target
  std::uint64_t size = 0;
  bool function = false;
};

struct Range {
  Address start = 0;
  Address end = 0;
  bool contains(Address a) const { return a >= start && a < end; }
};

/// Offsets of members by path, as C spells it ("interpreters.head"; members of anonymous structs
/// and unions are reached directly), and "sizeof". Byte offsets.
using StructLayout = std::map<std::string, std::int64_t, std::less<>>;
/// By struct or typedef name.
using Layouts = std::map<std::string, StructLayout, std::less<>>;

/// A struct and the member paths wanted of it; "sizeof" always comes along. A member that does not
/// exist is left out of the answer: its absence is information.
struct LayoutQuery {
  std::string name;
  std::vector<std::string> members;
};

/// What became of the search for a module's file.
enum class FileState : std::uint8_t { found, missing, build_id_mismatch };

/// One frame of a thread's stack.
struct Frame {
  Address pc = 0;
  Address cfa = 0;
  std::string function; // empty when unknown; without LTO suffixes
  /// Values of the function's formal parameters and locals that DWARF locates at this pc, integers
  /// and pointers only.
  std::map<std::string, std::uint64_t, std::less<>> variables;
  /// By DWARF number, as the function has them at this pc; nothing where a callee may have changed
  /// them.
  std::array<std::optional<std::uint64_t>, machine::dwarf_register_count> registers{};
};

/// An ELF image in the target. Everything below is lazy: a module nobody asks about costs nothing.
class Module {
public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  virtual const std::string& path() const = 0;      // as the target saw it
  virtual const std::string& file_path() const = 0; // the file used, empty unless found
  virtual FileState file_state() const = 0;
  virtual const std::string& file_problem() const = 0; // one sentence unless found
  virtual const std::string& build_id() const = 0; // hex, from target memory if saved, else file
  virtual Address load_bias() const = 0;
  virtual Range extent() const = 0; // first to last mapped address
  /// Its writable PT_LOAD segments, in the target's addresses: static storage.
  virtual const std::vector<Range>& static_storage() const = 0;
  virtual const std::vector<Range>& code() const = 0; // executable PT_LOADs
  /// The target address range of a section by name (".PyRuntime", ".rodata", ".text").
  virtual std::optional<Range> section(std::string_view name) const = 0;

  virtual bool has_symtab() const = 0; // .symtab in the file or its debug file
  virtual bool has_dwarf() const = 0;  // .debug_info in the file or its debug file
  virtual const std::string& debug_file_path() const = 0;

  /// By exact name, in .symtab (file or debug file), else .dynsym; LTO suffixes (.lto_priv.N,
  /// .constprop.N, .isra.N, .part.N, .cold) are matched when the exact name is not there.
  /// Errors: no_symbol.
  virtual Result<Symbol> find_symbol(std::string_view name) const = 0;
  /// All that match, local ones too.
  virtual std::vector<Symbol> find_symbols(std::string_view name) const = 0;
  /// The symbol that covers the address.
  virtual std::optional<Symbol> symbol_at(Address address) const = 0;

  /// Errors: no_debug_info. Cached on disk by build-id.
  virtual Result<Layouts> layouts(const std::vector<LayoutQuery>& wanted) const = 0;
  /// The static variable that covers the address, with its member path from DWARF
  /// ("_PyRuntime.faulthandler.fatal_error.file", "user_signals[10].file"). Errors: no_debug_info,
  /// no_symbol.
  virtual Result<std::string> describe_static(Address address) const = 0;
  /// Where the function was declared, "file.c:123", from DWARF. Errors: no_debug_info, no_symbol.
  virtual Result<std::string> source_line(Address address) const = 0;
};

struct FileOptions {
  std::string executable; // --executable: this file instead of the one the target names
  std::string sysroot;    // --sysroot
  /// "/proc/PID" of a process of this machine: it has files that no path leads to any more.
  std::string process_directory;
  std::vector<std::string> debug_directories; // --debug-directory; default /usr/lib/debug
  bool debuginfod = true;                     // only when DEBUGINFOD_URLS is set
};

/// What is wanted of the frames of a stack. Debug information may have to be unpacked for it, which
/// takes longer than all else.
enum class FrameDetail : std::uint8_t {
  functions, // names of functions that were not inlined, from the symbol tables
  whole,     // inlined calls expanded and variables read, where DWARF has them
};

/// The modules of a target and its memory, put together.
class ProcessImage {
public:
  ProcessImage() = default;
  ProcessImage(const ProcessImage&) = delete;
  ProcessImage& operator=(const ProcessImage&) = delete;
  virtual ~ProcessImage() = default;

  virtual const AddressSpace& memory() const = 0;
  virtual const std::vector<std::unique_ptr<Module>>& modules() const = 0; // executable first
  virtual const Module* module_at(Address address) const = 0;
  /// "faulthandler_traverse", "name+0x12", or "python3.11+0x190d30" without symbols.
  virtual std::string describe_code(Address address) const = 0;
  /// The stack of a thread, innermost first, at most `limit` frames. Errors: no_debug_info when not
  /// even the CFI is there.
  virtual Result<std::vector<Frame>> unwind(const target::Thread& thread, std::size_t limit,
                                            FrameDetail detail) const = 0;
  Result<std::vector<Frame>> unwind(const target::Thread& thread, std::size_t limit) const {
    return unwind(thread, limit, FrameDetail::whole);
  }
};

} // namespace pygc::image
