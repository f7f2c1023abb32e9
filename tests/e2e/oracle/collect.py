"""The heaps that the oracle looks at: builds one, stops with SIGUSR1, then collects once.

Words: "twice" imports faulthandler a second time; "generation=N" (default 2) is what is collected;
"heap=FILE" names the script in ../scripts (default heap.py) and "packages", "interpreters" and "freeze"
are words for it; "subinterpreter" collects in the last subinterpreter that the heap made.
"""
import gc
import os
import runpy
import signal
import sys

arguments = sys.argv[1:]


def option(name, default):
    return next((word.partition("=")[2] for word in arguments if word.startswith(name + "=")), default)


generation = int(option("generation", 2))
scripts = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "scripts")
sys.argv[1:] = [word for word in arguments if word in ("packages", "interpreters", "freeze")]
import faulthandler

faulthandler.enable()
kept = runpy.run_path(os.path.join(scripts, option("heap", "heap.py")), run_name="heap")
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


def collect():
    os.kill(os.getpid(), signal.SIGUSR1)
    if "subinterpreter" in arguments:
        subinterpreters = kept["interpreters"]
        subinterpreters.run(subinterpreters.ids[-1], "gc.collect(%d)" % generation)
    else:
        gc.collect(generation)


sys.stdout.flush()
kept.get("run_inside", lambda action: action())(collect)
