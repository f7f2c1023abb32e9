"""Instances of cases of the test extensions; prints where they are, READY, and waits.

    extensions.py path=DIR EXTENSION[.CASE][*COUNT]...
DIR has the extensions. COUNT says how many instances are made, "dead" that the one is garbage that no
collection has found yet; default: one. Without a case they are instances of the module itself.
Prints NAME with ".instance" (its address), ".slot" (the address of what its traverse function visits and, of a
wrong one, should not) and ".object" (what the slot holds), if it has a slot.
"""
import gc

gc.disable()
import ctypes
import importlib
import sys
import time

kept = []


def new_instance(extension, case):
    if case:
        module = importlib.import_module(extension)
        return module, getattr(module, case)()
    sys.modules.pop(extension, None)
    module = importlib.import_module(extension)
    return module, module


def make(word):
    name, _, count = word.partition("*")
    extension, _, case = name.partition(".")
    for _ in range(1 if count == "dead" else int(count or 1)):
        module, instance = new_instance(extension, case)
        print(name + ".instance", id(instance))
        if hasattr(module, "slot"):
            slot = module.slot(instance)
            print(name + ".slot", slot)
            print(name + ".object", ctypes.c_void_p.from_address(slot).value or 0)
        ring = [instance]
        if count != "dead":
            kept.append(ring)
            continue
        ring.append(ring)
        if not case:
            del sys.modules[extension]


for word in sys.argv[1:]:
    if word.startswith("path="):
        sys.path.insert(0, word[5:])
    else:
        make(word)
print("READY", flush=True)
time.sleep(100000)
