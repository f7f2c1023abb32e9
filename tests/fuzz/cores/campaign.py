"""Damages cores of interpreters, has pygc check them, and judges each "clean".

    campaign.py --pygc PROGRAM --python PROGRAM... [--mutants N] [--seed N] [--jobs N]
                [--minutes N] [--debugger gdb|lldb --program PROGRAM --plugin FILE] [--log FILE]

Fails when pygc ends by a signal or with a status of its own, takes more than ten seconds, loses the
debugger, or says "clean" of what an interpreter with the same damage dies of in its collector.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

from elf_core import ElfCore
from interpreter import Interpreter, Lost, is_collector
from model import damage_of
from mutant_file import MutantFile
import mutations

HANG = 10  # seconds of processor time, as a machine that does other things is no hang
PATIENCE = 240
ALIVE = "the debugger goes on"


class Base:
    """A core and the interpreter it is of: at rest and unharmed, or `died` in its collector."""

    def __init__(self, python, extent, place, died):
        self.name = os.path.basename(python) + (" that died" if died else "")
        self.python = python
        self.died = died
        self.place = os.path.join(place, self.name.replace(" ", "-"))
        os.mkdir(self.place)
        self.lock = threading.Lock()
        self.interpreter = Interpreter(python, extent, self.place)
        self.path = os.path.join(self.place, "core")
        shape = mutations.WITHOUT_GIL if self.interpreter.without_gil else mutations.WITH_GIL
        objects = self.interpreter.objects()
        maps = self.interpreter.core(self.path)
        if died:  # of an object without a type
            victim = objects[len(objects) // 2][0]
            self.interpreter.core_of_death([(victim + shape.type, bytes(8))], self.path)
        with open(self.path, "rb") as file:
            core = ElfCore(file.read())
        self.subject = mutations.Subject(
            core,
            [each for each in objects if core.word(each[0]) is not None],
            list(data_of(maps, self.interpreter.python)),
            shape,
        )
        self.difference = None if died else self.interpreter.difference(core)

    def collect(self, patches):
        with self.lock:
            try:
                return self.interpreter.collect(patches)
            except (Lost, OSError):
                self.interpreter.close()
                self.interpreter.start()
                return self.interpreter.collect(patches)

    def place_of_death(self, patches):
        with self.lock:
            return self.interpreter.place_of_death(patches)


def data_of(maps, program):
    """The writable data of the program, what lies behind it included."""
    last = None
    for line in maps.splitlines():
        words = line.split()
        start, end = (int(x, 16) for x in words[0].split("-"))
        path = words[5] if len(words) > 5 else ""
        ours = path == program or "libpython" in path
        if "w" in words[1] and (ours or (not path and last == start)):
            yield start, end
            last = end
        elif ours:
            last = end


class Front:
    """pygc alone, or in a debugger."""

    def __init__(self, options, place):
        self.options = options
        self.environment = dict(os.environ, PYGC_CACHE_DIR=os.path.join(place, "cache"))
        self.environment.pop("DEBUGINFOD_URLS", None)

    def words(self, python, core, document, check=True):
        options = self.options
        command = "pygc check --json --output " + document
        if options.debugger == "gdb":
            words = [options.program, "-nx", "-batch", "-iex", "set debuginfod enabled off"]
            words += ["-ex", "source " + options.plugin]
            words += ["-ex", command] if check else []
            return words + ["-ex", "echo %s\\n" % ALIVE, python, core]
        if options.debugger == "lldb":
            words = [options.program, "--batch", "--no-lldbinit", "-o", "plugin load " + options.plugin]
            words += ["-o", "target create --core %s %s" % (core, python)]
            # By way of a script: a command that fails, as of no core, would end the batch.
            command = "script lldb.debugger.HandleCommand('%s')" % command
            words += ["-o", command] if check else []
            return words + ["-o", "script print('%s')" % ALIVE]
        return [options.pygc, "check", "--json", "--output", document, core]

    def run(self, python, core, document, check=True):
        """The exit status (negative: a signal; None: it did not end), the seconds of processor time of
        it and of what it started, what was shown."""
        words = self.words(python, core, document, check)
        with tempfile.TemporaryFile() as output:
            pid = os.posix_spawnp(
                words[0],
                words,
                self.environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
                ],
                setsid=True,
            )
            end = time.monotonic() + PATIENCE
            ended, state, usage = os.wait4(pid, os.WNOHANG)
            while ended == 0 and time.monotonic() < end:
                time.sleep(0.01)
                ended, state, usage = os.wait4(pid, os.WNOHANG)
            status = None
            if ended == 0:
                os.killpg(pid, signal.SIGKILL)
                ended, state, usage = os.wait4(pid, 0)
            else:
                status = os.waitstatus_to_exitcode(state)
            output.seek(0)
            shown = output.read().decode(errors="replace")
        seconds = PATIENCE if status is None else usage.ru_utime + usage.ru_stime
        return status, seconds, shown


class Campaign:
    def __init__(self, options, place):
        self.options = options
        self.place = place
        self.front = Front(options, place)
        self.bases = [
            Base(python, options.extent, place, died)
            for died in (False, True)
            for python in options.python
        ]
        self.deadline = time.monotonic() + 60 * options.minutes
        self.lock = threading.Lock()
        self.files = {}
        self.count = collections.Counter()
        self.verdicts = collections.defaultdict(collections.Counter)
        self.judged = collections.Counter()
        self.problems = []
        self.slowest = 0.0
        self.log = open(options.log, "a") if options.log else None

    def mutate(self, number):
        choose = random.Random("%d %d" % (self.options.seed, number))
        # One in ten is of an interpreter that died: its container alone is damaged.
        half = len(self.bases) // 2
        base = self.bases[number % half + (half if number // half % 10 == 9 else 0)]
        kinds = mutations.CONTAINER + ([] if base.died else mutations.MEMORY)
        if self.options.kind:
            kinds = [kind for kind in kinds if kind.__name__ in self.options.kind]
        mutation = choose.choice(kinds)(choose, base.subject)
        core = base.subject.core
        for address, data in mutation.memory:
            offset = core.offset_of(address)
            if offset is not None:
                mutation.file.append((offset, data))
        return base, mutation

    def note_problem(self, number, base, mutation, what):
        with self.lock:
            self.problems.append((number, base.name, str(mutation), what))
            print("mutant %d of %s, %s: %s" % (number, base.name, mutation, what), flush=True)

    def worker_file(self, base):
        path = os.path.join(base.place, "mutant-%d" % threading.get_ident())
        if path not in self.files:
            self.files[path] = MutantFile(path, base.subject.core.data)
        return self.files[path]

    def checked(self, base, path, document):
        if os.path.exists(document):
            os.remove(document)
        status, seconds, shown = self.front.run(base.python, path, document)
        try:
            with open(document) as file:
                verdict = json.load(file).get("verdict")
        except (OSError, ValueError):
            verdict = None
        return status, seconds, shown, verdict

    def one(self, number):
        if time.monotonic() > self.deadline:
            return
        base, mutation = self.mutate(number)
        if not mutation.file and mutation.cut is None:
            return
        file = self.worker_file(base)
        path = file.path
        document = path + ".json"
        file.make(mutation.file, mutation.cut)
        status, seconds, shown, verdict = self.checked(base, path, document)
        self.judge_run(number, base, mutation, path, (status, seconds, shown, verdict))
        fate = ""
        if verdict in ("clean", "warnings"):
            fate = self.judge(number, base, mutation, file, verdict)
        file.mend()
        with self.lock:
            self.count[mutation.kind] += 1
            self.verdicts[mutation.kind][verdict or "refused"] += 1
            self.slowest = max(self.slowest, seconds)
            if self.log:
                line = (number, base.name, str(mutation), status, verdict, fate, round(seconds, 2))
                self.log.write(json.dumps(line) + "\n")
                self.log.flush()

    def judge_run(self, number, base, mutation, path, run):
        status, seconds, shown, verdict = run
        if seconds > HANG:
            self.note_problem(number, base, mutation, "took %.0f s" % seconds)
        if self.options.debugger:
            if ALIVE in shown.splitlines():
                return
            alone = self.front.run(base.python, path, path + ".none", check=False)
            if ALIVE in alone[2].splitlines():
                self.note_problem(number, base, mutation, "the debugger is lost: %s" % status)
            else:
                self.judged["not taken by the debugger itself"] += 1
        elif status not in (0, 1, 2, 3) or "Traceback" in shown or "terminate called" in shown:
            self.note_problem(number, base, mutation, "ended with %s: %s" % (status, shown[-300:]))
        elif status != 2 and verdict is None:
            self.note_problem(number, base, mutation, "no document: %s" % shown[-300:])

    def judge(self, number, base, mutation, file, verdict):
        """What "clean" is worth."""
        if base.died:
            self.note_problem(number, base, mutation, verdict + ", though it died in its collector")
            return "died before"
        patches = mutation.memory
        if not patches:
            state, detail = damage_of(base.subject, file.read())
            if state in ("no core", "missing"):
                self.note_problem(number, base, mutation, "%s, though %s" % (verdict, state))
            if state != "changed":
                self.judged["container: " + state] += 1
                return state
            patches = detail
        fate = base.collect(patches)
        if fate == "survives" or fate == "unwritable":
            self.judged["the interpreter " + fate] += 1
            return fate
        functions = base.place_of_death(patches)
        if not functions and fate != "hangs":
            self.note_problem(number, base, mutation, "%s, but %s, nobody knows where" % (verdict, fate))
            return fate + " somewhere"
        inside = fate == "hangs" or any(map(is_collector, functions))
        if inside:
            self.note_problem(
                number, base, mutation, "%s, but %s: %s" % (verdict, fate, " < ".join(functions[:12]))
            )
        else:
            self.judged["the interpreter dies elsewhere"] += 1
            print(
                "mutant %d of %s, %s: %s, dies outside of the collector (%s: %s)"
                % (number, base.name, mutation, verdict, fate, " < ".join(functions[:6])),
                flush=True,
            )
        return fate + (" in the collector" if inside else " elsewhere")

    def sound(self):
        """Each core as it is must be told rightly, or nothing that follows means anything."""
        for base in self.bases:
            verdict = self.checked(base, base.path, base.path + ".json")[3]
            print(
                "%s: %d objects, %d MB: %s"
                % (base.name, len(base.subject.objects), len(base.subject.core.data) >> 20, verdict),
                flush=True,
            )
            if base.difference:
                print("  a fork differs from it in %d of %d words" % base.difference, flush=True)
            if (verdict == "clean") == base.died or verdict is None:
                return False
        return True

    def run(self):
        if not self.sound():
            return 2
        begin = time.monotonic()
        numbers = self.options.only or range(self.options.first, self.options.first + self.options.mutants)
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for done in pool.map(self.one, numbers):
                del done
        self.tell(time.monotonic() - begin)
        return 1 if self.problems else 0

    def tell(self, seconds):
        where = "in " + self.options.debugger if self.options.debugger else "alone"
        print(
            "%d mutants %s in %.1f minutes (seed %d); the slowest took %.1f s of processor time"
            % (sum(self.count.values()), where, seconds / 60, self.options.seed, self.slowest)
        )
        for kind in sorted(self.count):
            verdicts = ", ".join("%s %d" % each for each in self.verdicts[kind].most_common())
            print("  %-15s %6d: %s" % (kind, self.count[kind], verdicts))
        for what, count in self.judged.most_common():
            print("  of those that are clean, %s: %d" % (what, count))
        print("%d problems" % len(self.problems))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pygc", required=True)
    parser.add_argument("--python", required=True, nargs="+")
    parser.add_argument("--mutants", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="*", help="these mutants alone")
    parser.add_argument("--kind", nargs="*", help="these kinds alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--extent", type=int, default=40)
    parser.add_argument("--debugger", choices=["gdb", "lldb"])
    parser.add_argument("--program")
    parser.add_argument("--plugin")
    parser.add_argument("--log")
    place = tempfile.mkdtemp(prefix="pygc-fuzz-")
    try:
        campaign = Campaign(parser.parse_args(), place)
        status = campaign.run()
        for base in campaign.bases:
            base.interpreter.close()
        return status
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
