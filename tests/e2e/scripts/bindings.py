"""Instances of classes made by Cython, pybind11 and nanobind; prints which, READY, and waits.

    bindings.py path=DIR EXTENSION...
"""
import gc

gc.disable()
import importlib
import sys
import time

kept = []


def cython_class(module):
    first = module.Container()
    derived = [module.Derived(first) for _ in range(20)]
    running = [each.running() for each in derived]
    for generator in running:
        next(generator)
    return first, derived, running


def pybind11_class(module):
    made = [module.Container() for _ in range(20)]
    for each in made:
        each.items = [each]
        each.other = {"other": each}
        each.attribute = [each]
    return made


def nanobind_class(module):
    made = [module.Container() for _ in range(20)]
    for each, other in zip(made, made[1:]):
        each.other = other
    return made


for word in sys.argv[1:]:
    if word.startswith("path="):
        sys.path.insert(0, word[5:])
    else:
        kept.append(globals()[word](importlib.import_module(word)))
        print("made", word)
print("READY", flush=True)
time.sleep(100000)
