"""A program with the bug of gh-149590: faulthandler is imported twice. Says its pid and waits."""
import ctypes
import faulthandler
import os
import sys
import time

faulthandler.enable()
del sys.modules["faulthandler"]
import faulthandler as second_instance

# Any process of this user may take a core (where Yama asks for that).
PR_SET_PTRACER = 0x59616D61
ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(2**64 - 1), 0, 0, 0)
print(os.getpid(), flush=True)
time.sleep(600)
