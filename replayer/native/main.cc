// The native replayer: maps a target's memory at its own addresses, locks itself in, and carries
// out the analysis' commands until the control socket closes.
#include "common/replay/protocol/replayer_protocol.h"
#include "replayer/native/auxiliary_vector.h"
#include "replayer/native/fatal_functions.h"
#include "replayer/native/fetch.h"
#include "replayer/native/fill.h"
#include "replayer/native/machine.h"
#include "replayer/native/map.h"
#include "replayer/native/run_state.h"
#include "replayer/native/runner.h"
#include "replayer/native/sandbox.h"
#include "replayer/native/signals.h"
#include "replayer/native/walk.h"
#include "replayer/shared/conversation.h"

namespace pygc::replayer {
namespace {

namespace protocol = replay::protocol;
using protocol::Kind;

// Not on the stack: it is large.
constinit Packet packet;

/// The steps of a conversation; what they leave is in run_state and with those who map.
struct NativeReplayer {
  static LockResult set_up(const protocol::Setup& setup, int window_fd) {
    run_state.setup = setup;
    die_with_parent(setup.parent);
    clear_address_space(vdso_address());
    if (!map_own_areas(window_fd, setup.window_size)) {
      system::end(protocol::exit_clash);
    }
    // The best moment to say so: before the analysis has done its own work in vain.
    return check_sandbox();
  }

  static bool map(const protocol::RegionRecord& region, int fd) {
    const MapOutcome outcome = map_region(region, fd);
    if (outcome == MapOutcome::clash) {
      system::end(protocol::exit_clash);
    }
    return outcome == MapOutcome::mapped;
  }

  static void release(int fd) {
    if (!keep_for_fill(fd) && !keep_for_fetch(fd)) {
      system::close(fd);
    }
  }

  /// A walk. No code of the target has run yet: what it tells is the memory's.
  static bool answer(const Packet& request, std::uint64_t& failed_regions) {
    protocol::FoundWalk walk;
    if (request.is<protocol::Walk>(Kind::walk)) {
      walk.walk = request.get<protocol::Walk>();
    } else if (request.is<protocol::FoundWalk>(Kind::walk)) {
      walk = request.get<protocol::FoundWalk>();
    } else {
      return false;
    }
    failed_regions += finish_fills();
    if (const LockResult result = install_handlers();
        result.failure != protocol::LockFailure::none) {
      send_lock_result(result, failed_regions);
    }
    protocol::Reply reply;
    reply.next = walk_lists(walk);
    failed_regions += finish_fetches();
    reply.failed_regions = failed_regions;
    send_reply(reply);
    return true;
  }

  static LockResult lock(std::uint64_t& failed_regions) {
    machine::set_thread_pointer(run_state.setup.thread_pointer);
    failed_regions += finish_fills() + finish_fetches();
    const LockResult result = install_handlers();
    if (result.failure != protocol::LockFailure::none) {
      return result;
    }
    set_breakpoints();
    return enter_sandbox(run_state.setup.parent);
  }

  static protocol::Command& command() { return run_state.command; }

  static protocol::Reply carry_out() {
    switch (run_state.command.kind) {
    case Kind::clear:
    case Kind::update:
    case Kind::traverse:
    case Kind::collect:
    case Kind::visits:
    case Kind::edges:
    case Kind::find:
    case Kind::scan:
    case Kind::inspect:
    case Kind::list:
      return run_command();
    default:
      broken_protocol();
    }
  }
};

} // namespace
} // namespace pygc::replayer

extern "C" [[noreturn]] void pygc_replayer_main(const std::uint64_t* initial_stack);

void pygc_replayer_main(const std::uint64_t* initial_stack) {
  pygc::replayer::read_auxiliary_vector(initial_stack);
  pygc::replayer::machine::probe_thread_pointer_access();
  pygc::replayer::NativeReplayer replayer;
  pygc::replayer::Conversation(replayer, pygc::replayer::packet).run();
}
