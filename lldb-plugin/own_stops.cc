#include "lldb-plugin/own_stops.h"

namespace pygc::lldb_plugin {
namespace {

constexpr std::size_t watched_size = 8;

} // namespace

std::string OwnStops::set(const wire::Action& action) {
  if (action.kind == wire::ActionKind::breakpoint) {
    lldb::SBBreakpoint breakpoint = target_.BreakpointCreateByAddress(action.address);
    if (!breakpoint.IsValid()) {
      return "LLDB cannot set a breakpoint";
    }
    breakpoints_.push_back(breakpoint.GetID());
    if (const std::string condition = wire::condition_of(action); !condition.empty()) {
      breakpoint.SetCondition(condition.c_str());
    }
    return {};
  }
  lldb::SBError error;
  const bool reads = action.kind == wire::ActionKind::watch_access;
  lldb::SBWatchpoint watchpoint =
      target_.WatchAddress(action.address, watched_size, reads, true, error);
  if (!watchpoint.IsValid() || error.Fail()) {
    const char* why = error.GetCString();
    return std::string("LLDB cannot set a watchpoint") +
           (why == nullptr ? "" : std::string(": ") + why);
  }
  watchpoints_.push_back(watchpoint.GetID());
  watchpoint.SetIgnoreCount(static_cast<std::uint32_t>(action.ignore));
  return {};
}

void OwnStops::clear() {
  for (const auto id : breakpoints_) {
    target_.BreakpointDelete(id);
  }
  for (const auto id : watchpoints_) {
    target_.DeleteWatchpoint(id);
  }
  breakpoints_.clear();
  watchpoints_.clear();
}

} // namespace pygc::lldb_plugin
