"""An application to which the examples of the commands' help apply: module `app` with a CACHE, and its Sessions. Prints "session ADDR" of one
of them, then READY.
"""
import gc
import sys
import time
import types

gc.collect()
gc.disable()
app = types.ModuleType("app")
sys.modules["app"] = app


class Session:
    def __init__(self, user):
        self.user = [user]


Session.__module__ = "app"
app.Session = Session
app.CACHE = {"key": [Session("a"), Session("b")], "large": dict.fromkeys(range(50000))}
loop = Session("garbage")
loop.me = loop
del loop
print("session", id(app.CACHE["key"][0]))
print("READY", flush=True)
time.sleep(100000)
