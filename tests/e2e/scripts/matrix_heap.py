"""A heap with every kind of container that the standard library has, for CPython 3.8 and later.

Words: those of heap.py; "packages" imports real extension packages, where there are any (prints which);
"interpreters" makes subinterpreters with heaps of their own (prints how many of which kind);
"freeze" freezes what was made up to the middle. Prints what it is, READY, and waits, with a
generator, a coroutine and an asynchronous generator running.

Longer than other files because it is a list: a function for each kind of container.
"""
import os
import runpy
import sys

_base = runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "heap.py"), run_name="heap")
import abc
import array
import asyncio
import collections
import contextvars
import csv
import ctypes
import dataclasses
import datetime
import enum
import functools
import gc
import importlib
import io
import itertools
import operator
import pickle
import re
import socket
import struct
import threading
import time
import types
import typing
import weakref
import xml.etree.ElementTree

Node, nodes, generator = _base["Node"], _base["nodes"], _base["generator"]
kept = [_base]


def keep(*objects):
    kept.extend(objects)


def guarded(make, *failures):
    """Where a version has no such thing, its heap does without."""
    try:
        keep(make())
    except failures or (AttributeError, TypeError, ImportError, NameError):
        pass


class Dictless:
    __slots__ = ()


class Both:
    __slots__ = ("slot", "__dict__", "__weakref__")


class Meta(abc.ABCMeta):
    pass


class WithMeta(metaclass=Meta):
    shared = []

    @property
    def prop(self):
        return self

    @classmethod
    def made(cls):
        return cls()

    @staticmethod
    def static():
        return WithMeta

    def upper(self):
        return super().__init__


class Colour(enum.Enum):
    RED = [1]
    BLUE = [2]


@dataclasses.dataclass
class Record:
    left: object
    right: list = dataclasses.field(default_factory=list)


class ListKind(list):
    pass


class DictKind(dict):
    pass


class TupleKind(tuple):
    pass


class IntKind(int):
    pass


class SetKind(set):
    pass


def cycles():
    ring = []
    ring.append(ring)
    table = {}
    table["self"] = table
    pair = ([], {})
    pair[0].append(pair)
    pair[1]["pair"] = pair
    group = SetKind()
    group.member = group
    chained = collections.deque(maxlen=3)
    chained.append(chained)
    inner = ListKind([ring, table])
    inner.append(inner)
    inner.attribute = inner
    return [ring, table, pair, group, chained, inner]


def instances():
    """With inline values, with a dictionary made of them, with one that was replaced, and without."""
    many = []
    for i in range(60):
        one = Both()
        one.slot = [i]
        one.other = {i: one}
        two = WithMeta()
        two.value = [i]
        if i % 3 == 0:
            two.__dict__
        if i % 5 == 0:
            two.__dict__ = {"value": two}
        if i % 7 == 0:
            del two.value
        for k in range(i):
            setattr(two, "attribute%d" % k, [k])
        many += [one, two, Record(one, [two]), IntKind(i), TupleKind(([i],)), DictKind({i: [two]})]
        many[-3].attribute = [two]
    many += [Dictless(), WithMeta().prop, WithMeta.made(), WithMeta().upper, WithMeta.static]
    return many


def iterators():
    source = [[i] for i in range(8)]
    it = [iter(source), reversed(source), iter({1: []}.items()), iter({(1,)}), iter((source, source)),
          map(id, source), filter(None, source), zip(source, source), enumerate(source),
          itertools.chain(source, [source]), itertools.cycle(source), itertools.product(source, source),
          itertools.groupby(source, len), itertools.zip_longest(source, []), itertools.accumulate(source),
          itertools.islice(source, 3), itertools.starmap(max, [(source, source)]),
          itertools.permutations(source), itertools.combinations(source, 2), itertools.repeat(source),
          itertools.count(Colour.RED.value[0]), itertools.compress(source, [1]), *itertools.tee(source, 3),
          iter(lambda: source, None), itertools.dropwhile(bool, source), itertools.takewhile(bool, source)]
    for each in it:
        try:
            next(each)
        except (TypeError, StopIteration):
            pass
    return it


def callables():
    @functools.lru_cache(maxsize=8)
    def cached(key):
        return [key, cached]
    for key in range(12):
        cached(key)
    return [cached, functools.partial(cached, [1], key={}), functools.partialmethod(cached, []),
            functools.cmp_to_key(lambda a, b: 0)([1]), operator.itemgetter(1, "x"),
            operator.attrgetter("a.b", "c"), operator.methodcaller("m", [], key={}), [].append, nodes[0].__init__,
            types.MethodType(cached, nodes), functools.singledispatch(cached), property(cached),
            functools.reduce, str.join, "".join, int.__add__, (1).__add__, dict.__dict__["fromkeys"]]


def failures():
    made = []
    for depth in range(5):
        def descend(level):
            local = [level, made]
            if level:
                return descend(level - 1)
            raise ValueError(local)
        try:
            try:
                descend(depth)
            except ValueError as error:
                raise KeyError([depth]) from error
        except KeyError as error:
            made.append(error)
            made.append(error.__traceback__)
    made.append(sys._getframe())
    return made


