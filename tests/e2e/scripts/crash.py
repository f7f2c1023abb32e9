"""Imports faulthandler twice, then reads where no memory is."""
import ctypes
import faulthandler
import gc
import sys

gc.disable()
faulthandler.enable()
del sys.modules["faulthandler"]
import faulthandler as second_instance

ctypes.string_at(8)
