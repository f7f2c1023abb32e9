"""The application of a web server: each interpreter of it has the workload, and answers with its name."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import workload

requests = []


def application(environ, start_response):
    requests.append(environ)
    workload.keep.append(workload.make(len(requests)))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d\n" % len(workload.keep)]
