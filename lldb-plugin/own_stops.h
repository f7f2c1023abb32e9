// Breakpoints and watchpoints that pygc sets for a command of its own: they go when it is done,
// whatever happens; the user's are never touched.
#pragma once

#include "common/target/wire_actions.h"

#include <lldb/API/LLDB.h>

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

private:
  lldb::SBTarget target_;
  std::vector<lldb::break_id_t> breakpoints_;
  std::vector<lldb::watch_id_t> watchpoints_;
};

} // namespace pygc::lldb_plugin
