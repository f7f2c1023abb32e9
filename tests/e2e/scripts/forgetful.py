"""Garbage, part of which no collection frees, for tp_clear forgets a field.

    forgetful.py EXTENSIONS
Prints a line "stays ADDRESS" for each object that a collection has left.
"""
import gc
import sys
import time

sys.path.insert(0, sys.argv[1])
gc.disable()

import forgetful


class Held:
    pass


class Derived(forgetful.Forgetful):
    pass


def make_garbage():
    for node in (forgetful.Forgetful, forgetful.Dutiful, Derived):
        for _ in range(20):
            a, b = node(), node()
            a.link(b)
            b.link(a)
    alone = forgetful.Forgetful()
    held = Held()
    held.list = [held]
    alone.link(held)  # no cycle of its own: freed
    held.node = alone

    def recursive():
        return recursive

    class Local:
        me = recursive

    Local.self = Local()

    def generator():
        own = generator_object
        yield own

    generator_object = generator()
    next(generator_object)


make_garbage()
gc.collect()
gc.set_debug(gc.DEBUG_SAVEALL)
gc.collect()
for each in gc.garbage:
    print("stays", hex(id(each)))
each = None
gc.set_debug(0)
gc.garbage.clear()
make_garbage()
print("READY", flush=True)
time.sleep(600)
