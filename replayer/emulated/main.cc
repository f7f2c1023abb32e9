// The emulated replayer: holds a target's memory, locks itself in, and carries out the analysis'
// commands in the Unicorn emulator until the control socket closes. It links Unicorn (GPL-2), which
// nothing else of pygc does.
#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/emulated/clear_job.h"
#include "replayer/emulated/engine.h"
#include "replayer/emulated/fault_guard.h"
#include "replayer/emulated/machine.h"
#include "replayer/emulated/sandbox.h"
#include "replayer/emulated/steps.h"
#include "replayer/emulated/trace_job.h"
#include "replayer/shared/conversation.h"

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <sys/mman.h>

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::Kind;

class EmulatedReplayer {
public:
  LockResult set_up(const protocol::Setup& setup, int window_fd) {
    place_.setup = setup;
    die_with_parent(setup.parent);
    void* at = ::mmap(nullptr, setup.window_size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_NORESERVE, window_fd, 0);
    if (at == MAP_FAILED) {
      system::end(protocol::exit_clash);
    }
    place_.window = static_cast<std::byte*>(at);
    return {};
  }

  bool map(const protocol::RegionRecord& region, int fd) { return place_.memory.add(region, fd); }

  static void release(int fd) { system::close(fd); }

  static bool answer(const Packet& /*request*/, std::uint64_t& /*failed_regions*/) { return false; }

  LockResult lock(std::uint64_t& failed_regions) {
    failed_regions += place_.memory.arrange();
    engine_ = Engine::create(emulator_, place_.setup, place_.memory, place_.progress());
    if (engine_ == nullptr) {
      system::end(protocol::exit_no_emulator);
    }
    if (!install_fault_guard(place_.memory)) {
      return {protocol::LockFailure::signals, errno};
    }
    return enter_sandbox(place_.setup.parent, place_.memory.kept_file());
  }

  protocol::Command& command() { return command_; }

  protocol::Reply carry_out() {
    switch (command_.kind) {
    case Kind::clear:
      return clear(place_, command_);
    case Kind::update:
      return update(place_, command_);
    case Kind::collect:
      return collect(place_, command_);
    case Kind::traverse:
    case Kind::visits:
      return traverse(place_, *engine_, command_);
    case Kind::trace:
      return trace(place_, *engine_, command_);
    case Kind::trace_cleared:
      return clear_and_trace(place_, *engine_, command_);
    default:
      broken_protocol();
    }
  }

private:
  // Before the analysis says the first word: it takes its time to come up.
  uc_engine* emulator_ = machine::open_emulator();
  Workplace place_;
  protocol::Command command_;
  std::unique_ptr<Engine> engine_;
};

} // namespace
} // namespace pygc::replayer

int main() {
  // Unicorn ends the process when it gets no memory.
  std::atexit([] { pygc::replayer::system::end(pygc::replay::protocol::exit_no_emulator); });
  // Not on the stack: the packet is large.
  static pygc::replayer::Packet packet;
  static pygc::replayer::EmulatedReplayer replayer;
  pygc::replayer::Conversation(replayer, packet).run();
}
