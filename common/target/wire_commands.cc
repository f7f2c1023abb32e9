#include "common/target/wire_commands.h"

#include <array>

namespace pygc::wire {
namespace {

constexpr std::array table = {
    Command{.name = "check",
            .summary =
                "Check the reference counts of the objects that the garbage collector tracks",
            .help = "Replays the collector's own arithmetic (update_refs, subtract_refs) with the "
                    "target's own\n"
                    "traverse functions, on a copy of its memory, and reports objects whose "
                    "gc_refs fall below\n"
                    "zero with everything that visited them, damaged lists, objects that cannot be "
                    "read, and\n"
                    "how complete the check was.\n"
                    "\n"
                    "Examples:\n"
                    "  pygc check\n"
                    "  pygc check --json --output check.json\n"
                    "  pygc check --help        (all options)\n"
                    "\n"
                    "Status: 0 clean and complete, 1 findings, 2 usage or target error, 3 "
                    "incomplete without\n"
                    "findings."},
    Command{.name = "gc-refs",
            .summary = "List gc_refs, reference count and type of every tracked object",
            .help = "Writes one line for each object, in the collector's order:\n"
                    "  0xADDRESS gc_refs refcount type\n"
                    "\n"
                    "Examples:\n"
                    "  pygc gc-refs --output refs.txt\n"
                    "  pygc gc-refs --help      (all options)\n"
                    "\n"
                    "Status: 0 done, 2 usage or target error, 3 incomplete."},
    Command{.name = "version",
            .summary = "Print the version of pygc",
            .help = "Example:\n"
                    "  pygc version"},
};

} // namespace

std::span<const Command> commands() {
  return table;
}

const Command* find_command(std::string_view name) {
  for (const auto& command : table) {
    if (name == command.name) {
      return &command;
    }
  }
  return nullptr;
}

} // namespace pygc::wire