def suspended_generator(values):
    """Suspended with several values on its stack."""
    first = [values]
    try:
        for value in values:
            print_later = (first, {"a": [value]}, (yield [value]), [value, first])
            inner = [x for x in (first, (yield from generator([print_later])))]
    finally:
        first.append(None)


@types.coroutine
def pause(value):
    got = [value, (yield value), {}]
    return got


class Awaitable:
    def __await__(self):
        kept = [self]
        yield kept


class Manager:
    async def __aenter__(self):
        return await pause(self)

    async def __aexit__(self, *what):
        await pause(what)


async def coroutine(value):
    local = [value]
    async with Manager() as manager:
        return {"local": local, "more": [manager, await pause(local), await Awaitable()]}


async def asynchronous(values):
    for value in values:
        local = {"value": value}
        await pause(local)
        yield [local, await pause(value)]


def suspended():
    made = []
    for i in range(40):
        gen = suspended_generator([nodes[i], [i]])
        for _ in range(i % 4):
            next(gen)
        coro = coroutine(nodes[i])
        for _ in range(i % 3):
            coro.send(None)
        agen = asynchronous([nodes[i]])
        steps = [agen.asend(None), agen.__anext__(), agen.athrow(ValueError), agen.aclose()]
        for _ in range(i % 3):
            try:
                steps[0].send(None)
            except StopIteration:
                break
        made += [gen, coro, coro.__await__() if i % 3 == 0 else coro, agen, steps, (each for each in made)]
        next(made[-1])
        if gen.gi_frame is not None and i % 2:
            made.append(gen.gi_frame)
        if coro.cr_frame is not None and i % 5 == 0:
            made.append(coro.cr_frame)
    return made


def modules_own():
    """Objects of the library's extension modules."""
    first = contextvars.ContextVar("first", default=[1])
    token = first.set([first])
    context = contextvars.copy_context()
    context.run(first.set, [context])
    text = io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"text")))
    text.attribute = text
    tree = xml.etree.ElementTree.fromstring("<a><b c='d'>e</b><f/></a>")
    tree.append(tree)
    pickler = pickle.Pickler(io.BytesIO())
    pickler.dump([nodes[0].value, [1], {"x": []}])
    local = threading.local()
    local.value = [local]
    left, right = socket.socketpair()
    table = csv.writer(io.StringIO())
    referrer = ListKind()
    made = [first, token, context, text, io.StringIO(), tree, tree.iter(), pickler, local, left, right, table,
            array.array("d", [1]), memoryview(bytearray(8)), struct.Struct("ii"), re.compile("a(b)").match("ab"),
            types.SimpleNamespace(a=[1]), types.MappingProxyType({"a": []}), types.ModuleType("own"),
            weakref.ref(referrer, lambda ref: referrer), weakref.proxy(referrer), weakref.WeakKeyDictionary(),
            weakref.WeakValueDictionary({1: referrer}), weakref.finalize(referrer, print, referrer), referrer,
            datetime.timezone.utc, datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=1))),
            collections.Counter("aab"), collections.ChainMap({}, {1: []}), collections.UserDict(a=[]),
            collections.defaultdict(list, {1: [2]}), collections.namedtuple("Pair", "a b")([1], [2]),
            slice([1], [2]), range(3), typing.Generic, typing.TypeVar("T"), typing.List[Node], Colour, Meta]
    sample = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.py_object)(lambda it: 0)
    fields = type("Fields", (ctypes.Structure,), {"_fields_": [("a", ctypes.py_object), ("b", ctypes.c_int * 3)]})
    one = fields()
    one.a = made
    made += [sample, fields, one, ctypes.pointer(one), ctypes.cast(ctypes.pointer(one), ctypes.c_void_p)]
    return made


def event_loop():
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.add_done_callback(lambda it: loop)

    async def wait(value):
        return [value, await future]
    tasks = [loop.create_task(wait([i])) for i in range(10)]
    loop.call_soon(loop.stop)
    loop.run_forever()
    return [loop, future, tasks]


def immortals():
    """Objects on the collector's lists that never die (3.12+)."""
    if sys.version_info < (3, 12):
        return []
    made = [[nodes[i]] for i in range(30)] + [{"node": node} for node in nodes[:30]]
    for each in made:
        ctypes.c_uint32.from_address(id(each)).value = 0xC0000000
    return made


def packages():
    found = []
    for name in ("numpy", "lxml.etree", "pandas", "sympy", "django"):
        try:
            keep(importlib.import_module(name))
            found.append(name)
        except ImportError:
            pass
    if "numpy" in found:
        numpy = sys.modules["numpy"]
        objects = numpy.array([[[1]], {2: []}, nodes[0]], dtype=object)
        keep(objects, numpy.nditer(numpy.zeros(3)), numpy.dtype([("a", object), ("b", int)]), objects.flat)
    if "pandas" in found:
        keep(sys.modules["pandas"].DataFrame({"a": [1, 2], "b": [[1], {}]}).groupby("a"))
    if "lxml.etree" in found:
        root = sys.modules["lxml.etree"].fromstring("<a><b/></a>")
        keep(root, list(root), root.iter(), root.xpath("//b"))
    if "sympy" in found:
        x = sys.modules["sympy"].Symbol("x")
        keep(sys.modules["sympy"].integrate(x ** 2, x))
    if "django" in found:
        try:
            keep(importlib.import_module("django.db.models"), importlib.import_module("django.forms"))
        except ImportError:
            pass
    return found


