"""A heap of threads that goes on after SIGUSR1 with what a debugger is to stop in: objects are made, freed,
given to other threads and freed there, and threads end.

    moments.py [THREADS]
"""
import gc
import os
import signal
import sys
import threading

gc.disable()
count = int(sys.argv[1]) if len(sys.argv) > 1 else 4


class Node:
    pass


def make(number):
    made = []
    for i in range(number):
        node = Node()
        node.items = [i, (made, i)]
        node.table = {i: node}
        made.append(node)
    return made


kept = make(500)
go = threading.Event()
stay = threading.Event()
ready = threading.Semaphore(0)
shared = []


def work():
    own = make(50)
    shared.append(own)
    ready.release()
    go.wait()
    for _ in range(20):
        shared.append(make(200))
    stay.wait()


for _ in range(count):
    threading.Thread(target=work, daemon=True).start()
for _ in range(count):
    ready.acquire()
print("READY", flush=True)
os.kill(os.getpid(), signal.SIGUSR1)
go.set()
for _ in range(200):
    other = make(100)
    for each in shared[:]:
        if each:
            each.pop()  # its owner is to merge its counts
    ended = threading.Thread(target=make, args=(20,))
    ended.start()
    ended.join()
    del other[::3]
gc.collect()
print("survived", flush=True)
