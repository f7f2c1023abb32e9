"""Subinterpreters that are at work, each in a thread of its own: one shares the GIL of the main interpreter
where there is one, the other does not; a thread of the second has ended. Prints how many objects the collector of
each tracks ("tracked N"), READY, and waits. For CPython 3.13 and later.
"""
import gc
import os
import threading
import time

import _interpreters

gc.disable()
CODE = """
import gc, os, threading, time
gc.disable()
class Node:
    pass
def make(count):
    made = []
    for i in range(count):
        node = Node()
        node.me, node.items, node.table = node, [made, (i, [i])], {{i: node}}
        made.append(node)
    return made
def suspended(values):
    held = [values]
    yield [held]
nodes = make({count})
suspensions = [suspended(nodes) for _ in range(100)]
for each in suspensions:
    next(each)
def work():
    nodes.extend(make(200))
if {threads}:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    del thread
os.write({there}, b"%d\\n" % len(gc.get_objects()))
time.sleep(100000)
"""

here, there = os.pipe()
tracked = os.fdopen(here, "rb")
lines = []
for kind, count, threads in (("legacy", 1000, False), ("isolated", 2000, True)):
    code = CODE.format(count=count, threads=threads, there=there)
    threading.Thread(target=_interpreters.run_string, args=(_interpreters.create(kind), code), daemon=True).start()
    lines.append("tracked %d" % int(tracked.readline()))
    time.sleep(0.1)  # it is to be where it stays
print("tracked", len(gc.get_objects()))
print("\n".join(lines))
print("READY", flush=True)
time.sleep(100000)
