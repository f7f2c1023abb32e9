"""A heap of many threads: some wait, some have ended and left their objects, some own objects that others
refer to, drop or wait to have merged. A GIL makes no difference to the script. Prints READY and waits, unless
collect.py runs it.
"""
import threading
import time


class Node:
    pass


class Slotted:
    __slots__ = ("a", "b")


def make(count):
    made = []
    for i in range(count):
        node = Node()
        node.items = [i]
        node.table = {i: node}
        slotted = Slotted()
        slotted.a, slotted.b = node, (slotted, node)
        made.append((node, slotted))
    return made


kept = make(1000)
left = []
nodes = [each[0] for each in kept]


def short():
    made = make(500)
    made[0][0].of_main = kept[:50]
    left.append(made)


def suspended(value):
    yield [value]


for thread in [threading.Thread(target=short) for _ in range(4)]:
    thread.start()
    thread.join()

stay = threading.Event()
ready = threading.Semaphore(0)
theirs = []


def longer():
    own = make(300)
    del own[::7]
    theirs.append(own)
    theirs.append([suspended(each) for each in own[:20]])
    for generator in theirs[-1]:
        next(generator)
    theirs.append(left[0][:100])
    ready.release()
    stay.wait()


for _ in range(3):
    threading.Thread(target=longer, daemon=True).start()
for _ in range(3):
    ready.acquire()
# What another thread owns loses references here: their owners are to merge the counts.
for each in theirs[::3]:
    del each[1::5]
del left[0][::9]
large = [tuple(range(i, i + 40000)) + (nodes[i],) for i in range(10)]
# What these leave nobody takes over: no thread needs memory any more.
for thread in [threading.Thread(target=short) for _ in range(2)]:
    thread.start()
    thread.join()
if __name__ == "__main__":
    print("READY", flush=True)
    time.sleep(100000)
