"""Module instances of faulthandler, whose file nobody but faulthandler itself keeps; READY, and waits.

    faulthandler_instances.py COUNT | dead | state
COUNT instances, all in use; or one that is garbage, as no collection has found it yet; or one with its
whole state set up: fatal errors, the timer, two signals of the user. Prints addresses of files and of modules.
"""
import gc

gc.disable()
import sys
import time

kept = []


def new_file(name):
    file = open("/dev/null", "w")
    print(name, id(file), file.fileno(), flush=True)
    return file


def instance():
    sys.modules.pop("faulthandler", None)
    import faulthandler
    print("module", id(faulthandler))
    return faulthandler


def instances(count):
    for _ in range(count):
        kept.append(instance())
    kept[0].enable(file=new_file("file"))


def dead_instance():
    module = instance()
    module.enable(file=new_file("file"))
    module.me = module
    del sys.modules["faulthandler"]
    if sys.version_info < (3, 10):
        # Single-phase there: the interpreter keeps it a second time, by its definition.
        import ctypes
        find = ctypes.pythonapi.PyModule_GetDef
        find.argtypes, find.restype = [ctypes.py_object], ctypes.c_void_p
        remove = ctypes.pythonapi.PyState_RemoveModule
        remove.argtypes = [ctypes.c_void_p]
        remove(find(module))


def whole_state():
    import faulthandler
    import signal
    faulthandler.enable(file=new_file("fatal_error"), all_threads=False)
    faulthandler.dump_traceback_later(100000, file=new_file("thread"))
    faulthandler.register(signal.SIGUSR1, file=new_file("user_signals[%d]" % signal.SIGUSR1), all_threads=True,
                          chain=True)
    faulthandler.register(signal.SIGUSR2, file=new_file("user_signals[%d]" % signal.SIGUSR2), all_threads=False,
                          chain=False)


if sys.argv[1] == "dead":
    dead_instance()
elif sys.argv[1] == "state":
    whole_state()
else:
    instances(int(sys.argv[1]))
print("READY", flush=True)
time.sleep(100000)
