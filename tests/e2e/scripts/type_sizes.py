"""A heap with objects of many sizes, and some that alone hold others. A forked child, whose objects have the same addresses, prints
what the interpreter itself says of them: "object ADDR TYPE SIZE BLOCK" of each tracked one, with the size of pymalloc's block that it
lies in (0: in none), and "class SIZE BLOCKS" of each size of blocks, how many sys._debugmallocstats() says are in use. Then "retained NAME ADDR TYPE SIZE COUNT" of those
that hold others alone: the sums that Python computes. Then READY.
"""
import collections
import gc
import os
import struct
import sys
import sysconfig
import time

gc.collect()
gc.disable()


class Plain:
    def __init__(self, count):
        for i in range(count):
            setattr(self, "field%d" % i, [i])


class Slots:
    __slots__ = ("a", "b", "__weakref__")


class WideTuple(tuple):
    pass


class Wide(tuple):
    __slots__ = ()


class Rows(list):
    pass


class Numbers(set):
    pass


class Queue(collections.deque):
    pass


class Sized:
    def __sizeof__(self):
        return 100000


class Number(int):
    pass


class Holder(dict):
    """What its only instances hold alone is known."""


class Chain(list):
    pass


class Loop:
    pass


KEPT = [Plain(count) for count in (0, 1, 5, 40)]
KEPT += [Slots(), WideTuple([[], []]), Wide([[], []]), Sized()]
for count in (0, 1, 4, 9, 100, 3000):
    KEPT.append(Rows([[]] * count))
    KEPT.append([[]] * count)
    KEPT.append({i: [] for i in range(count)})
    KEPT.append({str(i): [] for i in range(count)})
    KEPT.append(Numbers(range(count)))
    KEPT.append([set(range(count)), frozenset(range(count))])
    KEPT.append(Queue(range(count)))
    KEPT.append(collections.deque(range(count)))
KEPT += [Number(value) for value in (1, -1, 2**30, -(2**300))]
KEPT[8].append([])  # more is allocated than is used


def generate(first, second=None):
    third = [first]
    yield sys._getframe()
    yield third


async def wait(first):
    return [first]


async def generate_later(first):
    yield first


KEPT += [generate(1), generate([2]), generate(3), wait([4]), generate_later([5])]
KEPT.append(next(KEPT[-5]))  # its frame
next(KEPT[-5])
KEPT.append(sys._getframe())
KEPT.append(KEPT[3].__dict__)


def size_of(*objects):
    return sum(sys.getsizeof(each) for each in objects)


def plant(name, top, *held):
    planted.append("retained %s %d %d %d %d" % (name, id(top), id(type(top)), size_of(top, *held), 1 + len(held)))


planted = []
shared = ["held by two"]
lists = [[1], [2], [3]]
inner = [lists[0], lists[1]]
HOLDER = Holder(inner=inner, last=lists[2], shared=shared)
plant("holder", HOLDER, inner, *lists)
del inner, lists

second = Chain([[4]])
CHAIN = Chain([second, [5], shared])
plant("second", second, second[0])
plant("chain", CHAIN, CHAIN[1], second, second[0])
del second

loop, more = Loop(), Loop()
loop.other, more.other, loop.held = more, loop, [[6], [7]]
plant("loop", loop, loop.held, *loop.held)
plant("more", more)
del loop, more


def unhook():
    """What modules do in a child after a fork replaces objects of theirs."""
    def hook():
        pass

    os.register_at_fork(after_in_child=hook)
    for each in gc.get_referrers(hook):
        if type(each) is list:
            each.clear()


POOL_SIZE = 16384 if sys.version_info >= (3, 10) else 4096  # Objects/obmalloc.c
HAS_POOLS = not sysconfig.get_config_var("Py_GIL_DISABLED")


def block_size(memory, address):
    """By the header of the pool that the address would lie in: struct pool_header."""
    if not HAS_POOLS:
        return 0
    try:
        header = os.pread(memory, 48, address & -POOL_SIZE)
    except OSError:
        return 0
    count, _, _, _, _, _, size_class, _, last = struct.unpack("<IIQQQIIII", header)
    size = (size_class + 1) * 16
    return size if size_class < 32 and last == POOL_SIZE - size and 0 < count <= POOL_SIZE // size else 0


# What its first call leaves in caches is there before the process forks.
block_size(os.open("/proc/self/mem", os.O_RDONLY), id(struct))


def tell():
    """In a function: a global variable that is given a lazy import (3.15) imports the module."""
    memory = os.open("/proc/self/mem", os.O_RDONLY)
    for each in gc.get_objects():
        print("object", id(each), id(type(each)), sys.getsizeof(each), block_size(memory, id(each)))
    # Not by tempfile: it brings enum's classes, whose str.__sizeof__() leaves out what a subclass adds.
    with open(os.memfd_create("statistics"), "rb") as file:
        os.dup2(file.fileno(), 2)
        sys._debugmallocstats()
        file.seek(0)
        for line in file:
            words = line.split()
            if len(words) == 5 and all(word.isdigit() for word in words):  # class, size, pools, in use, free
                print("class", int(words[1]), int(words[3]))


print("", end="", flush=True)  # its first call with a keyword makes a tuple that stays
unhook()
if os.fork() == 0:
    tell()
    sys.stdout.flush()
    os._exit(0)
os.wait()
for each in planted:
    print(each)
print("READY", flush=True)
time.sleep(100000)
