"""Checks what the demo claims: demo_claims.py present|mended JSON... (a document for each front end).

present, mended: whether the interpreter has the bug of gh-149590.
"""
import json
import sys


def claim(truth, text):
    print("%s: %s" % ("ok" if truth else "WRONG", text))
    return truth


def claims_of(path, mended):
    with open(path) as file:
        document = json.load(file)
    name = path.rpartition("/")[2].removesuffix(".json")
    if mended:
        yield claim(document["verdict"] == "clean" and document["complete"],
                    "%s: the check was complete and found nothing" % name)
        return
    of_stderr = [each for each in document["findings"] if each["kind"] == "unowned_visit"
                 and "name='<stderr>'" in each["object"]["summary"]]
    instances = {visitor["container"] for each in of_stderr for visitor in each["visitors"]
                 if visitor["type"] == "module" and visitor["name"] == "faulthandler"}
    yield claim(document["verdict"] == "findings" and document["complete"],
                "%s: the check was complete and has findings" % name)
    yield claim([each["gc_refs"] for each in of_stderr] == [-1], "%s: gc_refs of stderr is -1" % name)
    yield claim(len(instances) == 2, "%s: both faulthandler instances visit it" % name)
    yield claim(len(document["findings"]) == 1, "%s: that is one finding" % name)
    yield claim([each["known"]["id"] for each in of_stderr] == ["gh-149590"],
                "%s: and it is known as gh-149590" % name)


def main(bug, *paths):
    results = [result for path in paths for result in claims_of(path, bug == "mended")]
    findings = []
    for path in paths:
        with open(path) as file:
            findings.append(json.load(file)["findings"])
    results.append(claim(all(each == findings[0] for each in findings),
                         "the findings of all front ends are the same"))
    return 0 if all(results) else 1


sys.exit(main(*sys.argv[1:]))
