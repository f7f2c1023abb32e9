"""The heaps that the oracle looks at: builds one, stops with SIGUSR1, then collects once.

Words: "twice" imports faulthandler a second time; "generation=N" (default 2) is what is collected.
"""
import gc
import os
import runpy
import signal
import sys

arguments = sys.argv[1:]
generation = max([int(word.partition("=")[2]) for word in arguments if "generation=" in word] or [2])
heap = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scripts", "heap.py")
del sys.argv[1:]
kept = runpy.run_path(heap, run_name="heap")
if generation < 2:
    gc.collect()
    # What is young now refers to what is old, and the old to the young.
    young = [kept["Node"](i) for i in range(500)]
    for node, old in zip(young, kept["nodes"]):
        node.next = old
        old.young = [node]
    suspended = [kept["generator"]([node]) for node in young[:50]]
    for each in suspended:
        next(each)
    if generation == 1:
        gc.collect(0)
        fresh = [kept["Node"](i) for i in range(50)]
if "twice" in arguments:
    del sys.modules["faulthandler"]
    import faulthandler as second_instance
os.kill(os.getpid(), signal.SIGUSR1)
gc.collect(generation)
