"""Objects whose reference counts an extension has damaged; prints what and where, READY, and waits.

    counts.py DIR WHAT...
DIR has the extension. "ended:WHAT" damages an object of a thread that has ended.
"""
import gc

gc.disable()
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])
import counts

kept = []


def make():
    kept.append([])


for word in sys.argv[2:]:
    owner, _, what = word.rpartition(":")
    if owner:
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        del thread
    else:
        make()
    print(word, id(kept[-1]))
for index, word in enumerate(sys.argv[2:]):
    counts.damage(kept, index, word.rpartition(":")[2])
print("READY", flush=True)
time.sleep(100000)
