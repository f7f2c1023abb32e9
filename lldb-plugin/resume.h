// Lets the process run on, as "process continue" does, from inside a command.
#pragma once

#include <lldb/API/LLDB.h>

#include <string>

namespace pygc::lldb_plugin {

/// Returns, with what LLDB says of it, when the process has stopped or ended. Ctrl-C stops it: LLDB
/// itself takes the first one for the command alone.
std::string resume(lldb::SBDebugger& debugger);

} // namespace pygc::lldb_plugin
