"""The interpreter whose memory is damaged: it forks children that stop and then collect.

    victim.py EXTENT
EXTENT is the number of objects of each kind. Commands, one a line, on standard input:
    list PATH   a child writes "ID TYPE SIZE" of each tracked object to PATH
    stop        a child stops itself, and collects when it is let go on; answers its process id
    wait PID    answers how that child ended, as waitpid has it
All children are forks of one state, so that what they hold lies at the same addresses in each.
"""
import collections
import gc
import json
import os
import re
import signal
import sys
import sysconfig
import threading
import typing
import weakref


class Plain:
    def __init__(self, n):
        self.n = n
        self.me = self


class Slotted:
    __slots__ = ("left", "right", "__weakref__")


class Number(int):
    pass


def generator(n):
    held = [n]
    yield held


def closure(n):
    cell = [n]
    return lambda: cell


extent = int(sys.argv[1])
keep = []
for i in range(extent):
    slotted = Slotted()
    slotted.left, slotted.right = keep[-1:], slotted
    running = generator(i)
    next(running)
    keep += [
        Plain(i),
        slotted,
        Number(i),
        running,
        closure(i),
        {"k%d" % i: [i], i: {i}},
        collections.OrderedDict(a=[i]),
        collections.deque([[i]]),
        weakref.ref(slotted, print),
        frozenset([(i, i)]),
        iter([[i]]),
        type("Made%d" % i, (Plain,), {"x": i}),
        json.JSONDecoder(),
        re.compile("x%d" % i),
        typing.List[int],
        threading.Lock(),
        property(closure(i)),
    ]


def stopped_child():
    gc.disable()
    os.kill(os.getpid(), signal.SIGSTOP)
    for generation in 2, 0, 1, 2:
        gc.collect(generation)
    os._exit(0)


def survey(path):
    with open(path, "w") as to:
        for o in gc.get_objects():
            to.write("%d %d %d\n" % (id(o), id(type(o)), sys.getsizeof(o)))
    os._exit(0)


def fork(run, *arguments):
    child = os.fork()
    if child == 0:
        run(*arguments)
    return child


gc.collect()
gc.disable()
without_gil = sysconfig.get_config_var("Py_GIL_DISABLED")
print("ready without a GIL" if without_gil else "ready", flush=True)
for line in sys.stdin:
    words = line.split()
    if words[0] == "list":
        print(os.waitpid(fork(survey, words[1]), 0)[1], flush=True)
    elif words[0] == "stop":
        print(fork(stopped_child), flush=True)
    elif words[0] == "wait":
        print(os.waitpid(int(words[1]), 0)[1], flush=True)
