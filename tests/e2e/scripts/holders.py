"""Objects that are held where no container sees it, one of a class each. Prints "KIND ADDRESS".

    holders.py EXTENSIONS
"""
import gc
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])

import holders

gc.disable()


class InStatic:
    pass


class InBlock:
    pass


class OnStack:
    pass


class InLocal:
    pass


class InThread:
    pass


def tell(kind, object):
    print(kind, hex(id(object)))
    return object


def worker():
    local = tell("thread", InThread())
    ready.set()
    done.wait()
    return local


def wait():
    print("READY", flush=True)
    time.sleep(100000)


def work():
    local = tell("local", InLocal())
    holders.hold_on_stack(lambda: tell("stack", OnStack()), wait)
    return local


holders.hold_static(tell("static", InStatic()))
holders.hold_block(tell("block", InBlock()))
ready, done = threading.Event(), threading.Event()
threading.Thread(target=worker, daemon=True).start()
ready.wait()
gc.collect()
work()
