"""A young collection that stands still in a finalizer, in a thread that is not the main one.

    collecting_thread.py [THREADS]
THREADS idle threads are started before. Objects of the main thread lie in the arena that begins where the
collecting thread's stack ends.
"""
import gc
import sys
import threading
import time

gc.disable()
kept = [[i] for i in range(3000)]
gc.collect()


class Dying:
    def __del__(self):
        print("READY", flush=True)
        time.sleep(100000)


def collect():
    dying = Dying()
    dying.me = dying
    del dying
    gc.collect(0)


for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 0):
    threading.Thread(target=time.sleep, args=(100000,), daemon=True).start()
threading.Thread(target=collect, daemon=True).start()
time.sleep(100000)
