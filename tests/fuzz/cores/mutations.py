"""What is damaged in a core: kinds of mutations, each a list of patches of the file.

A patch is (offset, bytes). Patches of memory are (address, bytes) as well, for the judge.
"""
import struct

FILLS = [0, 1, 8, 0xDD * 0x0101010101010101, 0xDB * 0x0101010101010101, (1 << 64) - 1, 1 << 63, 1 << 47]


class Mutation:
    def __init__(self, kind, what):
        self.kind = kind
        self.what = what
        self.memory = []  # (address, bytes)
        self.file = []  # (offset, bytes)
        self.cut = None  # the file's new length

    def __str__(self):
        return "%s: %s" % (self.kind, self.what)


class Shape:
    """Where an object has what the collector reads: offsets from its address."""

    def __init__(self, head, counts, type_, body, type_fields):
        self.head = head  # words of the collector
        self.counts = counts  # words that counts are in
        self.type = type_
        self.body = body
        self.type_fields = type_fields  # of a type: what it is, its type, flags, tp_traverse


WITH_GIL = Shape([-16, -8], [0], 8, 16, [0, 8, 168, 184])
# ob_tid, which the collector has its counts in; ob_mutex, ob_gc_bits and ob_ref_local in one word.
WITHOUT_GIL = Shape([0, 8], [8, 16], 24, 32, [8, 24, 184, 200])


class Subject:
    """A core with what is known of its process: its objects, and the interpreter's own data."""

    def __init__(self, core, objects, data, shape=WITH_GIL):
        self.core = core
        self.shape = shape
        self.objects = objects  # (address, type, size)
        self.types = sorted({t for _, t, _ in objects})
        self.data = data  # (start, end) of the interpreter's writable data
        self.heads = [o + shape.head[0] for o, _, _ in objects]


def altered(random, subject, value):
    """Another word in the place of this one."""
    way = random.randrange(9)
    if way == 0:
        return value ^ 1 << random.randrange(4)
    if way == 1:
        return value ^ 1 << random.randrange(64)
    if way == 2:
        return random.choice(FILLS)
    if way == 3:
        return random.choice(subject.objects)[0]
    if way == 4:
        return random.choice(subject.heads)
    if way == 5:
        return (value + random.choice([-16, -8, -1, 1, 8, 16, 32])) % (1 << 64)
    if way == 6:
        return random.choice(subject.types)
    if way == 7:
        return random.getrandbits(64)
    return (value & ~0xFFFF) | random.getrandbits(16)


def set_word(random, subject, mutation, address, value=None):
    old = subject.core.word(address)
    if old is None:
        return
    new = altered(random, subject, old) if value is None else value % (1 << 64)
    mutation.memory.append((address, struct.pack("<Q", new)))
    mutation.what += " %#x: %#x -> %#x" % (address, old, new)


def gc_head(random, subject):
    mutation = Mutation("gc_head", "")
    target = random.choice(subject.objects)[0] + random.choice(subject.shape.head)
    set_word(random, subject, mutation, target)
    return mutation


def refcount(random, subject):
    mutation = Mutation("refcount", "")
    target = random.choice(subject.objects)[0]
    counts = subject.shape.counts
    target += counts[0] if len(counts) == 1 else random.choice(counts)  # seeds of before stay what they are
    old = subject.core.word(target)
    value = random.choice(
        [old - 1, old - 1, old - 2, old + 1, 0, 1, -1, old ^ 1 << random.randrange(64)]
    )
    set_word(random, subject, mutation, target, value)
    return mutation


def object_type(random, subject):
    mutation = Mutation("type", "")
    set_word(random, subject, mutation, random.choice(subject.objects)[0] + subject.shape.type)
    return mutation


def type_field(random, subject):
    mutation = Mutation("type_field", "")
    set_word(random, subject, mutation, random.choice(subject.types) + 8 * random.randrange(52))
    return mutation