SUB_HEAP = """
import gc
gc.disable()
import sys, collections, re, json, functools
class Node:
    pass
kept = []
for i in range(200):
    node = Node(); node.me = node; node.more = [kept, {i: node}, (i, [i])]
    kept.append(node)
def generator(values):
    for value in values:
        more = [value, (yield [value]), {}]
kept += [generator([node]) for node in kept]
[next(each) for each in kept[200:]]
kept.append(collections.OrderedDict(a=[1]))
"""


class Interpreters:
    """Subinterpreters, whatever the version calls them."""

    def __init__(self):
        for name in ("_interpreters", "_xxsubinterpreters"):
            try:
                self.module = importlib.import_module(name)
                break
            except ImportError:
                pass
        self.kinds = []
        self.ids = []
        if sys.version_info >= (3, 13):
            ways = [("legacy", ("legacy",), {}), ("isolated", ("isolated",), {})]
        elif sys.version_info >= (3, 10):
            ways = [("legacy", (), {"isolated": False}), ("isolated", (), {"isolated": True})]
        else:
            ways = [("legacy", (), {})]
        for kind, words, named in ways:
            self.ids.append(self.module.create(*words, **named))
            self.kinds.append(kind)
        if sys.version_info >= (3, 14):
            from concurrent import interpreters
            self.public = interpreters.create()
            self.public.exec(SUB_HEAP)
            self.kinds.append("concurrent.interpreters")
        for each in self.ids:
            self.run(each, SUB_HEAP)

    def run(self, which, code):
        failure = self.module.run_string(which, code)
        if failure is not None:
            raise RuntimeError(failure)


def make():
    keep(cycles(), instances(), iterators(), callables(), failures())
    if "freeze" in sys.argv:
        gc.collect()
        gc.freeze()
    keep(suspended(), modules_own(), event_loop(), immortals())
    guarded(lambda: list[Node], TypeError)
    guarded(lambda: eval("Node | list"))
    guarded(lambda: eval("ExceptionGroup('group', [ValueError([1])])"))
    guarded(lambda: eval("typing.ParamSpec('P')"))
    guarded(lambda: {name: exec(code, {"Node": Node}) for name, code in
                     {"alias": "type Alias[T] = dict[T, Node]\nkept = Alias",
                      "generic": "class Generic[T]:\n    x: T\n    def method[S](self, s: S): pass"}.items()},
            SyntaxError)
    guarded(lambda: eval("t'{nodes} {kept!r:>{nodes}}'"), SyntaxError)
    for name in ("_ssl", "sqlite3", "_elementtree", "_zoneinfo", "unicodedata", "_queue", "_bz2", "_lzma", "zlib",
                 "_hashlib", "_random", "select", "_multiprocessing", "_curses", "readline", "_tkinter", "_testcapi",
                 "_testinternalcapi", "_lsprof", "_asyncio", "_statistics", "_uuid", "mmap", "resource", "syslog",
                 "termios", "grp", "_posixsubprocess", "_opcode", "_symtable", "audioop", "nis", "_crypt", "_dbm"):
        guarded(lambda: importlib.import_module(name), ImportError)
    if "sqlite3" in sys.modules:
        connection = sys.modules["sqlite3"].connect(":memory:")
        connection.create_function("own", 1, lambda it: it)
        keep(connection, connection.execute("select 1"), connection.cursor())
    if "ssl" in sys.modules or "_ssl" in sys.modules:
        guarded(lambda: importlib.import_module("ssl").create_default_context())


def run_inside(action):
    """Runs the action in a generator in a coroutine in an asynchronous generator: all of them running."""
    def running(values):
        held = [values, {"held": [1]}]
        yield [held, (action(), [held])]

    async def waiting(values):
        held = [values]
        return [held, next(running(held))]

    async def producing(values):
        yield [[values], await waiting(values)]

    async def main():
        return [[nodes[0]], [item async for item in producing([nodes[1]])]]
    try:
        main().send(None)
    except StopIteration:
        pass


make()
found = packages() if "packages" in sys.argv else []
interpreters = Interpreters() if "interpreters" in sys.argv else None
print("packages", " ".join(found))
print("interpreters", " ".join(interpreters.kinds) if interpreters else "")
if __name__ == "__main__":
    runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
    print("version %d.%d.%d" % sys.version_info[:3])
    print("runtime", runtime)
    print("stderr", id(sys.stderr))

    def wait():
        print("READY", flush=True)
        time.sleep(100000)
    run_inside(wait)
