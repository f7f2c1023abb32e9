"""Objects that are held in known ways, which it prints as "NAME ADDR": 30 tokens in a list of the module, each in a box; 20 in a dict of
another module; 3 held by nothing but C references that are lost; one in two places, one under a
number; one that is lost by a function which has ended. Then READY.
"""
import ctypes
import gc
import sys
import time
import types

gc.collect()
gc.disable()


class Token:
    pass


class Box:
    def __init__(self, token):
        self.token = token


def lose(token):
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(token))


CACHE = [Box(Token()) for _ in range(30)]
store = types.ModuleType("store")
store.tokens = {str(number): Token() for number in range(20)}
sys.modules["store"] = store
for _ in range(3):
    lose(Token())
chain = Token()
chain.next = Token()
both = Box(None)
both.me = "both"
first, second = [both], {"both": both}
numbered = {7: Box("numbered")}
print("numbered", id(numbered[7]))
print("CACHE", id(CACHE))
print("tokens", id(store.tokens))
print("both", id(both))
del both
print("first", id(first))
print("second", id(second))
print("key_7", id(store.tokens["7"]))
print("box_3", id(CACHE[3]))
print("token_3", id(CACHE[3].token))
print("stderr", id(sys.stderr))
print("Token", id(Token))


class Left:
    pass


def has_ended():
    left = Left()
    lose(left)
    return id(left)


print("left", has_ended())
print("READY", flush=True)
time.sleep(100000)
