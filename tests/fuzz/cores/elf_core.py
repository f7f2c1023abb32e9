"""A reader of ELF cores of its own: nothing of pygc, and only what memory a core has."""
import struct

PT_LOAD, PT_NOTE = 1, 4
PF_W = 2


class NotACore(Exception):
    pass


class Segment:
    def __init__(self, index, words):
        self.index = index
        self.type, self.flags, self.offset, self.start, _, self.saved, self.size, _ = words


class ElfCore:
    """The segments of a core's bytes."""

    def __init__(self, data):
        self.data = data
        if data[:5] != b"\x7fELF\x02" or len(data) < 64:
            raise NotACore
        self.table = struct.unpack_from("<Q", data, 32)[0]
        size, self.count = struct.unpack_from("<HH", data, 54)
        if size != 56 or self.table + 56 * self.count > len(data):
            raise NotACore
        self.segments = [
            Segment(i, struct.unpack_from("<IIQQQQQQ", data, self.table + 56 * i))
            for i in range(self.count)
        ]

    def loads(self):
        return [s for s in self.segments if s.type == PT_LOAD]

    def notes(self):
        return [s for s in self.segments if s.type == PT_NOTE]

    def each_note(self, segment):
        """(offset, type, size of the contents) of each note; their names have up to 8 bytes."""
        offset, end = segment.offset, segment.offset + segment.saved
        while offset + 12 <= end:
            name, size, type_ = struct.unpack_from("<III", self.data, offset)
            yield offset, type_, size
            offset += 12 + (name + 3) // 4 * 4 + (size + 3) // 4 * 4

    def offset_of(self, address):
        """Where the byte of an address lies in the file; None: it was not saved."""
        for segment in self.loads():
            if 0 <= address - segment.start < segment.saved:
                return segment.offset + address - segment.start
        return None

    def covers(self, address):
        """How many segments claim the address."""
        return sum(0 <= address - s.start < s.size for s in self.loads())

    def word(self, address):
        offset = self.offset_of(address)
        return None if offset is None else struct.unpack_from("<Q", self.data, offset)[0]
