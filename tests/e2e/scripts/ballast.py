"""A small heap beside much memory that no traversal looks at; prints READY and waits."""
import faulthandler
import time

ballast = bytearray(b"x") * (200 << 20)
faulthandler.enable()
print("READY", flush=True)
time.sleep(100000)
