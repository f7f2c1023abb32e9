// libpygc-gdb.so: commands for a stock GDB, carried in by "jit-reader-load", GDB's only public
// plugin interface. A command's script puts its words into a memory file and has GDB sniff a frame;
// unwind() below finds the request, runs the analysis with GDB's target_read in hand and leaves
// commands for "source". An ordinary backtrace finds no request and is GDB's own. Without a process
// or a core there is no frame: then the script loads the library anew, and gdb_init_reader() finds
// the request.
//
// GDB's exceptions (^C, a lost connection) pass through here: nothing is noexcept, and no catch
// (...).
#include "common/base/numbers.h"
#include "common/protocol/wire_host.h"
#include "common/protocol/wire_maps.h"
#include "gdb-plugin/channels.h"
#include "gdb-plugin/gdb_host.h"
#include "gdb-plugin/output.h"
#include "gdb-plugin/script.h"

#include <gdb/jit-reader.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <sstream>
#include <stdexcept>

#pragma GCC visibility push(default)
GDB_DECLARE_GPL_COMPATIBLE_READER
#pragma GCC visibility pop

namespace pygc::gdb {
namespace {

Command current;
wire::KeptAnalysis kept;
bool busy = false;
bool ready = false;

machine::Thread parse_thread(const std::string& line) {
  machine::Thread thread;
  std::array<std::uint64_t, machine::dwarf_register_count + 2> numbers{}; // GDB's own number first
  std::size_t at = 0;
  for (auto& number : numbers) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    number = address_in(std::string_view(line).substr(at, end - at)).value_or(0);
    at = std::min(end + 1, line.size());
  }
  std::copy(numbers.begin() + 1, numbers.end() - 1, thread.registers.begin());
  thread.thread_pointer = numbers.back();
  return thread;
}

/// The selected thread comes twice: first, and again among all. Returns its place.
std::size_t add_thread(std::vector<machine::Thread>& threads, const std::string& line) {
  const machine::Thread thread = parse_thread(line);
  if (!threads.empty() && threads.front().registers == thread.registers &&
      threads.front().thread_pointer == thread.thread_pointer) {
    return 0;
  }
  threads.push_back(thread);
  return threads.size() - 1;
}

/// The number of "process 12" that "info proc" begins with; 0 when it printed nothing.
std::int64_t parse_process(std::string_view text) {
  constexpr std::string_view before = "process ";
  std::int64_t pid = 0;
  if (text.starts_with(before)) {
    std::from_chars(text.data() + before.size(), text.data() + text.size(), pid);
  }
  return pid;
}

/// Whether "info inferiors" marks as selected one with a "(native)" connection. Before it in the
/// answer is what "info proc" printed, with the process's own words: only the last marked line, and
/// only up to the name of the executable, is GDB's.
bool parse_native(std::string_view text) {
  const auto at = text.rfind("\n* ");
  if (at == std::string_view::npos) {
    return false;
  }
  const std::string_view line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  return line.substr(0, line.find('/')).find(" (native)") != std::string_view::npos;
}

void take_over(const Request& request) {
  if (current.asks_threads) {
    current.threads.emplace();
    current.asks_threads = false;
  }
  if (current.asks_process) {
    const std::string said = take_answer();
    current.process = parse_process(said);
    current.native = parse_native(said);
    current.asks_process = false;
  }
  if (current.asks_maps) {
    std::istringstream maps(take_answer());
    current.maps = wire::parse_maps(maps);
    current.asks_maps = false;
  }
  std::size_t thread = 0; // of which something was said last
  for (const auto& part : request.parts) {
    switch (part.item) {
    case Item::begin:
      current = Command{};
      current.words.push_back(part.text);
      break;
    case Item::argument:
      current.words.push_back(unquote(part.text));
      break;
    case Item::thread:
      if (current.threads) {
        thread = add_thread(current.threads->threads, part.text);
      }
      break;
    case Item::signal:
      if (current.threads && thread < current.threads->threads.size()) {
        std::from_chars(part.text.data(), part.text.data() + part.text.size(),
                        current.threads->threads[thread].signal);
      }
      break;
    case Item::value:
      current.values[current.asks_value] = address_in(part.text).value_or(0);
      break;
    case Item::sysroot:
      current.sysroot = part.text;
      break;
    case Item::version:
      current.gdb_version = part.text;
      break;
    case Item::style:
      current.style = part.text == "1";
      break;
    case Item::send:
      break;
    }
  }
}

void run(gdb_unwind_callbacks* callbacks) {
  GdbHost host(callbacks, current);
  wire::Launch launch;
  launch.executable = wire::find_analysis(reinterpret_cast<const void*>(&gdb_init_reader));
  launch.hello.words = current.words;
  if (!host.describe(launch)) {
    answer(current.asks_process ? collect_process() : collect_maps(current.process.value_or(0)),
           status_commands(wire::status_failed, Step::again));
    return;
  }
  const wire::Outcome outcome = wire::run_analysis(launch, host, kept);
  if (outcome.again) {
    answer(current.asks_threads ? collect_threads() : collect_value(current.asks_value),
           status_commands(wire::status_failed, Step::again));
    return;
  }
  answer(as_printf(host.take_text()) + as_commands(outcome.actions),
         status_commands(outcome.status, Step::finished));
}

/// Runs the pending request, if there is a complete one.
void serve(gdb_unwind_callbacks* callbacks) {
  const Request request = busy ? Request{} : take_request();
  if (!request.complete) {
    return;
  }
  struct Busy {
    Busy() { busy = true; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    ~Busy() { busy = false; }
  } const guard;
  try {
    take_over(request);
    run(callbacks);
  } catch (const std::exception& e) { // ours (out of memory); GDB's own are no std::exception
    answer(as_printf(std::string("pygc: ") + e.what() + "\n"),
           status_commands(wire::status_failed, Step::finished));
  }
}

gdb_status read_debug_info(gdb_reader_funcs* /*self*/, gdb_symbol_callbacks* /*callbacks*/,
                           void* /*memory*/, long /*size*/) {
  return GDB_FAIL;
}

gdb_status unwind(gdb_reader_funcs* /*self*/, gdb_unwind_callbacks* callbacks) {
  serve(callbacks);
  return GDB_FAIL; // in any case GDB unwinds the frame itself
}

gdb_frame_id frame_id(gdb_reader_funcs* /*self*/, gdb_unwind_callbacks* /*callbacks*/) {
  return {0, 0};
}

wire::CommandTable commands() {
  auto table =
      wire::ask_commands(wire::find_analysis(reinterpret_cast<const void*>(&gdb_init_reader)));
  if (table) {
    return std::move(*table);
  }
  std::fprintf(stderr, "pygc: %s\n", table.error().reason.c_str());
  return wire::commands_without_analysis(table.error().reason);
}

std::string own_path() {
  return wire::library_path(reinterpret_cast<const void*>(&gdb_init_reader));
}

// The channels stay: the library may come back at once, or when pygc.gdb is sourced again. A
// command's own script has left its request before it unloads the library.
void destroy(gdb_reader_funcs* /*self*/) {
  if (!request_is_complete()) {
    kept.end();
  }
  set_load_commands("jit-reader-load " + own_path() + "\n");
}

} // namespace
} // namespace pygc::gdb

extern "C" __attribute__((visibility("default"))) gdb_reader_funcs* gdb_init_reader() {
  using namespace pygc::gdb;
  static gdb_reader_funcs table = {
      GDB_READER_INTERFACE_VERSION, nullptr, read_debug_info, unwind, frame_id, destroy};
  if (ready) {
    set_load_commands({});
    const InterruptWatch watch;
    serve(nullptr);
    return &table;
  }
  note_inherited_pipes();
  const std::string problem = open_channels(definitions(commands(), own_path()));
  ready = problem.empty();
  if (!ready) {
    std::fprintf(stderr, "pygc: not loaded: %s\n", problem.c_str());
    table.reader_version = -1; // GDB then refuses the library with an error; NULL would crash it
  }
  return &table;
}
