// The analysis' side of a command that a debugger's plugin started: the debugger as a Session, and
// its process as a Target.
#pragma once

#include "common/base/error.h"
#include "common/base/unique_fd.h"
#include "common/protocol/wire.h"
#include "common/protocol/wire_messages.h"
#include "common/target/progress.h"
#include "common/target/session.h"
#include "common/target/target.h"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pygc::target {

class ServedSession final : public Session {
public:
  /// Awaits the plugin's hello, with a command. One session is one command; the channel must
  /// outlive it. Errors: protocol, io.
  static Result<std::unique_ptr<ServedSession>> accept(wire::Channel& channel);
  ~ServedSession() override;

  const wire::Hello& hello() const { return hello_; }
  /// The core file (kind core) or /proc/PID/mem (kind live); once, empty when there is none.
  UniqueFd take_backing() { return std::move(backing_); }

  void output(std::string_view text) override;
  void diagnostics(std::string_view text) override;
  /// Asks the debugger at most every 50 ms; true for good once the user interrupted or the debugger
  /// is gone.
  bool cancelled() override;
  /// The same without waiting for the next time to ask.
  bool cancelled_now();
  bool listening() const override { return listening_; }
  /// The plugin does not want the command any more, but perhaps another one.
  bool abandoned() const { return abandoned_; }
  /// The command has come to its end undisturbed, as far as is known: nobody has interrupted it.
  bool undisturbed() const { return listening_ && !cancelled_; }
  void progress(std::string_view what) override { progress_.set(what); }
  void show_progress(bool wanted) override { wants_progress_ = wanted; }
  /// Errors: usage (with the debugger's reason), io.
  Result<Address> evaluate(std::string_view expression) override;

  /// The debugger's view of memory, all or nothing. Errors: memory_unmapped, protocol, io.
  Result<void> read(Address address, std::span<std::byte> to);
  /// The selected thread first. Errors: protocol, io.
  Result<std::vector<Thread>> threads();
  /// Nothing when the debugger cannot tell. Errors: protocol, io.
  Result<std::optional<std::vector<wire::Mapping>>> mappings();

  /// The last word; the debugger carries out the actions after the output.
  void finish(const wire::Done& done);

private:
  explicit ServedSession(wire::Channel& channel) : channel_(channel) {}
  Result<void> await_hello();
  Result<std::string> ask(wire::Type question, std::string_view payload, wire::Type answer);
  void tell(wire::Type type, std::string_view text);

  wire::Channel& channel_;
  wire::Hello hello_;
  UniqueFd window_fd_;
  UniqueFd backing_;
  std::byte* window_ = nullptr;
  bool cancelled_ = false;
  bool listening_ = true;
  bool abandoned_ = false;
  std::chrono::steady_clock::time_point next_question_;
  std::optional<bool> wants_progress_;
  Progress progress_{Progress::Clock::now()};
};

/// The stopped process of a debugger, on this machine or another. Its memory is fetched as it is
/// touched: from /proc/PID/mem where the debugger could open that, code excepted, which debuggers
/// put their breakpoints into; else through the debugger. Not for cores: those are opened from
/// their descriptor. The session must outlive it. Errors: unsupported (no target), permission,
/// protocol, io, limit.
Result<std::unique_ptr<Target>> open_served_process(ServedSession& session);

} // namespace pygc::target
