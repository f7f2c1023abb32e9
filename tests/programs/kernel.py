"""Starts an ipython kernel, runs the workload and some cells in it, says its process id and waits."""
import os
import sys
import time

from jupyter_client.manager import start_new_kernel

here = os.path.dirname(os.path.abspath(__file__))
manager, client = start_new_kernel()
for cell in (
    "import sys; sys.path.insert(0, %r)" % here,
    "import workload, asyncio, traceback",
    "class Cell:\n    pass\nheld = [Cell() for _ in range(10)]",
    "await asyncio.sleep(0)",
    "1 / 0",
    "[x for x in workload.keep][:1]",
):
    client.execute_interactive(cell, timeout=60, output_hook=lambda message: None)
pid = []
client.execute_interactive(
    "import os; print(os.getpid())",
    timeout=60,
    output_hook=lambda message: pid.append(message["content"].get("text", "")),
)
print("kernel", "".join(pid).strip(), flush=True)
time.sleep(float(sys.argv[1]))
