"""Objects that Python code can name. Prints "NAME ADDR" for each name, which has no blanks, and of
a str what sys.getsizeof() says, then READY."""
import __main__
import collections
import gc
import sys
import time
import xml.etree.ElementTree

gc.collect()
gc.disable()


class Base:
    __slots__ = ()
    registry = {"base": []}


class Session(Base):
    __slots__ = ("slot", "__dict__")

    def __init__(self):
        self.user = ["in place"]
        self.slot = ["in a slot"]


class Item:
    def __init__(self):
        self.first, self.second = [1], [2]


CACHE = {"key": [Session(), Item()], 7: {"seven": ()}, -70000: ["far"], 1 << 40: ["large"], "x.y": ["dotted"]}
CACHE["key"][0].user = ["replaced"]
pair = ([0], (1, [2]))
Point = collections.namedtuple("Point", "x y")
point = Point([1], [2])
texts = {"ascii": "plain" * 3, "latin": "\xe4" * 5, "wide": "\u20ac" * 3, "astral": "\U0001f600" * 2, "empty": ""}
values = [-7, 1.5, b"a'\x00", True]


def outer():
    captured = ["captured"]
    return lambda: (captured, 123456)


def generate():
    yield


inner, generator = outer(), generate()
queue = collections.deque([[1], [2], [3]])
tags = {(1, "tag")}
made = Item()
vars(made)["third"] = [3]

for name in (
    "sys",
    "sys.stderr",
    "sys.modules['sys']",
    "xml.etree.ElementTree",
    "xml.etree.ElementTree.Element",
    "len",
    "CACHE",
    "__main__.CACHE['key']",
    "CACHE['key'][0]",
    'CACHE["key"][0].user',
    "CACHE['key'][0].slot",
    "CACHE['key'][-1].first",
    "CACHE['key'][1].second",
    "CACHE[7]['seven']",
    "queue[2]",
    "queue[-3]",
    "CACHE[-70000]",
    "CACHE[1099511627776]",
    "CACHE['x.y']",
    "pair[1][-1]",
    "made.third",
    "made.__dict__",
    "made.first",
    "Session.registry['base']",
    "Base.registry",
    "CACHE['key'][0].registry",
    "CACHE['key'][0].__class__",
    "point.y",
    "inner.__code__",
    "inner.__code__.co_consts",
    "inner.__closure__[0].cell_contents",
    "texts['ascii']",
    "texts['latin']",
    "texts['wide']",
    "texts['astral']",
    "texts['empty']",
):
    value = eval(name)
    print(name, id(value), *([sys.getsizeof(value)] if isinstance(value, str) else []))
print("READY", flush=True)
time.sleep(100000)
