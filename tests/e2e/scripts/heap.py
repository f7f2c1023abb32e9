"""A heap of many kinds of containers; prints what it is, READY, and waits.

Words: "enabled" enables faulthandler, "twice" imports it a second time as well, "abort" aborts instead of waiting, "path=DIR" comes
first in the search for modules.
"""
import sys

sys.path[:0] = [word[5:] for word in sys.argv if word.startswith("path=")]
import asyncio
import collections
import ctypes
import decimal
import faulthandler
import gc
import json
import os
import time
import weakref

gc.disable()
if "enabled" in sys.argv or "twice" in sys.argv:
    faulthandler.enable()
if "twice" in sys.argv:
    del sys.modules["faulthandler"]
    import faulthandler as second_instance


class Node:
    def __init__(self, value):
        self.value = value
        self.next = None
        self.table = {"list": [value], "pair": (value, self)}


class Slotted:
    __slots__ = ("left", "right", "__weakref__")

    def __init__(self, left):
        self.left = left
        self.right = [left]


def generator(values):
    for value in values:
        yield value, values


async def coroutine(value):
    await asyncio.sleep(value)


def failure():
    try:
        {}["missing"]
    except KeyError as error:
        return error


nodes = [Node(i) for i in range(300)]
for first, second in zip(nodes, nodes[1:]):
    first.next = second
slotted = [Slotted(node) for node in nodes]
closures = [lambda node=node: node for node in nodes[:50]]
generators = [generator([node]) for node in nodes[:50]]
for started in generators:
    next(started)
coroutines = [coroutine(i) for i in range(20)]
weak = [weakref.ref(each) for each in slotted[:20]]
others = [collections.OrderedDict(a=[1]), collections.deque([[1]]), {(1,): [2]}, failure(),
          decimal.getcontext(), json.JSONDecoder(), ctypes.POINTER(ctypes.c_int), frozenset({(1, 2)})]
if __name__ == "__main__":
    runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    print("version %d.%d.%d" % sys.version_info[:3])
    print("hexversion", sys.hexversion)
    print("runtime", runtime)
    print("stderr", id(sys.stderr))
    print("node", id(nodes[150]))
    with open("/proc/self/maps") as maps:
        for path in sorted({line.split(None, 5)[5].strip() for line in maps if " /" in line}):
            print("mapped", path)
    print("READY", flush=True)
    if "abort" in sys.argv:
        os.abort()
    time.sleep(100000)
