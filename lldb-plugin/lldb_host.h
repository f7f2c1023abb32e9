// LLDB as a Host, through its SB API.
#pragma once

#include "common/protocol/wire_host.h"

#include <lldb/API/LLDB.h>

#include <chrono>
#include <optional>
#include <string>

namespace pygc::lldb_plugin {

class LldbHost final : public wire::Host {
public:
  explicit LldbHost(const lldb::SBDebugger& debugger);

  /// What the analysis is told of the target, and the file behind it. False when the process runs.
  bool describe(wire::Launch& launch);

  const std::string& output_text() const { return output_; }
  const std::string& diagnostics_text() const { return diagnostics_; }

  void output(std::string_view text) override { output_ += text; }
  void diagnostics(std::string_view text) override { diagnostics_ += text; }
  void progress(std::string_view line, bool wanted) override { progress_.show(line, wanted); }
  void output_refused() override;
  bool read(Address address, std::byte* to, std::size_t size) override;
  std::optional<wire::ThreadsAnswer> threads() override;
  wire::MappingsAnswer mappings() override;
  std::optional<wire::EvaluateAnswer> evaluate(const std::string& expression) override;
  bool interrupted() override;
  bool idle() override;

private:
  void describe_core(wire::Launch& launch, Address pc, Address sp);
  void describe_process(wire::Launch& launch, Address sp);

  lldb::SBDebugger debugger_;
  lldb::SBTarget target_;
  lldb::SBProcess process_;
  bool live_ = false;
  std::string output_;
  std::string diagnostics_;
  wire::ProgressLine progress_;
  bool interrupted_ = false;
  std::chrono::steady_clock::time_point interrupted_at_;
};

} // namespace pygc::lldb_plugin
