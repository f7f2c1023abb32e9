"""A heap for steps through a collection: prints addresses, stops with SIGUSR1, then collects once.

Words: "twice" imports faulthandler a second time; "objects=N" adds N lists; "generation=N" (default 0)
is what is collected. What is young is a dozen containers of several kinds, and the objects that they hold.
"""
import faulthandler
import gc
import os
import signal
import sys

gc.disable()


def option(name, default):
    return next((word.partition("=")[2] for word in sys.argv if word.startswith(name + "=")), default)


class Node:
    def __init__(self, value):
        self.value = value


def generator(values):
    for value in values:
        yield values


first = faulthandler
if "twice" in sys.argv:
    faulthandler.enable()
    del sys.modules["faulthandler"]
    import faulthandler
many = [[i] for i in range(int(option("objects", 0)))]
if int(option("generation", 0)) < 2:
    gc.collect()

target = [[1], [2]]
single = [target]
double = [target, target, [single]]
pair = (target, single)
table = {"target": target, "empty": {}}
node = Node(target)
suspended = generator(target)
next(suspended)
closure = lambda: (double, node)

for name, value in (("stderr", sys.stderr), ("first", first), ("second", faulthandler), ("target", target), ("node", node),
                    ("closure", closure)):
    print(name, id(value))
for holder in (single, double, double, pair, table):
    print("holder", id(holder))
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGUSR1)
gc.collect(int(option("generation", 0)))
print("survived", flush=True)
