"""A deque, a set and a frozenset; prints "NAME ADDR" of each and of what they hold, then READY."""
import collections
import gc
import time

gc.collect()
gc.disable()


class Names(set):
    pass


items = [[i] for i in range(150)]
queue = collections.deque()
queue.extend(items[40:])
queue.extendleft(items[39::-1])  # so that it begins within a block
elements = [(i, []) for i in range(20)]
tags = {frozenset([each[0], "tag"]) for each in elements}
named = Names([elements[0][:1]])
print("queue", id(queue))
print("item", id(items[77]))
print("tags", id(tags))
print("tag", id(next(iter(tags))))
print("named", id(named))
print("first", id(next(iter(named))))
print("READY", flush=True)
time.sleep(100000)
