"""A service that grows: on each SIGUSR1 it takes 100 sessions more, drops 40 jobs, and writes
the addresses of the new sessions to a file: grow.py FILE"""
import gc
import signal
import sys

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
gc.collect()
gc.disable()


class Session:
    def __init__(self, number):
        self.cache = [number]


class Job:
    pass


SESSIONS = [Session(number) for number in range(50)]
JOBS = [Job() for _ in range(100)]
print("READY", flush=True)
while True:
    signal.sigwait({signal.SIGUSR1})
    SESSIONS.extend(Session(number) for number in range(100))
    del JOBS[:40]
    with open(sys.argv[1], "w") as file:
        file.writelines("%s\n" % hex(id(session)) for session in SESSIONS[50:])
