#include "common/protocol/wire_commands.h"

#include <array>

namespace pygc::wire {
namespace {

constexpr std::array table = {
    Command{.name = "check",
            .summary = "Check the reference counts of the garbage collector's objects",
            .help = R"(Replays the collector's own arithmetic (update_refs, subtract_refs) with the
target's own traverse functions, on a copy of its memory. Reports objects whose
gc_refs fall below zero with everything that visited them, visits of what their
container does not own, slots visited twice, traversals that write, fault or do
not end, damaged lists, objects that cannot be read, and how complete the check
was.

Examples:
  pygc check
  pygc check --json --output check.json
  pygc check --pid 4711    (a running process instead)
  pygc check --deep        (slots and owners of every object, not of a sample)
  pygc check --engine both (natively and in an emulator, compared)
  pygc check --help        (all options)

Status: 0 clean and complete, 1 findings, 2 usage or target error, 3 incomplete
without findings.)"},
    Command{.name = "gc-refs",
            .summary = "List gc_refs, reference count and type of every tracked object",
            .help = R"(Writes one line for each object, in the collector's order:
  0xADDRESS gc_refs refcount type

Examples:
  pygc gc-refs --output refs.txt
  pygc gc-refs --help      (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)"},
    Command{.name = "generations",
            .summary = "Show the collector's lists of objects, counts and thresholds",
            .help = R"(Examples:
  pygc generations
  pygc generations --help  (all options)

Status: 0 done, 2 usage or target error, 3 incomplete.)"},
    Command{.name = "runtime",
            .summary = "Show the version, the interpreters and the collector's state",
            .help = R"(Examples:
  pygc runtime
  pygc runtime --help      (all options)

Status: 0 done, 2 usage or target error.)"},
    Command{.name = "modules",
            .summary = "Show module instances, their definitions and what m_traverse visits",
            .help = R"(Examples:
  pygc modules
  pygc modules --json

Status: 0 done, 2 usage or target error, 3 incomplete.)"},
    Command{.name = "audit",
            .summary = "Hold every traverse function against the rules of the C API",
            .help =
                R"(Traces each tp_traverse and m_traverse that has instances, in an emulator, and
tells which of them: do not visit the type of an instance of a heap type; do not
visit a field that holds a counted reference; visit what the container does not
own, or one slot twice; write, change a reference count, allocate, fault, make a
system call, or do not end. What memory does not prove is called likely.

Examples:
  pygc audit
  pygc audit --deep --json --output audit.json

Status: 0 nothing proven and complete, 1 a proven violation, 2 usage or target
error, 3 incomplete.)"},
    Command{.name = "step",
            .summary = "Step through subtract_refs of a running collection, container by container",
            .help = R"(Of a live process in GDB or LLDB. Alone it tells where the selected thread is
inside a collection: the container being traversed, what it has visited so far,
whose gc_refs changed, the next container, and each stored gc_refs that is not
what it should be. The other forms let the process go on to

  arm               the next collection's subtract_refs
  next [N]          the next container, or the Nth from here
  visit [N]         the next visit that changes a gc_refs, or the Nth
  to ADDR           the traversal of the container at ADDR
  until-negative    the visit that makes a gc_refs negative

with one hardware watchpoint or breakpoint, which is removed then.

Examples:
  pygc step arm
  pygc step next
  pygc step until-negative
  pygc step --core CORE    (of a core that was taken inside a collection)
  pygc step --help         (all options)

Status: 0 done, 2 usage or target error, 3 stopped elsewhere before, or nothing
to go to.)"},
    Command{.name = "watch",
            .summary = "Show every decrement of an object's gc_refs in the next collection",
            .help =
                R"(Of a live process in GDB or LLDB: stops behind each decrement, through a
hardware watchpoint, and tells the container, its traverse function and the
stack. Inside subtract_refs the running collection is the one.

Examples:
  pygc watch 0x7f21c2a0
  pygc watch --limit 10 ADDR
  pygc watch --help        (all options)

Status: 0 done, 2 usage or target error, 3 stopped elsewhere before, or there is
no such decrement.)"},
    Command{.name = "doctor",
            .summary = "Show what pygc found of the target, what it lacks, and what mends it",
            .help = R"(Examples:
  pygc doctor
  pygc doctor --json

Status: 0 nothing is lacking, 2 a check is not possible, 3 results are degraded.)"},
    Command{.name = "snapshot",
            .summary = "Write a core of a running process, which stands still only meanwhile",
            .help =
                R"(Holds the process as long as the copying of its memory takes, lets it go on and
writes the copy: a core file for pygc, GDB and LLDB. The process is not changed.

Example:
  pygc snapshot --pid 4711 --output core.4711

Status: 0 done, 2 usage or target error, 3 memory of it could not be read.)"},
    Command{.name = "layout",
            .summary = "Write the layout table of a CPython that has debug information",
            .help = R"(For those who add a build to the tables that serve targets without debug
information (docs/layouts.md).

Example:
  pygc layout --vendor debian --output debian-3.14.10-release.json

Status: 0 done, 2 usage or target error.)"},
    Command{.name = "version", .summary = "Print the version of pygc", .help = R"(Example:
  pygc version)"},
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
