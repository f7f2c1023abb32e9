"""A heap with garbage, a local of a waiting thread and known referrers. A forked child, whose objects have the same addresses, prints
what the interpreter itself says of them: "garbage ADDR" what a collection saves with DEBUG_SAVEALL, "referrer NAME ADDR" and "referent
NAME ADDR" of the named objects. Then READY.

Words: "generation=N" collects that generation.
"""
import gc
import os
import sys
import threading
import time
import warnings
import weakref

generation = max([int(word[11:]) for word in sys.argv if word.startswith("generation=")], default=2)
gc.collect()
gc.disable()


class Session:
    def __init__(self, value):
        self.me = self
        self.cache = {"value": [value]}


class Finalized:
    def __init__(self, other):
        self.other = other
        self.me = self

    def __del__(self):
        pass


CACHE = [Session(i) for i in range(50)]
for value in range(40):
    Session(value)
for value in range(7):
    Finalized([value])
shared = ["shared"]
first, second = {"shared": shared}, (shared, shared)
callback_calls = []


def with_weakrefs():
    for value in range(3):
        session = Session(value)
        kept.append(weakref.ref(session, callback_calls.append))
        session.weak = weakref.ref(session, callback_calls.append)


kept = []
with_weakrefs()
loop = []
loop.append(loop)
outside = {"held by a cycle": [1]}
loop.append(outside)
del loop, outside


def worker(started, done):
    local = Session("thread local")
    started.append(id(local))
    ready.set()
    done.wait()
    return local


ready, done, started = threading.Event(), threading.Event(), []
threading.Thread(target=worker, args=(started, done), daemon=True).start()
ready.wait()
named = {"shared": shared, "CACHE": CACHE, "session": CACHE[3], "Session": Session}



def tell_garbage():
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect(generation)
    for each in gc.garbage:
        print("garbage", id(each))


def tell_referrers():
    """In a function: a global variable would be one more referrer."""
    known = {id(each) for each in gc.get_objects()}  # what the parent has, too
    for name in list(named):
        each = named[name]
        for other in gc.get_referrers(each):
            if id(other) in known and not hasattr(other, "f_back"):
                print("referrer_" + name, id(other))
        for other in gc.get_referents(each):
            print("referent_" + name, id(other))


warnings.simplefilter("ignore")  # a warning of fork and threads imports modules: more garbage
if os.fork() == 0:
    if "referrers" in sys.argv:
        tell_referrers()
    else:
        tell_garbage()
    sys.stdout.flush()
    os._exit(0)
os.wait()
print("local", started[0])
for name, each in named.items():
    print("object_" + name, id(each))
print("READY", flush=True)
time.sleep(100000)
