#include "lldb-plugin/own_stops.h"

#include <algorithm>

namespace pygc::lldb_plugin {
namespace {

constexpr std::size_t watched_size = 8;

} // namespace

std::string OwnStops::set(const wire::Action& action) {
  switch (action.kind) {
  case wire::ActionKind::breakpoint:
    return set_breakpoint(action);
  case wire::ActionKind::watch_steps:
    stepped_ = SteppedWord{.address = action.address, .value = 0, .ignore = action.ignore};
    return read(action.address, stepped_->value) ? "" : "LLDB cannot read what is to be watched";
  default:
    return set_watchpoint(action);
  }
}

std::string OwnStops::set_breakpoint(const wire::Action& action) {
  lldb::SBBreakpoint breakpoint = target_.BreakpointCreateByAddress(action.address);
  if (!breakpoint.IsValid()) {
    return "LLDB cannot set a breakpoint";
  }
  breakpoints_[breakpoint.GetID()] = action.mark;
  if (const std::string condition = wire::condition_of(action); !condition.empty()) {
    breakpoint.SetCondition(condition.c_str());
  }
  breakpoint.SetIgnoreCount(static_cast<std::uint32_t>(action.ignore));
  if (action.own_thread) {
    breakpoint.SetThreadID(target_.GetProcess().GetSelectedThread().GetThreadID());
  }
  return {};
}

std::string OwnStops::set_watchpoint(const wire::Action& action) {
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

std::uint8_t OwnStops::stopped_by() {
  lldb::SBThread thread = target_.GetProcess().GetSelectedThread();
  if (thread.GetStopReason() != lldb::eStopReasonBreakpoint) {
    return 0;
  }
  std::uint8_t mark = 0;
  // Pairs of a breakpoint and its location.
  const auto count = static_cast<std::uint32_t>(thread.GetStopReasonDataCount());
  for (std::uint32_t i = 0; i + 1 < count; i += 2) {
    const auto id = static_cast<lldb::break_id_t>(thread.GetStopReasonDataAtIndex(i));
    const auto own = breakpoints_.find(id);
    if (own == breakpoints_.end()) {
      return 0;
    }
    mark = std::max(mark, own->second);
  }
  return mark;
}

bool OwnStops::changed_enough() {
  std::uint64_t value = 0;
  if (!read(stepped_->address, value)) {
    return true;
  }
  if (value == stepped_->value) {
    return false;
  }
  stepped_->value = value;
  return stepped_->ignore-- == 0;
}

bool OwnStops::read(lldb::addr_t address, std::uint64_t& value) {
  lldb::SBError error;
  value = target_.GetProcess().ReadUnsignedFromMemory(address, sizeof value, error);
  return error.Success();
}

void OwnStops::clear() {
  for (const auto& [id, mark] : breakpoints_) {
    target_.BreakpointDelete(id);
  }
  for (const auto id : watchpoints_) {
    target_.DeleteWatchpoint(id);
  }
  breakpoints_.clear();
  watchpoints_.clear();
  stepped_.reset();
}

} // namespace pygc::lldb_plugin
