"""What a core with a damaged container still says of the memory that matters: a model of its own."""
import bisect

from elf_core import ElfCore, NotACore


class Places:
    """From addresses to offsets in a file; None where nothing was saved."""

    def __init__(self, core):
        self.loads = sorted(core.loads(), key=lambda s: s.start)
        self.starts = [s.start for s in self.loads]
        self.length = len(core.data)
        self.overlap = any(
            a.start + a.size > b.start for a, b in zip(self.loads, self.loads[1:])
        )

    def offset_of(self, address):
        at = bisect.bisect_right(self.starts, address) - 1
        if at < 0:
            return None
        segment = self.loads[at]
        offset = segment.offset + address - segment.start
        if address - segment.start >= segment.saved or offset + 8 > self.length:
            return None
        return offset


def vital_words(subject):
    """The addresses whose loss or change the verdict depends on: heads, counts and types."""
    shape = subject.shape
    for address, _, _ in subject.objects:
        for offset in {*shape.head, *shape.counts, shape.type}:
            yield address + offset
    for type_ in subject.types:
        for offset in shape.type_fields:
            yield type_ + offset


def damage_of(subject, data):
    """("no core", None), ("missing", count), ("changed", patches), ("unclear", None) or
    ("none", None)."""
    try:
        mutant = ElfCore(data)
    except NotACore:
        return "no core", None
    before, after = Places(subject.core), Places(mutant)
    if after.overlap:
        return "unclear", None
    missing, patches = 0, []
    for address in vital_words(subject):
        here, there = before.offset_of(address), after.offset_of(address)
        if here is None or here == there:
            continue
        if there is None:
            missing += 1
            continue
        new = data[there : there + 8]
        if new != subject.core.data[here : here + 8]:
            patches.append((address, new))
    if missing:
        return "missing", missing
    if patches:
        return "changed", patches
    return "none", None
