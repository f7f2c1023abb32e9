"""Instances of cases of the test extensions; prints where they are, READY, and waits.

    extensions.py path=DIR EXTENSION[.CASE[*COUNT]]...
DIR has the extensions. COUNT says how many instances are made, "dead" that the one is garbage that no
collection has found yet; default: one. An extension without a case is imported, no more.
Prints "NAME.CASE.instance", ".slot" (what the traverse function visits and, for a wrong one, should
not) and ".object" (what the slot holds), each with an address.
"""
import gc

gc.disable()
import ctypes
import importlib
import sys
import time

kept = []


def make(word):
    name, _, count = word.partition("*")
    extension, _, case = name.partition(".")
    module = importlib.import_module(extension)
    if not case:
        kept.append(module)
        return
    for _ in range(1 if count == "dead" else int(count or 1)):
        instance = getattr(module, case)()
        slot = module.slot(instance)
        print(name + ".instance", id(instance))
        print(name + ".slot", slot)
        print(name + ".object", ctypes.c_void_p.from_address(slot).value or 0)
        ring = [instance]
        if count == "dead":
            ring.append(ring)
        else:
            kept.append(ring)


for word in sys.argv[1:]:
    if word.startswith("path="):
        sys.path.insert(0, word[5:])
    else:
        make(word)
print("READY", flush=True)
time.sleep(100000)
