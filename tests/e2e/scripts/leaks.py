"""Leaks that the module leaky plants, and objects that look like leaks and are none.

Words: "path=DIR" comes first in the search for modules.
"""
import sys

sys.path[:0] = [word[5:] for word in sys.argv if word.startswith("path=")]
import gc
import threading
import time

import leaky

gc.disable()


class Lost:
    pass


class Program:
    def __init__(self):
        self.cache = {"t": leaky.Lazy(self)}


class Live(Program):
    pass


class Local:
    pass


def lose(count):
    for _ in range(count):
        leaky.lose(Lost())


def worker(ready, done):
    local = Local()
    ready.set()
    done.wait()
    return local


lose(50)
for _ in range(30):
    Program()
held = leaky.Lazy(Live())  # from a global
ready, done = threading.Event(), threading.Event()
threading.Thread(target=worker, args=(ready, done), daemon=True).start()
ready.wait()
gc.collect()
print("READY", flush=True)
time.sleep(100000)
