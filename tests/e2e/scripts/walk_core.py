"""Counts the objects of each collector list in a core of a CPython, by nothing but offsets.

    walk_core.py CORE ADDRESS_OF_PYRUNTIME OFFSET...
The offsets: in _PyRuntime, of the first interpreter; in an interpreter, of the next one and of the heads
of its lists.
Prints one JSON object: {"interpreters": [[generation 0, 1, 2, permanent], ...], "total": N}.
Independent of pygc: reads the ELF segments itself and follows _gc_next.
"""
import bisect
import json
import mmap
import struct
import sys


class Core:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        offset, size, count = (struct.unpack_from("<Q", self.bytes, 32)[0],
                               *struct.unpack_from("<HH", self.bytes, 54))
        self.segments = []
        for i in range(count):
            kind, _, at, address, _, saved, _, _ = struct.unpack_from("<IIQQQQQQ", self.bytes,
                                                                      offset + i * size)
            if kind == 1 and saved:
                self.segments.append((address, saved, at))
        self.segments.sort()
        self.starts = [segment[0] for segment in self.segments]

    def word(self, address):
        start, saved, at = self.segments[bisect.bisect_right(self.starts, address) - 1]
        if not start <= address <= start + saved - 8:
            raise LookupError(hex(address))
        return struct.unpack_from("<Q", self.bytes, at + address - start)[0]


def length(core, head):
    count, at = 0, core.word(head) & ~3
    while at != head:
        count, at = count + 1, core.word(at) & ~3
    return count


core = Core(sys.argv[1])
runtime, first, following, *lists = map(int, sys.argv[2:])
interpreters = []
interpreter = core.word(runtime + first)
while interpreter:
    interpreters.append([length(core, interpreter + each) for each in lists])
    interpreter = core.word(interpreter + following)
print(json.dumps({"interpreters": interpreters, "total": sum(map(sum, interpreters))}))
