"""Healthy objects with words that look like references and are none; prints READY and waits.

References that C code keeps where no word has the address let each of them look counted.
"""
import gc

gc.disable()
import ctypes
import sys
import time
import weakref

take = ctypes.pythonapi.Py_IncRef
take.argtypes = [ctypes.c_void_p]


class Number(int):
    pass


# The words behind one lie in the next one, which refers to a dict.
numbers = [Number(i + 1) for i in range(3000)]
for number in numbers:
    number.field = [1]
    take(id(number.__dict__))
numbers = numbers[::100]


class Reference(weakref.ref):
    pass


class Referent:
    pass


def make_reference():
    referent = Referent()
    referent.field = [1]
    take(id(referent))
    return Reference(referent)


reference = make_reference()


def fail():
    try:
        1 / 0
    except ZeroDivisionError as error:
        return error


error = fail()  # keeps a traceback, which keeps a frame


def generate():
    local = []
    yield local


generator = generate()
next(generator)


async def wait():
    await Awaitable()


class Awaitable:
    def __await__(self):
        yield self


coroutine = wait()
coroutine.send(None)
container = (ctypes.c_int * 4)()
take(id(container))
view = memoryview(container)
keyed = {i: [i] for i in range(100)}
for i in range(100000):  # the version tags of dicts rise
    keyed[i % 100] = keyed
print("READY", flush=True)
time.sleep(100000)
