"""Holds the session in the README against what the demo has just shown, or writes it anew.

demo_session.py README.md OUTPUT [--write]: the block between its marks is `$ pygc check core.PID` and
OUTPUT. Numbers and addresses are another run's: they are not compared, and neither are line ends.
"""
import re
import sys

BEGIN = "<!-- session:begin -->"
END = "<!-- session:end -->"


def essence(text):
    return re.sub(r"0x[0-9a-f]+|[0-9][0-9,.]*", "#", text).split()


def main(readme, output, *options):
    with open(output) as file:
        shown = file.read()
    core = re.search(r"^core (\S*/)?(core\.\d+)$", shown, re.MULTILINE)
    shown = shown.replace(core.group(0), "core " + core.group(2))
    session = "$ pygc check %s\n%s" % (core.group(2), shown)
    with open(readme) as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    block, after = rest.split(END)
    if "--write" in options:
        lines = ("    " + line if line else "" for line in session.rstrip().split("\n"))
        with open(readme, "w") as file:
            file.write(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + after)
        return 0
    if essence(block) != essence(session):
        print("WRONG: the session in %s is another one; %s --write writes it anew" % (readme, sys.argv[0]))
        return 1
    print("ok: the session in %s is what was shown" % readme)
    return 0


sys.exit(main(*sys.argv[1:]))
