"""A heap that grows by a thousand lists before each call of getppid, where a test may stop it. Word: how often it is to grow before
it prints READY and waits."""
import gc
import os
import sys
import time

gc.disable()
kept = []
for _ in range(int(sys.argv[1])):
    kept.append([[] for _ in range(1000)])
    os.getppid()
print("READY", flush=True)
time.sleep(100000)
