// Breakpoints and watchpoints that pygc sets for a command of its own: they go when it is done,
// whatever happens; the user's are never touched.
#pragma once

#include "common/protocol/wire_actions.h"

#include <lldb/API/LLDB.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pygc::lldb_plugin {

class OwnStops {
public:
  explicit OwnStops(const lldb::SBTarget& target) : target_(target) {}
  OwnStops(const OwnStops&) = delete;
  OwnStops& operator=(const OwnStops&) = delete;
  ~OwnStops() { clear(); }

  /// For an action that sets one. Returns why it cannot be set, empty when it is.
  std::string set(const wire::Action& action);
  void clear();
  /// The mark of the breakpoint that has stopped the process; 0 when another one, or anything else,
  /// has, too.
  std::uint8_t stopped_by();
  /// True when instructions are to be stepped, in place of letting the process run.
  bool steps() const { return stepped_.has_value(); }
  /// After an instruction: whether that is the change to stop for.
  bool changed_enough();

private:
  struct SteppedWord {
    lldb::addr_t address = 0;
    std::uint64_t value = 0;
    std::uint64_t ignore = 0;
  };

  std::string set_breakpoint(const wire::Action& action);
  std::string set_watchpoint(const wire::Action& action);
  bool read(lldb::addr_t address, std::uint64_t& value);

  lldb::SBTarget target_;
  std::map<lldb::break_id_t, std::uint8_t> breakpoints_; // and their marks
  std::vector<lldb::watch_id_t> watchpoints_;
  std::optional<SteppedWord> stepped_;
};

} // namespace pygc::lldb_plugin