def body(random, subject):
    mutation = Mutation("body", "")
    target, _, size = random.choice(subject.objects)
    words = max(1, min(size - 16, 400) // 8)
    place = target + subject.shape.body + 8 * random.randrange(words)
    set_word(random, subject, mutation, place)
    return mutation


def runtime(random, subject):
    mutation = Mutation("runtime", "")
    start, end = random.choice(subject.data)
    set_word(random, subject, mutation, start + 8 * random.randrange((end - start) // 8))
    return mutation


def freed(random, subject):
    """As the debug allocator leaves a block that was freed, head included."""
    mutation = Mutation("freed", "")
    target, _, size = random.choice(subject.objects)
    head = min(0, subject.shape.head[0])
    first = random.choice([head, 0]) if head else 0
    fill = random.choice([b"\xdd", b"\xdb", b"\0"])
    span = -first + max(16, min(size - 16, 64))
    mutation.memory.append((target + first, fill * span))
    mutation.what = " %#x: %d bytes of %s" % (target + first, span, fill.hex())
    return mutation


def several(random, subject):
    mutation = Mutation("several", "")
    for _ in range(random.randrange(2, 6)):
        part = random.choice(MEMORY[:-1])(random, subject)
        mutation.memory += part.memory
        mutation.what += part.what
    return mutation


def elf_header(random, subject):
    mutation = Mutation("elf_header", "")
    offset = random.randrange(64)
    mutation.file.append((offset, bytes([random.choice([0, 1, 0x7F, 0xFF, random.getrandbits(8)])])))
    mutation.what = " byte %d" % offset
    return mutation


def program_header(random, subject):
    mutation = Mutation("program_header", "")
    core = subject.core
    index = random.randrange(core.count)
    field = random.randrange(8)
    place = core.table + 56 * index + (4 * field if field < 2 else 8 * (field - 1))
    if field < 2:
        old = struct.unpack_from("<I", core.data, place)[0]
        new = random.choice([0, 1, 4, old ^ 1 << random.randrange(32), random.getrandbits(32)])
        mutation.file.append((place, struct.pack("<I", new)))
    else:
        old = struct.unpack_from("<Q", core.data, place)[0]
        other = random.choice(core.segments)
        new = random.choice(
            [
                0,
                old ^ 1 << random.randrange(64),
                (old + random.choice([-4096, -1, 1, 8, 4096])) % (1 << 64),
                other.start,
                other.offset,
                other.size,
                random.getrandbits(64),
                (1 << 64) - 1,
            ]
        )
        mutation.file.append((place, struct.pack("<Q", new)))
    mutation.what = " segment %d, field %d: %#x -> %#x" % (index, field, old, new)
    return mutation


def whole_note(random, subject):
    """One note without its contents, or without its type."""
    mutation = Mutation("note", "")
    segment = random.choice(subject.core.notes())
    offset, type_, size = random.choice(list(subject.core.each_note(segment)))
    if random.randrange(2):
        mutation.file.append((offset + 8, struct.pack("<I", random.getrandbits(32))))
    else:
        mutation.file.append((offset + 20, bytes(size)))
    mutation.what = " the note of type %#x at %#x" % (type_, offset)
    return mutation


def note(random, subject):
    if random.randrange(4) == 0:
        return whole_note(random, subject)
    mutation = Mutation("note", "")
    segment = random.choice(subject.core.notes())
    size = random.choice([1, 4, 8, 64])
    offset = segment.offset + random.randrange(max(1, segment.saved - size))
    if random.randrange(2):
        offset &= ~3
    fill = random.choice([b"\0" * size, b"\xff" * size, random.randbytes(size)])
    mutation.file.append((offset, fill))
    mutation.what = " %d bytes at %#x of the notes" % (size, offset - segment.offset)
    return mutation


def truncation(random, subject):
    mutation = Mutation("truncation", "")
    length = len(subject.core.data)
    mutation.cut = random.choice([random.randrange(4096), random.randrange(length), length - 1])
    mutation.what = " to %d bytes of %d" % (mutation.cut, length)
    return mutation


MEMORY = [gc_head, refcount, object_type, type_field, body, runtime, freed, several]
CONTAINER = [elf_header, program_header, note, truncation]
