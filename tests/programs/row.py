"""A row of the table of tools/programs.sh, and below it what is to be shown true.

    row.py PROGRAM ROLE FILES
FILES-running.json, FILES-core.json and FILES-audit.json are documents of pygc. Fails unless the checks are
clean and complete.
"""
import json
import subprocess
import sys

PACKAGES = {
    "gdb": "gdb",
    "vim": "vim-nox",
    "uwsgi": "uwsgi-plugin-python3",
    "apache2": "libapache2-mod-wsgi-py3",
    "postgresql": "postgresql-plpython3-15",
    "ipykernel": "python3-ipykernel",
}
program, role, files = sys.argv[1:4]
below = []
sound = True


def document(name):
    try:
        with open("%s-%s.json" % (files, name)) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def checked(name):
    global sound
    it = document(name)
    for why in it.get("incomplete_because", []):
        below.append("%s: %s" % (name, why))
    for finding in it.get("findings", []):
        below.append("%s: %s: %s: %s" % (name, finding["severity"], finding["kind"], finding["message"]))
    if "verdict" not in it:
        sound = False
        return "no answer"
    if it["verdict"] != "clean" or not it["complete"]:
        sound = False
    return it["verdict"] + ("" if it["complete"] else ", incomplete")


def audited():
    it = document("audit")
    if "functions" not in it:
        return "no answer"
    count = {"proven": 0, "likely": 0}
    for function in it["functions"]:
        for violation in function["violations"]:
            count[violation["certainty"]] += 1
            below.append(
                "audit: %s: %s %s of %s: %s"
                % (
                    violation["certainty"],
                    violation["rule"],
                    function["function"],
                    ", ".join(function["types"][:3]),
                    violation["message"],
                )
            )
    for why in it["incomplete_because"]:
        below.append("audit: " + why)
    return "%(proven)d proven, %(likely)d likely" % count + ("" if it["complete"] else ", incomplete")


version = subprocess.run(
    ["dpkg-query", "-W", "-f", "${Version}", PACKAGES[program]], capture_output=True, text=True
).stdout
check = document("core") or document("running")
cells = [
    program,
    version,
    role,
    str(len(check.get("interpreters", []))),
    str(check.get("objects", {}).get("walked", 0)),
    checked("running"),
    checked("core"),
    audited(),
]
print("| " + " | ".join(cells) + " |")
for line in below:
    print("  " + line)
sys.exit(0 if sound else 1)
