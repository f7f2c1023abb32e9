// GDB as a Host: memory through the callbacks of a jit-reader, the rest from what the script
// gathered.
#pragma once

#include "common/protocol/wire_files.h"
#include "common/protocol/wire_host.h"

#include <gdb/jit-reader.h>

#include <map>
#include <optional>
#include <string>

namespace pygc::gdb {

/// What is known of the command while the script goes round: questions are answered between rings.
struct Command {
  std::vector<std::string> words; // name and arguments
  std::string gdb_version;
  std::string sysroot;
  bool style = false;
  std::optional<wire::ThreadsAnswer> threads;
  std::optional<std::int64_t> process;      // 0: GDB does not say
  bool native = false;                      // GDB itself holds that process, on this machine
  std::optional<wire::MappingsAnswer> maps; // of a remote process
  std::map<std::string, Address> values;
  // The question that the next ring brings the answer to.
  bool asks_threads = false;
  bool asks_process = false;
  bool asks_maps = false;
  std::string asks_value;
};

class GdbHost final : public wire::Host {
public:
  /// `callbacks` is null when GDB has no process and no core.
  GdbHost(gdb_unwind_callbacks* callbacks, Command& command)
      : callbacks_(callbacks), command_(command) {}

  /// What the analysis is told of the target, and the file behind it. False: a question must be
  /// answered first.
  bool describe(wire::Launch& launch);

  std::string take_text() { return std::move(text_); }

  void output(std::string_view text) override { text_ += text; }
  void diagnostics(std::string_view text) override { text_ += text; }
  void progress(std::string_view line, bool wanted) override { progress_.show(line, wanted); }
  void output_refused() override;
  bool read(Address address, std::byte* to, std::size_t size) override;
  std::optional<wire::ThreadsAnswer> threads() override;
  wire::MappingsAnswer mappings() override;
  std::optional<wire::EvaluateAnswer> evaluate(const std::string& expression) override;
  bool interrupted() override;
  bool idle() override;

private:
  Address register_value(std::size_t dwarf_number);
  bool describe_process(wire::Launch& launch, const wire::Read& reader);

  gdb_unwind_callbacks* callbacks_;
  Command& command_;
  Address sp_ = 0;
  std::int64_t pid_ = 0;
  std::string text_;
  wire::ProgressLine progress_;
};

/// While one exists, ^C sets a flag instead of GDB's own: for when GDB gives us no way to ask it.
class InterruptWatch {
public:
  InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch();
  static bool interrupted();
};

} // namespace pygc::gdb
