"""Threads that make and drop objects all the time. Word: how many."""
import sys
import threading
import time


def work():
    kept = []
    while True:
        kept.append({"list": [kept], "pair": (kept, [1])})
        if len(kept) > 50:
            kept.clear()
        time.sleep(0.001)


for _ in range(int(sys.argv[1])):
    threading.Thread(target=work, daemon=True).start()
print("READY", flush=True)
time.sleep(100000)
