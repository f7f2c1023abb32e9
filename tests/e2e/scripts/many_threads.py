"""Threads that have made a few objects and wait. Words: how many, and the size of their stacks (0: the system's).
Prints READY and waits.
"""
import _thread
import gc
import sys
import threading
import time

gc.disable()
count = int(sys.argv[1])
threading.stack_size(int(sys.argv[2]))
ready = []
stay = threading.Event()


class Node:
    pass


def work(number):
    own = [Node() for _ in range(20)]
    for node in own:
        node.others = own
        node.table = {number: node}
    ready.append(number)
    stay.wait()


for i in range(count):  # a Thread would be waited for, each alone
    _thread.start_new_thread(work, (i,))
while len(ready) < count:
    time.sleep(0.01)
print("READY", flush=True)
time.sleep(100000)
