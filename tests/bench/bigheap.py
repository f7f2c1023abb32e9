"""A large heap of ordinary objects; times gc.collect() on it, prints READY, and waits or aborts.

    bigheap.py OBJECTS REPETITIONS [threads=N] [abort]

threads=N: N threads that wait, each with a stack that it hardly uses.
"""
import faulthandler
import gc
import os
import sys
import threading
import time

wanted, repetitions = int(sys.argv[1]), int(sys.argv[2])
gc.disable()
faulthandler.enable()


class Node:
    def __init__(self, number):
        self.number = number
        self.next = None
        self.table = {"list": [number], "pair": (number, self)}


class Slotted:
    __slots__ = ("node", "list")

    def __init__(self, node):
        self.node = node
        self.list = [node]


# A node is four tracked objects, a slotted one two; each tenth node has a closure (a function, its
# tuple of defaults) and a suspended generator.
count = int(wanted / 6.3)
nodes = [Node(number) for number in range(count)]
for one, other in zip(nodes, nodes[1:]):
    one.next = other
slotted = [Slotted(node) for node in nodes]
closures = [lambda node=node: node for node in nodes[::10]]
generators = [(each for each in [node]) for node in nodes[::10]]

threads = sum(int(word[8:]) for word in sys.argv if word.startswith("threads="))
wait = threading.Event()
for number in range(threads):
    threading.Thread(target=wait.wait, daemon=True).start()

times = []
for repetition in range(repetitions + 1):
    start = time.perf_counter()
    gc.collect()
    times.append(time.perf_counter() - start)
# The first one also moves the young into the old generation.
print("first %.6f" % times[0])
for seconds in times[1:]:
    print("collect %.6f" % seconds)
print("tracked", len(gc.get_objects()))
print("READY", flush=True)
if "abort" in sys.argv:
    os.abort()
time.sleep(100000)
