#include "gdb-plugin/script.h"

#include "common/machine/machine.h"
#include "common/protocol/wire_commands.h"
#include "gdb-plugin/completion.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <unistd.h>

namespace pygc::gdb {
namespace {

constexpr std::size_t printf_piece = 4000;

// "$argN" is pasted text. "maint set test-settings string-noescape" (a scratch setting of GDB's own
// tests) takes the rest of its line raw, and $_gdb_maint_setting_str gives it back as a string, so
// any quoting survives. "with language c": an Ada, Pascal, Rust ... frame may be selected; without
// it a condition is a mere variable, for not every language has "==". "thread apply -q -s" swallows
// errors, what was printed before one, and puts the selected thread and frame back. "info frame
// view" has a frame sniffed without registers being read anew (after a flush GDB would repeat its
// warnings about the core's register sections in every command's output); one with a known address
// would not be sniffed. Without DWARF, or GDB would go on from that frame, which is on no chain, to
// callers that look real, forget a cache of tail calls there and abort on it at a later stop. What
// it prints is dropped, for an error follows. Where a thread has stopped at no signal, or GDB has
// no $_siginfo, __pygc_thread ends there in an error. Never "select-frame": GDB tells users of MI
// of each frame that is selected. @N: a channel. (char)N: an Item. own, clear: breakpoints of ours;
// an error in a response may have left some behind.
constexpr std::string_view helpers = R"(
define-prefix pygc
document pygc
%FAMILY%.
end
define __pygc_text
  append value @731 $_gdb_maint_setting_str("test-settings string-noescape")
end
define __pygc_own
  eval "set $__pygc_own_%d = $bpnum", $__pygc_owned
  set $__pygc_owned = $__pygc_owned + 1
end
define __pygc_clear
  while $__pygc_owned > 0
    set $__pygc_owned = $__pygc_owned - 1
    eval "set $__pygc_number = $__pygc_own_%d", $__pygc_owned
    delete $__pygc_number
  end
end
set $__pygc_owned = 0
define __pygc_begin
  __pygc_clear
  set $pygc_status = 2
  set $__pygc_step = 0
  set $__pygc_i = 0
  set $__pygc_n = $arg1
  set $__pygc_more = $__pygc_n > 0
  dump value @733 (char)10
  dump value @731 (char)5
  append value @731 "$arg0"
  append value @731 (char)6
  append value @731 $_gdb_setting_str("sysroot")
  append value @731 (char)7
  eval "maint set test-settings string-noescape %d.%d", $_gdb_major, $_gdb_minor
  __pygc_text
  append value @731 (char)8
  eval "maint set test-settings string-noescape %d", $_gdb_setting("style enabled")
  __pygc_text
end
define __pygc_push
  append value @731 (char)1
  __pygc_text
  set $__pygc_i = $__pygc_i + 1
  set $__pygc_more = $__pygc_i < $__pygc_n
end
define __pygc_thread
  eval "maint set test-settings string-noescape %THREAD_FORMAT%", %THREAD_VALUES%
  append value @731 (char)2
  __pygc_text
  eval "maint set test-settings string-noescape %d", $_siginfo.si_signo
  append value @731 (char)14
  __pygc_text
end
define __pygc_threads
  if $_thread != 0
    eval "thread apply %d.%d -q -s __pygc_thread", $_inferior, $_thread
    thread apply all -q -s __pygc_thread
  end
end
define __pygc_value
  eval "maint set test-settings string-noescape %#lx", (unsigned long)$__pygc_value
  append value @731 (char)3
  __pygc_text
end
define __pygc_ring
  if $_isvoid($__pygc_view)
    set $__pygc_view = 0
  end
  set $__pygc_view = $__pygc_view + 1
  maint with dwarf unwinders off -- info frame view $__pygc_view $__pygc_view
  __pygc_drop_what_was_printed
end
define __pygc_send
  set $__pygc_step = 0
  set $__pygc_again = 0
  append value @731 (char)4
  if $_thread != 0
    eval "thread apply %d.%d -q -s __pygc_ring", $_inferior, $_thread
  else
    jit-reader-unload
    jit-reader-load %LIBRARY%
  end
  dump value @731 (char)0
  source @733
end
define __pygc_run
  with language c -- __pygc_begin $arg0 $argc-1
  while $__pygc_more
    eval "maint set test-settings string-noescape $arg%d", $__pygc_i + 1
    with language c -- __pygc_push
  end
  __pygc_call
end
define __pygc_call
  with language c -- __pygc_send
  while $__pygc_again
    source @732
    with language c -- __pygc_send
  end
  if $__pygc_step
    source @732
  else
    echo pygc: not run: the thread runs, has no registers, or was interrupted\n
  end
end
)";

constexpr std::string_view command_template = R"(define pygc %NAME%
  dont-repeat
  with language c -- __pygc_begin %NAME% $argc
  while $__pygc_more
    eval "maint set test-settings string-noescape $arg%d", $__pygc_i
    with language c -- __pygc_push
  end
  __pygc_call
end
document pygc %NAME%
%SUMMARY%.
Usage: pygc %NAME% [OPTION...]

%HELP%

$pygc_status holds the status.
end
)";

