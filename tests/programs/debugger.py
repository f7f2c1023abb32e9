"""What gdb runs: commands and a pretty printer of its own, and an inferior that they are used on."""
import os
import sys

import gdb
import gdb.printing

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import workload


class Held(gdb.Command):
    def __init__(self):
        super().__init__("held", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        self.frames = [gdb.selected_frame()]


class Twice(gdb.Function):
    def __init__(self):
        super().__init__("twice")

    def invoke(self, value):
        return value * 2


class Printer:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return "a word"


class Stop(gdb.Breakpoint):
    def stop(self):
        return True


Held()
Twice()
printers = gdb.printing.RegexpCollectionPrettyPrinter("words")
printers.add_printer("word", "^long$", Printer)
gdb.printing.register_pretty_printer(None, printers)
gdb.execute("set confirm off")
gdb.execute("file /bin/true")
gdb.execute("starti", to_string=True)
gdb.execute("held")
gdb.execute("print $twice(2)")
stop = Stop("*$pc")
held = [gdb.selected_inferior(), gdb.selected_thread(), gdb.parse_and_eval("(long)1")]
gdb.execute("print (long)1")
print("READY", flush=True)
