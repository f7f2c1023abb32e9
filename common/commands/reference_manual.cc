// Manual pages, in the man macros.
#include "common/commands/reference_model.h"

#include <cctype>
#include <fmt/format.h>
#include <string_view>

namespace pygc::commands {
namespace {

/// Text that roff shows as it stands.
std::string roff(std::string_view text) {
  std::string shown;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) {
      shown += "\\&";
    }
    shown += c == '\\'   ? "\\e"
             : c == '-'  ? "\\-"
             : c == '\'' ? "\\(aq"
             : c == '`'  ? "\\(ga"
             : c == '^'  ? "\\(ha"
             : c == '~'  ? "\\(ti"
                         : std::string(1, c);
    at_start = c == '\n';
  }
  return shown;
}

std::string upper(std::string text) {
  for (char& c : text) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

std::string header(const std::string& name, const std::string& version) {
  return fmt::format(".TH {} 1 \"\" \"pygc {}\" \"pygc\"\n", roff(upper(name)), roff(version));
}

std::string tag(const OptionText& option) {
  std::string line;
  for (const std::string& name : option.names) {
    line += (line.empty() ? "" : ", ") + fmt::format("\\fB{}\\fR", roff(name));
  }
  if (line.empty()) {
    return fmt::format("\\fI{}\\fR", roff(option.word));
  }
  return option.type.empty() ? line : line + fmt::format(" \\fI{}\\fR", roff(option.type));
}

std::string list(const CommandText& command, bool shared) {
  std::string text;
  for (const OptionText& option : command.options) {
    if (option.shared == shared) {
      text += fmt::format(".TP\n{}\n{}.\n", tag(option), roff(option.description));
    }
  }
  return text;
}

/// Paragraphs filled, examples as they stand.
std::string body(std::string_view help) {
  std::string text;
  bool example = false;
  while (!help.empty()) {
    const std::string_view line = help.substr(0, help.find('\n'));
    help.remove_prefix(std::min(help.size(), line.size() + 1));
    if (const bool indented = line.starts_with(' '); indented != example && !line.empty()) {
      text += indented ? ".PP\n.nf\n" : ".fi\n";
      example = indented;
    }
    text += line.empty() ? (help.starts_with(' ') ? "" : ".PP\n") : roff(line) + "\n";
  }
  return text + (example ? ".fi\n" : "");
}

constexpr std::string_view statuses = R"(.SH EXIT STATUS
.TP
.B 0
clean and complete
.TP
.B 1
findings of severity error
.TP
.B 2
an error of usage or of the target
.TP
.B 3
incomplete, without such findings
)";

} // namespace

std::string manual_of_program(const std::vector<CommandText>& commands,
                              const std::string& version) {
  std::string text = header("pygc", version);
  text += R"(.SH NAME
pygc \- tell whether CPython's garbage collector counts references right
.SH SYNOPSIS
.B pygc
.I command
.RI [ option ...]
.RI [ core ]
.SH DESCRIPTION
pygc examines the objects that CPython's garbage collector tracks, in core files and in running
processes: alone, and as a command of GDB and LLDB. It replays the collector's own arithmetic with the
interpreter's own traverse functions on a copy of its memory, and names the objects whose references
are counted wrong together with the containers that visit them.
.SH COMMANDS
)";
  for (const CommandText& command : commands) {
    text +=
        fmt::format(".TP\n\\fBpygc\\-{}\\fR(1)\n{}.\n", roff(command.name), roff(command.summary));
  }
  text += R"(.PP
.B pygc help
lists the commands,
.BI "pygc help " command
shows one, and
.B pygc \-\-version
is
.BR "pygc version" .
)";
  text += statuses;
  text += R"(.SH ENVIRONMENT
.TP
.B DEBUGINFOD_URLS
servers that are asked for files which are not there
.TP
.B NO_COLOR
no colours
.TP
.BR PYGC_LIBEXEC_DIR ", " PYGC_SHARE_DIR
where the engines and the data files lie, instead of beside the program
.TP
.B PYGC_EXECUTABLE
which pygc the plugins of GDB and LLDB start
.TP
.B PYGC_HARDWARE_WATCHPOINTS
1 or 0: whether hardware watchpoints are used, without a trial
.TP
.B PYGC_KEEP_SECONDS
how long pygc waits for another command on a core in a debugger (600); 0: not at all
.SH SEE ALSO
.BR gdb (1),
.BR lldb (1)
)";
  return text;
}

std::string manual_of(const CommandText& command, const std::string& version) {
  std::string words;
  for (const OptionText& option : command.options) {
    words += option.names.empty() ? fmt::format(" [\\fI{}\\fR]", roff(option.word)) : "";
  }
  std::string text = header("pygc-" + command.name, version);
  text += fmt::format(".SH NAME\npygc\\-{0} \\- {1}\n.SH SYNOPSIS\n\\fBpygc {0}\\fR "
                      "[\\fIoption\\fR ...]{2}\n.SH DESCRIPTION\n",
                      roff(command.name), roff(command.summary), words);
  text += body(command.help);
  text += ".SH OPTIONS\n" + list(command, false);
  if (const std::string shared = list(command, true); !shared.empty()) {
    text += ".SS Options of most commands\n" + shared;
  }
  text += statuses;
  return text + ".SH SEE ALSO\n.BR pygc (1)\n";
}

} // namespace pygc::commands