constexpr const char* own = "\nwith language c -- __pygc_own\n";

std::string number(Address address) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(address));
  return text.data();
}

/// As unquote() reads it.
std::string quote(const std::string& word) {
  std::string quoted;
  for (const char c : word) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("-_./=:,+@%").find(c) != std::string_view::npos;
    quoted += plain ? std::string(1, c) : std::string("\\") + c;
  }
  return quoted.empty() ? "\"\"" : quoted;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

// "thread apply -q -s" again: what such a target cannot do is no error of the command. No string
// may be an argument of "eval": GDB would have the process allocate memory for it.
std::string quietly(const std::string& command) {
  return "with language c -- eval \"thread apply %d.%d -q -s " + command +
         "\", $_inferior, $_thread\n";
}

// GDB tells scripts not which breakpoint has stopped the process, nor does it count for them: the
// conditions do. An assignment's value is what was assigned, so the last operand is true.
std::string as_breakpoint(const wire::Action& action) {
  std::string condition = wire::condition_of(action);
  std::string before;
  if (action.ignore > 0) {
    before = "eval \"set $__pygc_passed_%d = 0\", $__pygc_owned\n";
    condition = "($__pygc_passed_%d = $__pygc_passed_%d + 1) > " + std::to_string(action.ignore);
  }
  if (action.mark != 0) {
    condition += (condition.empty() ? "" : " && ") + std::string("($__pygc_stop = ") +
                 std::to_string(action.mark) + ")";
  }
  const std::string command = "break *" + number(action.address) +
                              (action.own_thread ? " thread %d.%d" : "") +
                              (condition.empty() ? "" : " if " + condition);
  return before + "with language c -- eval \"" + command + "\"" +
         (action.own_thread ? ", $_inferior, $_thread" : "") +
         (action.ignore > 0 ? ", $__pygc_owned, $__pygc_owned" : "") + own;
}

// GDB chooses anew how to watch whenever the process goes on.
const char* without_registers(bool steps) {
  return steps ? "with can-use-hw-watchpoints 0 -- " : "";
}

} // namespace

