// Lets the process run on, as "process continue" does, from inside a command.
#pragma once

#include "lldb-plugin/own_stops.h"

#include <lldb/API/LLDB.h>

#include <string>

namespace pygc::lldb_plugin {

/// Returns, with what LLDB says of it, when the process has stopped or ended. Ctrl-C stops it: LLDB
/// itself takes the first one for the command alone.
/// Steps instructions where `stops` asks for that, in the selected thread alone.
std::string resume(lldb::SBDebugger& debugger, OwnStops& stops);

} // namespace pygc::lldb_plugin
