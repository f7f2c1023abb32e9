"""Walks through a collection with `pygc step`, and reads the interpreter by itself at every stop.

Runs in a debugger whose Python is allowed here (a test, not the product), in GDB or in LLDB, at a stop
before the collection. Leaves in `directory` what pygc said, 0.json, 1.json ..., and in walk.json what was
read: the container whose traversal the interpreter is about to call, and gc_refs of each object of its list.
Serves CPython 3.8 and later (PyGC_Head of 16 bytes); needs no symbols.
"""
import json
import re
import struct

HEAD = 16
TRAVERSE_CALL = re.compile(r"callq?\s+\*0xb8\(%r\w+\)")
STEPS = 8  # instructions from where the loop has fetched a container to the call


class Gdb:
    def __init__(self):
        import gdb
        self.gdb = gdb

    def run(self, command):
        self.gdb.execute(command)

    def step(self):
        self.gdb.execute("stepi", to_string=True)

    def register(self, name):
        return int(self.gdb.parse_and_eval("(unsigned long)$" + name)) & 0xFFFFFFFFFFFFFFFF

    def instruction(self):
        return self.gdb.execute("x/i $pc", to_string=True).split(":", 1)[1].strip()

    def read(self, address, size):
        return bytes(self.gdb.selected_inferior().read_memory(address, size))


class Lldb:
    def __init__(self):
        import lldb
        self.lldb = lldb
        self.target = lldb.debugger.GetSelectedTarget()

    def thread(self):
        return self.target.GetProcess().GetSelectedThread()

    def run(self, command):
        self.lldb.debugger.HandleCommand(command)

    def step(self):
        self.lldb.debugger.SetAsync(False)
        self.thread().StepInstruction(False)

    def register(self, name):
        return self.thread().GetFrameAtIndex(0).FindRegister(name).GetValueAsUnsigned()

    def instruction(self):
        at = self.thread().GetFrameAtIndex(0).GetPCAddress()
        one = self.target.ReadInstructions(at, 1).GetInstructionAtIndex(0)
        return one.GetMnemonic(self.target) + " " + one.GetOperands(self.target)

    def read(self, address, size):
        return self.target.GetProcess().ReadMemory(address, size, self.lldb.SBError())


def ring(debugger, node):
    """The nodes from this one to the one whose next it is."""
    nodes = []
    at = node
    while True:
        nodes.append(at)
        at = struct.unpack("<Q", debugger.read(at, 8))[0] & ~3
        if at == node:
            return nodes


def gc_refs(debugger, nodes):
    return [[node + HEAD, struct.unpack("<q", debugger.read(node + 8, 8))[0] >> 2] for node in nodes]


def next_container(debugger):
    """Steps to the call of a traverse function; the object it is called for, 0 behind the loop."""
    for _ in range(STEPS):
        if TRAVERSE_CALL.match(debugger.instruction()):
            return debugger.register("rdi")
        debugger.step()
    return 0


def walk(directory, options, debugger):
    records = []
    debugger.run("pygc step arm --json --objects --limit 1000 --output %s/0.json %s" % (directory, options))
    container = next_container(debugger)
    nodes = ring(debugger, container - HEAD)[:-1]  # without the head of the list
    while True:
        records.append({"container": container, "objects": gc_refs(debugger, nodes)})
        if container == 0:
            break
        debugger.run("pygc step next --json --objects --limit 1000 --output %s/%d.json %s" %
                     (directory, len(records), options))
        container = next_container(debugger)
    with open(directory + "/walk.json", "w") as out:
        json.dump(records, out)
    print("walked", len(records))