std::string definitions(const wire::CommandTable& table, const std::string& library) {
  std::string format = "%d";
  std::string values = "$_gthread";
  for (const char* name : machine::register_names) {
    format += " %#lx";
    values += std::string(", (unsigned long)$") + name;
  }
  format += " %#lx";
  const std::string pointer = std::string("$") + machine::thread_pointer_name;
  values += ", (unsigned long)($_isvoid(" + pointer + ") ? 0 : " + pointer + ")";

  std::string text(helpers);
  for (const char* name : {"text", "own", "clear", "begin", "push", "thread", "threads", "value",
                           "ring", "send", "run", "call"}) {
    text += std::string("document __pygc_") + name + "\nInternal to pygc.\nend\n";
  }
  replace_all(text, "%THREAD_FORMAT%", format);
  replace_all(text, "%THREAD_VALUES%", values);
  replace_all(text, "%FAMILY%", table.family);
  for (const wire::Command& command : table.commands) {
    std::string one(command_template);
    replace_all(one, "%NAME%", command.name);
    replace_all(one, "%SUMMARY%", command.summary);
    replace_all(one, "%HELP%", command.help);
    text += one;
  }
  text += completion(table);
  replace_all(text, "@73", "/proc/self/fd/73");
  replace_all(text, "%LIBRARY%", library);
  return text;
}

std::string as_printf(std::string_view text) {
  std::string commands;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) {
      commands += "printf \"" + line + "\"\n";
      line.clear();
    }
  };
  for (std::size_t i = 0; i < text.size(); i++) {
    switch (const char c = text[i]) {
    case '\0':
      break;
    case '\n':
      line += "\\n";
      break;
    case '\r':
      line += "\\r";
      break;
    case '%':
      line += "%%";
      break;
    case '\\':
    case '"':
      line += '\\';
      [[fallthrough]];
    default:
      line += c;
    }
    // Not in the middle of a UTF-8 character.
    const bool boundary =
        i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0U) != 0x80U;
    if (line.size() >= printf_piece && boundary) {
      flush();
    }
  }
  flush();
  return commands;
}

std::string as_commands(const std::vector<wire::Action>& actions) {
  std::string commands;
  bool steps = false;
  for (const auto& action : actions) {
    switch (action.kind) {
    case wire::ActionKind::breakpoint:
      commands += as_breakpoint(action);
      break;
    case wire::ActionKind::watch_access:
    case wire::ActionKind::watch_write:
    case wire::ActionKind::watch_steps:
      steps = steps || action.kind == wire::ActionKind::watch_steps;
      commands += std::string(without_registers(steps)) + "with language c -- " +
                  (action.kind == wire::ActionKind::watch_access ? "awatch" : "watch") +
                  " *(unsigned long *) " + number(action.address) + own;
      if (action.ignore > 0) {
        commands += "ignore $bpnum " + std::to_string(action.ignore) + "\n";
      }
      break;
    case wire::ActionKind::resume:
      commands += "set $__pygc_stop = 0\n" + std::string(without_registers(steps)) + "continue\n";
      break;
    case wire::ActionKind::clear:
      commands += "with language c -- __pygc_clear\n";
      steps = false;
      break;
    case wire::ActionKind::run:
      commands += "pygc";
      for (const auto& word : action.words) {
        commands += " " + quote(word);
      }
      commands += action.tells_stop ? " --stop=$__pygc_stop" : "";
      commands += "\n";
      break;
    }
  }
  return commands;
}

std::string status_commands(int status, Step step) {
  return "set $pygc_status = " + std::to_string(status) +
         "\nset $__pygc_step = " + std::to_string(static_cast<int>(step)) +
         "\nset $__pygc_again = " + (step == Step::again ? "1" : "0") + "\n";
}

std::string collect_threads() {
  return "with language c -- __pygc_threads\n";
}

std::string collect_process() {
  const std::string file = "/proc/" + std::to_string(::getpid()) + "/fd/734";
  return quietly("pipe info proc | cat >" + file) + quietly("pipe info inferiors | cat >>" + file);
}

std::string collect_maps(std::int64_t pid) {
  return quietly("remote get /proc/" + std::to_string(pid) + "/maps /proc/self/fd/734");
}

std::string collect_value(const std::string& expression) {
  return "with may-call-functions off -- set $__pygc_value = " + expression +
         "\nwith language c -- __pygc_value\n";
}

} // namespace pygc::gdb
