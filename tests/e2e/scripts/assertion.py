"""faulthandler imported twice, then a collection: a debug build aborts inside subtract_refs."""
import faulthandler
import gc
import sys

gc.disable()
faulthandler.enable()
del sys.modules["faulthandler"]
import faulthandler as second_instance

print("stderr", id(sys.stderr))
print("first", id(sys.modules["faulthandler"]))
print("READY", flush=True)
gc.collect()
