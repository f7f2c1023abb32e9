#include "gdb-plugin/completion.h"

namespace pygc::gdb {
namespace {

// GDB's Python brings the function $_strlen. The commands are run by the same script as without it:
// here are their words only. A caller in Python gets the output as a text, so without colours, as
// of GDB's own commands. GDB asks twice, first (word is None) for the characters that end a word.
constexpr std::string_view commands_in_python = R"(
if !$_isvoid($_strlen)
python
def define_pygc(commands):
    import gdb
    import os
    import sys

    class Command(gdb.Command):
        def __init__(self, name, options):
            self.name = name
            self.options = [option.partition("=")[::2] for option in options]
            self.__doc__ = gdb.execute("help pygc " + name, to_string=True).rstrip("\n")
            super().__init__("pygc " + name, gdb.COMMAND_USER)

        def invoke(self, arguments, from_tty):
            self.dont_repeat()
            plain = "with style enabled off -- " if sys._getframe().f_back else ""
            try:
                gdb.execute(f"{plain}__pygc_run {self.name} {arguments}", from_tty)
            except gdb.error as error:
                raise gdb.GdbError(str(error)) from None

        def complete(self, text, word):
            before, _, last = text.rpartition(" ")
            option, value = before.rpartition(" ")[2], last
            if last.startswith("-"):
                option, equals, value = last.partition("=")
                if not equals:
                    names = [name for names, _ in self.options for name in names.split()]
                    return self.fitting(names, last, word)
            kinds = [kind for names, kind in self.options if option in names.split() and kind]
            kinds += [kind for names, kind in self.options if not names]
            if kinds and kinds[0] in ("FILE", "DIR"):
                if value == text:
                    return gdb.COMPLETE_FILENAME
                return self.fitting(self.files(value), value, word)
            if kinds and "|" in kinds[0] and kinds[0].islower():
                return self.fitting(kinds[0].split("|"), value, word)
            return gdb.COMPLETE_SYMBOL

        # GDB's own completion takes all that has been typed for one name.
        def files(self, typed):
            directory = os.path.dirname(typed)
            try:
                names = os.listdir(os.path.expanduser(directory) or ".")
            except OSError:
                return []
            return [os.path.join(directory, name) for name in names]

        # GDB replaces the word, which may be a part of what has been typed.
        def fitting(self, words, typed, word):
            kept = len(typed) - len(word) if word is not None else 0
            return [each[kept:] for each in words if each.startswith(typed)]

    for name, options in commands:
        Command(name, options)

define_pygc([
)";

} // namespace

std::string completion(const wire::CommandTable& table) {
  std::string text(commands_in_python);
  for (const wire::Command& command : table.commands) {
    text += "(\"" + command.name + "\", [";
    for (const std::string& option : command.options) {
      text += "\"" + option + "\", ";
    }
    text += "]),\n";
  }
  return text + "])\ndel define_pygc\nend\nend\n";
}

} // namespace pygc::gdb
