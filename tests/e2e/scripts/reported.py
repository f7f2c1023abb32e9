"""Situations that people reported, each in a few lines.

    reported.py EXTENSIONS CASE [abort]
EXTENSIONS is the directory of the compiled ones. With `abort` a core is the end, else it prints READY and
waits, unless the case is a death of its own.
"""
import gc
import os
import sys
import time

sys.path.insert(0, sys.argv[1])
case = sys.argv[2]
gc.disable()


class Conf:
    pass


def stop():
    if sys.argv[-1] == "abort":
        os.abort()
    os.write(1, b"READY\n")  # makes no object that would take a block that was freed
    time.sleep(600)


if case == "overdecref_kept":
    import overdecref_item

    c = Conf()
    c.table = {"opts": [None, None], "n": 3}
    others = [[None, None] for _ in range(5)]
    del others
    overdecref_item.lookup(c.table, "opts")  # now the first of the lists that are kept for reuse
elif case.startswith("overdecref"):
    import overdecref_item

    c = Conf()
    c.table = {"opts": {1, 2, (3, 4)}, "n": 3}
    overdecref_item.lookup(c.table, "opts")  # freed, still in c.table
    if case == "overdecref_large":
        c.large = [None] * 3_000_000  # visits of one container
    if case == "overdecref_crash":
        fill = [b"\xee" * n for n in (183, 191) for _ in range(300)]
        gc.collect()
elif case == "broken_dict":
    import ctypes

    table = {0: [], 1: []}
    ctypes.c_void_p.from_address(id(table) + object.__basicsize__ + 24).value = 1  # ma_values
elif case == "track_twice":
    import track_twice

    track_twice.Market()
elif case == "double_track":
    import double_track

    a, x, b, y, d = Conf(), Conf(), Conf(), Conf(), Conf()
    double_track.again(a, b)
    gc.collect()
elif case.startswith("freed_tracked"):
    import freed_tracked

    keep = [freed_tracked.Node([]) for _ in range(5)]
    victim = freed_tracked.Node([])
    other = []
    del victim
    if case == "freed_tracked_reuse":  # somebody else has the block
        fill = [bytes(96 - 33) for _ in range(50)]
elif case == "type_freed":
    import type_freed

    live = [type_freed.Obj() for _ in range(20)]
    for _ in range(sys.getrefcount(type_freed.Obj) - 2):
        type_freed.Obj()
    type_freed.__dict__.pop("Obj")
elif case.startswith("undercount_local"):
    import undercount_local

    def work():
        session = Conf()  # no argument: to 3.10 the caller's value stack would hold it, too
        session.me = session
        session.data = [1]
        if case == "undercount_local":
            undercount_local.use(session)  # its one reference is its own now
        stop()  # while the local is in use

    def generate():
        local = Conf()
        local.me = local
        yield work()

    next(generate())
elif case.startswith("undercount_code"):
    import undercount_code

    def make():
        made = Conf()
        made.me = made
        return made

    if case == "undercount_code":
        undercount_code.hold(make, os.abort)
    cache = {"session": make()}
    garbage = [make() for _ in range(20)]
    del garbage
    undercount_code.borrow(cache, "session", os.abort)
elif case.startswith("half_tuple"):

    def feed():
        tag = object()
        yield tag
        if case == "half_tuple":
            half = [each for each in gc.get_referrers(tag) if type(each) is tuple][:1]
        stop()

    tuple(feed())
elif case == "untrack_dealloc":
    import untrack_dealloc

    class Noisy:
        def __del__(self):
            stop()

    untrack_dealloc.make(Noisy())
elif case == "fatal_dealloc":
    import fatal_slots

    boxes = [fatal_slots.make([], 1)]
    boxes.clear()
elif case == "fatal_clear":
    import fatal_slots

    fatal_slots.make(None, 2)  # has itself
    gc.collect()
elif case == "tuple_held":
    import ctypes

    new = ctypes.pythonapi.PyTuple_New
    new.restype = ctypes.py_object
    holder = {"half": new(3)}
elif case == "attribute_released":
    import ctypes

    c = Conf()
    c.child = Conf()
    release = ctypes.pythonapi.Py_DecRef
    release.argtypes = [ctypes.c_void_p]
    release(id(c.child))
elif case == "early_track":
    import early_track

    early_track.make(stop)
elif case == "null_callback":
    import null_callback

    capsule = null_callback.Capsule()
elif case == "null_state":
    import importlib.machinery
    import importlib.util

    spec = importlib.machinery.PathFinder.find_spec("null_state", sys.path[:1])
    module = importlib.util.module_from_spec(spec)  # made, not executed
elif case == "type_leak":
    import type_leak

    for _ in range(100):
        made = type_leak.make_type()
        made.default = made()
    del made
    gc.collect()
elif case == "type_twice":
    import type_twice

    class Derived(type_twice.Base):
        pass

    derived = [Derived() for _ in range(20)]
elif case == "stale_subclass":  # gh-135552: the method cache serves a dead object

    def scene():
        class Root:
            def __del__(self):
                Root.head = Root.head.head
                x = [object() for _ in range(50)]
                self.head.head

        class Leaf(Root):
            pass

        Root.head = Leaf()
        Root.head.head = Leaf()

    scene()
    gc.collect()
    print("survived", flush=True)
elif case == "finalizer":  # Python code under a finalizer ends the process: the heap is sound

    class Dying:
        def __del__(self):
            stop()

    dying = Dying()
    dying.me = dying
    del dying
    gc.collect()
stop()
