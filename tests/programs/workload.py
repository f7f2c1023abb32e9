"""A little of everything, held: what the programs of tools/programs.sh run in their Python."""
import collections
import contextlib
import datetime
import decimal
import enum
import functools
import gc
import io
import itertools
import json
import logging
import random
import re
import threading
import weakref


class Plain:
    def __init__(self, n):
        self.n, self.me = n, self


class Slotted:
    __slots__ = ("left", "right", "__weakref__")


class Color(enum.Enum):
    red = 1
    green = 2


class Number(int):
    pass


def generator(n):
    held = [n]
    with contextlib.suppress(ValueError):
        yield held


def closure(n):
    cell = [n]
    return lambda: cell


def raised(n):
    try:
        raise ValueError([n])
    except ValueError as error:
        return error


def make(n):
    slotted = Slotted()
    slotted.left, slotted.right = [n], slotted
    running = generator(n)
    next(running)
    return [
        Plain(n),
        slotted,
        running,
        closure(n),
        raised(n),
        Number(n),
        type("Made%d" % n, (Plain,), {"x": n}),
        weakref.WeakValueDictionary({n: slotted}),
        collections.OrderedDict(a=[n]),
        collections.namedtuple("Pair", "left right")([n], {n}),
        functools.partial(make, n),
        functools.lru_cache(closure(n)),
        itertools.chain([[n]], (x for x in [n])),
        json.loads('{"a": [%d, {"b": null}]}' % n),
        re.compile("(x|y)%d" % n),
        decimal.Decimal(n),
        datetime.datetime.now(datetime.timezone.utc),
        io.StringIO("x"),
        logging.getLogger("made.%d" % n),
        random.Random(n),
        threading.Lock(),
        Color.red,
    ]


keep = [make(n) for n in range(100)]
for _ in range(3):
    make(0)
gc.collect()
