"""The file of a mutant: a copy of its core that is damaged and mended in place, holes as holes."""
import os

BLOCK = 1 << 20
ZEROS = bytes(BLOCK)


class MutantFile:
    """One for each worker and core: a core without a GIL has a gigabyte, nearly all of it holes."""

    def __init__(self, path, data):
        self.path = path
        self.data = data
        self.damage = []  # (offset, length) to mend
        with open(path, "wb"):
            pass
        self.write_from(0)

    def write_from(self, begin):
        with open(self.path, "r+b") as file:
            for offset in range(begin, len(self.data), BLOCK):
                block = self.data[offset : offset + BLOCK]
                if block != ZEROS[: len(block)]:
                    file.seek(offset)
                    file.write(block)
            file.truncate(len(self.data))

    def make(self, patches, cut):
        with open(self.path, "r+b") as file:
            for offset, patch in patches:
                self.damage.append((offset, len(patch)))
                file.seek(offset)
                file.write(patch)
        if len(self.data) < os.path.getsize(self.path):  # a patch behind the end
            os.truncate(self.path, len(self.data))
        if cut is not None:
            os.truncate(self.path, cut)

    def read(self):
        with open(self.path, "rb") as file:
            return file.read()

    def mend(self):
        size = os.path.getsize(self.path)
        if size < len(self.data):
            self.write_from(size)
        with open(self.path, "r+b") as file:
            for offset, length in self.damage:
                file.seek(offset)
                file.write(self.data[offset : offset + length])
        self.damage = []
