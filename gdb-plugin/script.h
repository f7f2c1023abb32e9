// The GDB side of the commands: the text of their definitions, and text for "source" that prints.
#pragma once

#include "common/protocol/wire_actions.h"
#include "common/protocol/wire_commands.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pygc::gdb {

/// "define-prefix pygc", "define pygc check", "document pygc check" ... `library` is loaded anew
/// when there is no frame whose sniffing would call us.
std::string definitions(const wire::CommandTable& table, const std::string& library);

/// Commands that have GDB print the text: pipes, logs, MI and the pager all see it.
std::string as_printf(std::string_view text);

/// Commands that carry out what an analysis asks for.
std::string as_commands(const std::vector<wire::Action>& actions);

/// What the script does after a ring: nothing, print the response, or answer a question and ring
/// again.
enum class Step : int { none, finished, again };
std::string status_commands(int status, Step step);

/// Commands that gather every thread's registers.
std::string collect_threads();
/// Commands that have GDB say, in answer_fd, which process is selected ("info proc") and how GDB is
/// connected to it ("info inferiors").
std::string collect_process();
/// Commands that fetch /proc/PID/maps from where the process is, to answer_fd.
std::string collect_maps(std::int64_t pid);
/// Commands that evaluate; GDB's own error message ends the user's command when it cannot.
std::string collect_value(const std::string& expression);

} // namespace pygc::gdb
