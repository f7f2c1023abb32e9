"""A full collection that stops half way.

    midway.py PHASE [FILE]
PHASE says where: "start" and "stop" (a gc callback), "weakref" (a weak reference's callback), "finalizer"
(__del__ of an object that is garbage), "clear" (a weak reference's callback for what is no GC object and
goes with the list that tp_clear empties): there it prints READY and waits. Any other PHASE is a debugger's to stop at: the address of an object in
the middle of the heap goes to FILE, and SIGUSR1 comes before the collection.
"""
import os
import runpy
import signal
import sys

phase = sys.argv[1]
file = sys.argv[2] if len(sys.argv) > 2 else None
del sys.argv[1:]
kept = runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "heap.py"), run_name="heap")
import gc
import time
import weakref


def stop():
    print("stderr", id(sys.stderr))
    print("READY", flush=True)
    time.sleep(100000)


class Finalized:
    def __init__(self):
        self.me = self
        self.more = [self, {"me": self}]

    def __del__(self):
        if phase == "finalizer" and self.last:
            stop()


class Plain:
    pass


def garbage():
    """100 dead rings of which the 50th is the one that stops."""
    weak = []
    for i in range(100):
        ring = Plain()
        ring.me = [ring, {"ring": ring}, (ring,)]
        final = Finalized()
        final.last = i == 50
        clearing = [compile("0", "code of no function", "eval")]
        clearing.append(clearing)
        if i == 50:
            weak.append(weakref.ref(clearing[0], lambda ref: stop() if phase == "clear" else None))
        weak.append(weakref.ref(ring, lambda ref: stop() if phase == "weakref" else None))
    return weak


weak = garbage()
if phase in ("start", "stop"):
    gc.callbacks.append(lambda when, info: stop() if when == phase else None)
if file is not None:
    with open(file, "w") as out:
        out.write("%d" % id(kept["nodes"][150]))
    os.kill(os.getpid(), signal.SIGUSR1)
gc.collect()
