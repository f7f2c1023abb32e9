"""What a free-threaded interpreter itself computes: ob_tid of each object when update_refs has ended.

Used by oracle.py. Walks the allocator's heaps with the types of the interpreter's debug information, and so
shares nothing with what pygc does (Python/gc_free_threading.c, Objects/mimalloc).
"""
import struct

import gdb

SEGMENT = 32 << 20
SLICE = 64 << 10
HUGE = 1 << 31
TRACKED, UNREACHABLE, FROZEN, DEFERRED = 1, 4, 8, 64
IMMORTAL = 0xFFFFFFFF
QUEUES = 75


def memory(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def word(address):
    return struct.unpack("<Q", memory(address, 8))[0]


def offset(name, *path):
    """Of a member of a struct, and the one in it, and so on."""
    kind = gdb.lookup_type(name).strip_typedefs()
    total = 0
    for each in path:
        field = next(f for f in kind.fields() if f.name == each)
        total += field.bitpos // 8
        kind = field.type.strip_typedefs()
    return total


def size(name):
    return gdb.lookup_type(name).strip_typedefs().sizeof


def has_member(name, member):
    return any(f.name == member for f in gdb.lookup_type(name).strip_typedefs().fields())


class Walk:
    """The objects that are tracked and not frozen: {address: (gc_bits, ob_tid, local, shared, type)}.

    Of the interpreter that the thread (its PyThreadState) belongs to."""

    def __init__(self, thread):
        self.page = {name: offset("mi_page_t", name) for name in (
            "slice_count", "capacity", "free", "used", "xblock_size", "local_free", "xthread_free", "next",
            "debug_offset")}
        self.keys = offset("mi_page_t", "keys") if has_member("mi_page_t", "keys") else None
        self.page_size = size("mi_page_t")
        self.slices = offset("mi_segment_t", "slices")
        self.ob = {name: offset("PyObject", name) for name in (
            "ob_tid", "ob_gc_bits", "ob_ref_local", "ob_ref_shared", "ob_type")}
        runtime = int(gdb.parse_and_eval("(unsigned long)&_PyRuntime"))
        debug = runtime + offset("_PyRuntimeState", "allocators", "is_debug_enabled")
        self.base = 16 if struct.unpack("<i", memory(debug, 4))[0] else 0
        self.interpreter = word(thread + offset("PyThreadState", "interp"))
        self.objects = {}

    def field(self, page, name, form):
        return struct.unpack("<" + form, memory(page + self.page[name], struct.calcsize(form)))[0]

    def decode(self, stored, keys, page):
        if keys is None:
            return stored
        value = (stored - keys[0]) & (2**64 - 1)
        turn = keys[0] % 64
        value = ((value >> turn) | (value << (64 - turn))) & (2**64 - 1)
        value ^= keys[1]
        return 0 if value == page else value

    def take(self, page, tag):
        capacity = self.field(page, "capacity", "H")
        if self.field(page, "used", "I") == 0 or capacity == 0:
            return
        segment = page & ~(SEGMENT - 1)
        block = self.field(page, "xblock_size", "I")
        if block >= HUGE:
            block = self.field(page, "slice_count", "I") * SLICE
        first = 3 * block if block <= 64 else block if block <= 512 else 0
        start = segment + (page - segment - self.slices) // self.page_size * SLICE + first
        keys = struct.unpack("<QQ", memory(page + self.keys, 16)) if self.keys is not None else None
        data = memory(start, capacity * block)
        free = set()
        for head in ("free", "local_free", "xthread_free"):
            at = self.field(page, head, "Q") & (~3 if head == "xthread_free" else ~0)
            while at:
                free.add(at)
                at = self.decode(struct.unpack_from("<Q", data, at - start)[0], keys, page)
        for index in range(capacity):
            at = index * block + self.base + (16 if tag == 3 else 0)
            bits = data[at + self.ob["ob_gc_bits"]]
            if start + index * block in free or not bits & TRACKED or bits & FROZEN:
                continue
            self.objects[start + at] = (
                bits,
                struct.unpack_from("<q", data, at + self.ob["ob_tid"])[0],
                struct.unpack_from("<I", data, at + self.ob["ob_ref_local"])[0],
                struct.unpack_from("<q", data, at + self.ob["ob_ref_shared"])[0],
                struct.unpack_from("<Q", data, at + self.ob["ob_type"])[0])

    def walk_thread(self, thread):
        state = thread + offset("_PyThreadStateImpl", "mimalloc")
        if struct.unpack("<i", memory(state + offset("struct _mimalloc_thread_state", "initialized"), 4))[0] == 0:
            return
        for tag in (2, 3):
            heap = state + offset("struct _mimalloc_thread_state", "heaps") + tag * size("mi_heap_t")
            for queue in range(QUEUES):
                page = word(heap + offset("mi_heap_t", "pages") + queue * size("mi_page_queue_t"))
                while page:
                    self.take(page, tag)
                    page = self.field(page, "next", "Q")

    def walk_segment(self, segment):
        entries = word(segment + offset("mi_segment_t", "slice_entries"))
        index = 0
        while index < entries:
            page = segment + self.slices + index * self.page_size
            tag = memory(page + self.page["debug_offset"] - 1, 1)[0] >> 3 & 15
            if index and self.field(page, "xblock_size", "I") > 1 and tag in (2, 3):
                self.take(page, tag)
            index += self.field(page, "slice_count", "I")

    def run(self):
        thread = word(self.interpreter + offset("PyInterpreterState", "threads", "head"))
        while thread:
            self.walk_thread(thread)
            thread = word(thread + offset("PyThreadState", "next"))
        pool = self.interpreter + offset("PyInterpreterState", "mimalloc", "abandoned_pool")
        for name in ("abandoned", "abandoned_visited"):
            segment = word(pool + offset("mi_abandoned_pool_t", name)) & ~(SEGMENT - 1)
            while segment:
                self.walk_segment(segment)
                segment = word(segment + offset("mi_segment_t", "abandoned_next")) & ~(SEGMENT - 1)
        return self.objects


def text_at(address, limit=200):
    data = b""
    while len(data) < limit and b"\0" not in data:
        data += memory(address + len(data), 16)
    return data.split(b"\0")[0].decode("utf-8", "replace")


def write_references(before, after, path):
    """A line for each object that the pass has counted; in PATH.untracked the tuples and dicts that it has
    found to need no tracking."""
    names = {}
    name_at = offset("PyTypeObject", "tp_name")

    def name(kind):
        if kind not in names:
            names[kind] = text_at(word(kind + name_at))
        return names[kind]

    with open(path, "w") as out:
        for address, (bits, gc_refs, local, shared, kind) in after.items():
            if not bits & UNREACHABLE:
                raise gdb.error("0x%x of type %s was not looked at" % (address, name(kind)))
            count = local + (shared >> 2) - (1 if bits & DEFERRED else 0)
            out.write("0x%x %d %d %s\n" % (address, gc_refs, count, name(kind)))
    with open(path + ".untracked", "w") as out:
        for address, (bits, _, local, _, kind) in before.items():
            if address not in after and local != IMMORTAL:
                out.write("0x%x %s\n" % (address, name(kind)))
    return len(after)
