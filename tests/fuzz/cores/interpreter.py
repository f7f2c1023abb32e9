"""A live interpreter that damage is done to, and what becomes of it: the judge of "clean"."""
import os
import select
import signal
import subprocess
import time

PATIENCE = 10
COLLECTOR = (
    "gc_collect",
    "subtract_refs",
    "update_refs",
    "move_unreachable",
    "deduce_unreachable",
    "visit_decref",
    "visit_reachable",
    "untrack_",
    "validate_list",
    "gc_list_",
    # Without a GIL.
    "gc_visit_",
    "mark_heap_visitor",
    "scan_heap_visitor",
    "merge_",
    "_mi_heap_",
    "mi_heap_",
)


class Lost(Exception):
    pass


class Interpreter:
    """Forks of one state. Nothing here knows of pygc."""

    def __init__(self, python, extent, place):
        self.python = os.path.realpath(python)
        self.extent = extent
        self.place = place
        self.process = None
        self.without_gil = False
        self.start()

    def start(self):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "victim.py")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment["PYTHONHASHSEED"] = "0"
        # Without randomization another such process has the same addresses, should this one be lost.
        self.process = subprocess.Popen(
            ["setarch", "-R", self.python, "-s", "-E", script, str(self.extent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=self.place,
        )
        answer = self.answer(60)
        if answer not in ("ready", "ready without a GIL"):
            raise Lost("the interpreter did not start")
        self.without_gil = answer != "ready"

    def answer(self, seconds):
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return None
        return self.process.stdout.readline().decode().strip()

    def ask(self, line, seconds=60):
        self.process.stdin.write((line + "\n").encode())
        self.process.stdin.flush()
        answer = self.answer(seconds)
        if answer is None:
            raise Lost(line)
        return answer

    def stop(self):
        """A child that has stopped itself before it collects."""
        child = int(self.ask("stop"))
        for _ in range(2000):
            with open("/proc/%d/stat" % child) as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "T":
                    return child
            time.sleep(0.005)
        raise Lost("the child did not stop")

    def end(self, child):
        os.kill(child, signal.SIGKILL)
        self.ask("wait %d" % child)

    def objects(self):
        path = os.path.join(self.place, "objects")
        if self.ask("list " + path) != "0":
            raise Lost("no list of objects")
        with open(path) as lines:
            return [tuple(map(int, line.split())) for line in lines]

    def core(self, path):
        """What gcore makes of a child."""
        child = self.stop()
        subprocess.run(
            ["gcore", "-o", path, str(child)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        maps = open("/proc/%d/maps" % child).read()
        self.end(child)
        os.rename("%s.%d" % (path, child), path)
        return maps

    def difference(self, core):
        """How many words of a fresh child are others than the core's, of how many."""
        child = self.stop()
        words = other = 0
        with open("/proc/%d/mem" % child, "rb") as memory:
            for segment in core.loads():
                if not segment.flags & 2 or not segment.saved:
                    continue
                memory.seek(segment.start)
                mine = memory.read(segment.saved)
                saved = core.data[segment.offset : segment.offset + segment.saved]
                words += len(mine) // 8
                if mine != saved:
                    other += sum(
                        mine[i : i + 8] != saved[i : i + 8] for i in range(0, len(mine), 8)
                    )
        self.end(child)
        return other, words

    def damaged(self, patches):
        child = self.stop()
        try:
            with open("/proc/%d/mem" % child, "r+b", buffering=0) as memory:
                for address, data in patches:
                    memory.seek(address)
                    memory.write(data)
        except OSError:
            self.end(child)
            return None
        return child

    def collect(self, patches):
        """What becomes of an interpreter with that damage that collects: "survives", a signal's name,
        "hangs", or "unwritable"."""
        child = self.damaged(patches)
        if child is None:
            return "unwritable"
        os.kill(child, signal.SIGCONT)
        self.process.stdin.write(b"wait %d\n" % child)
        self.process.stdin.flush()
        answer = self.answer(PATIENCE)
        if answer is None:
            os.kill(child, signal.SIGKILL)
            self.answer(60)
            return "hangs"
        status = int(answer)
        if os.WIFSIGNALED(status):
            return signal.Signals(os.WTERMSIG(status)).name
        return "survives" if status == 0 else "exit %d" % os.WEXITSTATUS(status)

    def place_of_death(self, patches):
        """The functions on the stack when it dies, innermost first; empty when the debugger was not told."""
        child = self.damaged(patches)
        if child is None:
            return []
        commands = ["handle SIGSTOP SIGCONT nostop noprint", "continue", "bt 40"]
        words = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-p", str(child)]
        for command in commands:
            words += ["-ex", command]
        try:
            shown = subprocess.run(
                words, capture_output=True, text=True, timeout=240, errors="replace"
            ).stdout
        except subprocess.TimeoutExpired:
            shown = ""
        try:
            self.end(child)
        except ProcessLookupError:
            self.ask("wait %d" % child)
        functions = []
        for line in shown.splitlines():
            if line.startswith("#"):
                words = line.split()
                functions.append(words[3] if len(words) > 3 and words[2] == "in" else words[1])
        return functions

    def core_of_death(self, patches, path):
        """What gcore makes of it when it dies."""
        child = self.damaged(patches)
        words = ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-p", str(child)]
        for command in ("handle SIGSTOP SIGCONT nostop noprint", "continue", "gcore " + path):
            words += ["-ex", command]
        subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
        self.end(child)

    def close(self):
        self.process.kill()
        self.process.wait()


def is_collector(function):
    return function.startswith(COLLECTOR)
