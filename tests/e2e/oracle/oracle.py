"""What the interpreter itself computes: gc_refs of each object at the end of subtract_refs.

Runs in a debugger whose Python is allowed here (a test, not the product):
    gdb -nx -batch -ex "python oracle_core='CORE'; oracle_refs='FILE'; oracle_debug=False; oracle_symbols=''" \
        -x oracle.py --args PYTHON collect.py ...
Takes a core at the entry of the collection that follows SIGUSR1 (before update_refs), lets
subtract_refs run to its end and writes one line an object: `0xADDR gc_refs refcount tp_name`.
With "python oracle_phase='NAME'; oracle_watched='FILE'" before, it only takes a core, and that inside
the phase of the collection (update_refs, subtract_refs, move_unreachable), when it touches the object
whose address FILE holds.
Serves CPython 3.8 and later (PyGC_Head of 16 bytes), with symbols. Of a free-threaded build, whose pass is
over when the next one begins, see free_threaded.py.
"""
import re
import struct
import sys

import gdb

HEAD = 16
COLLECTORS = ("gc_collect_main", "gc_collect_region", "collect")
LOOP_HOLDERS = ("deduce_unreachable", "gc_collect_main", "gc_collect_region", "collect")
# Of a free-threaded build, at their begin; in the others it stops where the object is traversed.
FREE_THREADED_PHASES = ("stop_the_world", "merge_all_queued_objects", "process_delayed_frees",
                        "scan_heap_visitor", "start_the_world")
TRAVERSE_CALL = re.compile(r"call\s+\*0xb8\(%r\w+\)")
JUMP = re.compile(r"\bj([a-z]+)\s+(?:.*?)(0x[0-9a-f]+)")


class OracleError(Exception):
    pass


