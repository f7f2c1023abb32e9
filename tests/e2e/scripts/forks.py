"""Two processes with equal memory: prints the pid of its child, READY, and waits, as the child does."""
import gc
import os
import time

gc.disable()
child = os.fork()
if child:
    print("child", child)
    print("READY", flush=True)
time.sleep(100000)
