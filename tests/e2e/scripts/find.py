"""Objects to be found. A forked child, whose objects have the same addresses, prints what the interpreter itself says of them, "WHAT ADDR":
the instances of each planted class, those of the planted module, those with the attribute `user`, lists of some sizes. Then READY.
"""
import gc
import os
import sys
import time
import warnings

gc.collect()
gc.disable()


class Session:
    def __init__(self, user):
        self.number = 1
        if user:
            self.user = [user]


class Slotted:
    __slots__ = ("user", "other")


class Rows(list):
    pass


Item = type("Item", (), {"__module__": "shop.items"})
Cart = type("Cart", (Item,), {"__module__": "shop", "user": "of the class, not of its objects"})
planted = [Session("a"), Session("b"), Session(None), Slotted(), Slotted(), Item(), Cart(), Cart()]
planted[3].user = ["c"]
vars(planted[1])  # its dictionary is made
planted += [Rows(range(count)) for count in (1, 200, 1000)]
shared = planted[2]
many = [shared] * 50


def tell():
    for each in planted:
        print("type_" + type(each).__name__, id(each))
        print("module_" + type(each).__module__, id(each))
        if "user" in getattr(each, "__dict__", ()) or type(each) is Slotted and hasattr(each, "user"):
            print("user", id(each))
    for each in gc.get_objects():
        if type(each) is type and "user" in vars(each):
            print("class_user", id(each))
    for each in planted:
        if isinstance(each, Rows) and 1000 <= sys.getsizeof(each) <= 5000:
            print("middle", id(each))
        if sys.getrefcount(each) > 50:
            print("shared", id(each))


warnings.simplefilter("ignore")
if os.fork() == 0:
    tell()
    sys.stdout.flush()
    os._exit(0)
os.wait()
print("READY", flush=True)
time.sleep(100000)