def memory(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def word(address):
    return struct.unpack("<Q", memory(address, 8))[0]


def signed_word(address):
    return struct.unpack("<q", memory(address, 8))[0]


def text_at(address, limit=200):
    data = b""
    while len(data) < limit and b"\0" not in data:
        data += memory(address + len(data), 16)
    return data.split(b"\0")[0].decode("utf-8", "replace")


def register(name):
    return int(gdb.parse_and_eval("(unsigned long)$" + name)) & 0xFFFFFFFFFFFFFFFF


def function_address(name):
    """Of the out-of-line copy of a function; None if it is inlined everywhere."""
    try:
        said = gdb.execute("info address %s" % name, to_string=True)
    except gdb.error:
        return None
    found = re.search(r"is (?:a function )?at (?:address )?(0x[0-9a-f]+)", said)
    return int(found.group(1), 16) if found else None


def disassembly(address):
    """[(address, text)] of the function at the address, in the order of addresses."""
    listed = gdb.execute("disassemble 0x%x" % address, to_string=True)
    lines = re.findall(r"^(?:=>)?\s*(0x[0-9a-f]+) <[^>]*>:\s*(.*)$", listed, re.M)
    return sorted((int(at, 16), text) for at, text in lines)


def jump_target(text):
    found = JUMP.match(text)
    return (found.group(1), int(found.group(2), 16)) if found else (None, None)


def loaded_constant(text, registers):
    """The constant that an instruction loads into one of the registers, else None."""
    found = re.match(r"mov[a-z]*\s+\$(0x[0-9a-f]+),%(\w+)", text)
    if found and found.group(2) in registers:
        return int(found.group(1), 16)
    found = re.match(r"lea\s+.*\(%rip\),%(\w+)\s+#\s+(0x[0-9a-f]+)", text)
    if found and found.group(1) in registers:
        return int(found.group(2), 16)
    return None


def is_visit_decref(address):
    symbol = gdb.execute("info symbol 0x%x" % address, to_string=True)
    return re.match(r"visit_decref(\.\S+)? in section", symbol) is not None


def inlined_loop_end():
    """(address behind the loop of subtract_refs, text of its comparison, its cursor)."""
    for holder in LOOP_HOLDERS:
        start = function_address(holder)
        if start is None:
            continue
        code = disassembly(start)
        visitors = {}
        for index, (at, text) in enumerate(code):
            found = re.search(r",%(r\w+|e\w+)", text)
            constant = loaded_constant(text, ("esi", "rsi", found.group(1) if found else ""))
            if constant is not None and is_visit_decref(constant):
                visitors[index] = at
        for index in visitors:
            call = next((i for i in range(index, min(index + 60, len(code)))
                         if TRAVERSE_CALL.match(code[i][1])), None)
            if call is None:
                continue
            for i in range(call + 1, min(call + 12, len(code))):
                kind, target = jump_target(code[i][1])
                if kind is not None and kind != "mp" and target <= code[call][0]:
                    comparison = code[i - 1][1]
                    cursor = re.match(r"mov\s+(?:0x0)?\(%(r\w+)\),%(r\w+)", code[i - 2][1])
                    if not comparison.startswith("cmp") or cursor is None:
                        raise OracleError("the end of the loop is not as known: %r" % code[call:i + 1])
                    return code[i + 1][0], comparison, cursor.group(2)
    raise OracleError("no loop of subtract_refs found")


def value_of_operand(operand):
    if operand.startswith("%"):
        return register(operand[1:])
    found = re.match(r"(-?0x[0-9a-f]+)?\(%(r\w+)\)", operand)
    return word((register(found.group(2)) + int(found.group(1) or "0", 16)) & (2**64 - 1))


def base_of_comparison(comparison, cursor):
    operands = re.match(r"cmp\s+(.*),([^,]*)$", comparison).groups()
    others = [each for each in operands if each != "%" + cursor]
    if len(others) != 1:
        raise OracleError("which side is the base? %r" % comparison)
    return value_of_operand(others[0])


def keep_from_asserting():
    """In a debug build: never branches to the assertion "refcount is too small"."""
    patched = 0
    for name in ("gc_decref", "visit_decref"):
        start = function_address(name)
        if start is None:
            continue
        code = disassembly(start)
        addresses = [at for at, _ in code]
        for index, (at, text) in enumerate(code[:-1]):
            kind, target = jump_target(text)
            if kind is None or kind == "mp" or target not in addresses:
                continue
            if asserts_refcount(code, addresses.index(target)):
                gdb.selected_inferior().write_memory(at, b"\x90" * (addresses[index + 1] - at))
                patched += 1
            elif asserts_refcount(code, index + 1):
                size = addresses[index + 1] - at
                jump = (b"\xeb" + struct.pack("<b", target - at - 2) if size == 2 else
                        b"\x90\xe9" + struct.pack("<i", target - at - 6))
                gdb.selected_inferior().write_memory(at, jump)
                patched += 1
    if patched == 0:
        raise OracleError("the assertion of gc_decref was not found")


def asserts_refcount(code, index):
    """Whether the straight code at the index calls the assertion about a small refcount."""
    for at, text in code[index:index + 14]:
        constant = loaded_constant(text, ("edx", "rdx", "esi", "rsi", "ecx", "rcx"))
        if constant is not None:
            try:
                if text_at(constant) == "refcount is too small":
                    return True
            except gdb.MemoryError:
                pass
        if re.match(r"(call|ret|j)", text):
            return False
    return False


def stop_at(address):
    gdb.execute("tbreak *0x%x" % address, to_string=True)
    gdb.execute("continue", to_string=True)
    if register("pc") != address:
        raise OracleError("stopped at 0x%x, not at 0x%x" % (register("pc"), address))


def finish_subtract_refs():
    """Runs to the end of subtract_refs; the head of the list that it worked on."""
    out_of_line = function_address("subtract_refs")
    if out_of_line is not None:
        stop_at(out_of_line)
        base = register("rdi")
        stop_at(word(register("rsp")))
        return base
    end, comparison, cursor = inlined_loop_end()
    stop_at(end)
    return base_of_comparison(comparison, cursor)


def function_names():
    names = []
    frame = gdb.newest_frame()
    while frame is not None and len(names) < 10:
        names.append((frame.name() or "").split(".")[0])
        frame = frame.older()
    return names


def stop_in_phase(phase, watched):
    """Stops inside the phase, with part of the list done: in update_refs when it has just written gc_refs
    of the object, else at the call of the object's traverse function (in between, lists are open)."""
    if phase in FREE_THREADED_PHASES:
        gdb.execute("tbreak " + phase, to_string=True)
        gdb.execute("continue", to_string=True)
        if phase not in function_names():
            raise OracleError("no stop inside %s, but inside %r" % (phase, function_names()))
        return
    if phase == "update_refs" and not function_address("mark_heap_visitor"):
        gdb.execute("tbreak update_refs", to_string=True)
        gdb.execute("continue", to_string=True)
        at = instruction_of_loop(phase)
        reason = "*(unsigned long *) 0x%x != 0x%x" % (watched - 8, word(watched - 8))
    else:
        at = function_address("subtype_traverse")
        reason = "$rdi == 0x%x" % watched
    gdb.execute("break *0x%x if %s" % (at, reason), to_string=True)
    seen = []
    for _ in range(200):
        gdb.execute("continue", to_string=True)
        names = function_names()
        if phase in names:
            break
        seen.append(names[:4])
    else:
        raise OracleError("no stop inside %s, but inside %r" % (phase, seen[:20]))
    gdb.execute("delete", to_string=True)


def instruction_of_loop(phase):
    """An instruction of the phase itself that each turn of its loop executes: the first to come again."""
    seen = set()
    for _ in range(2000):
        if gdb.newest_frame().name() == phase:
            if register("pc") in seen:
                return register("pc")
            seen.add(register("pc"))
        gdb.execute("stepi", to_string=True)
    raise OracleError("%s has no loop" % phase)


def write_references(base, path):
    names = {}
    count = 0
    with open(path, "w") as out:
        at = word(base) & ~3
        while at != base:
            obj = at + HEAD
            kind = word(obj + 8)
            if kind not in names:
                names[kind] = text_at(word(kind + 24))
            out.write("0x%x %d %d %s\n" % (obj, signed_word(at + 8) >> 2, signed_word(obj), names[kind]))
            count += 1
            at = word(at) & ~3
    return count


def main():
    gdb.execute("set pagination off")
    gdb.execute("set confirm off")
    gdb.execute("set debuginfod enabled off")
    gdb.execute("handle SIGUSR1 stop print nopass", to_string=True)
    gdb.execute("run", to_string=True)
    if oracle_symbols:
        # Started through a dynamic linker of its own, the interpreter is no file that GDB knows.
        gdb.execute("add-symbol-file %s -o 0" % oracle_symbols, to_string=True)
    collector = next(filter(None, map(function_address, COLLECTORS)), None)
    if collector is None:
        raise OracleError("no symbol of the collector")
    stop_at(collector)
    thread = register("rdi")  # of a collector that is given one: its PyThreadState
    phase = globals().get("oracle_phase")
    if phase:
        with open(oracle_watched) as file:
            stop_in_phase(phase, int(file.read()))
    free_threaded = None
    if function_address("mark_heap_visitor"):
        sys.path.append(oracle_directory)
        import free_threaded
        before = free_threaded.Walk(thread).run()
    gdb.execute("gcore " + oracle_core, to_string=True)
    if phase:
        gdb.execute("kill", to_string=True)
        return
    if free_threaded is not None:
        stop_at(next(filter(None, map(function_address, ("validate_gc_objects", "mark_heap_visitor")))))
        print("oracle objects", free_threaded.write_references(before, free_threaded.Walk(thread).run(), oracle_refs))
        gdb.execute("kill", to_string=True)
        return
    if function_address("_PyObject_AssertFailed") and oracle_debug:
        keep_from_asserting()
    base = finish_subtract_refs()
    print("oracle objects", write_references(base, oracle_refs))
    gdb.execute("kill", to_string=True)


try:
    main()
except (OracleError, gdb.error, gdb.MemoryError) as error:
    print("oracle failed:", error, file=sys.stderr)
    gdb.execute("quit 1")
