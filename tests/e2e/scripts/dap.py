# dap.py FILE: an editor, as far as a debug adapter can tell. FILE is a JSON document with "adapter" (the
# program's words), "request" ("attach" or "launch"), "arguments" (as in launch.json) and "expressions", which
# are typed into the debug console once the process stands. Prints a list with each one's answer.
import json
import subprocess
import sys

with open(sys.argv[1]) as file:
    task = json.load(file)
adapter = subprocess.Popen(task["adapter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
sent = 0
answers = {}
events = []


def send(command, arguments):
    global sent
    sent += 1
    message = {"seq": sent, "type": "request", "command": command, "arguments": arguments}
    body = json.dumps(message).encode()
    adapter.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    adapter.stdin.flush()
    return sent


def read_message():
    length = None
    while (line := adapter.stdout.readline().strip()) or length is None:
        name, _, value = line.partition(b":")
        if name.lower() != b"content-length":
            sys.exit(f"not of the protocol, or the end: {line}")
        length = int(value)
    message = json.loads(adapter.stdout.read(length))
    if message["type"] == "response":
        answers[message["request_seq"]] = message
    elif message["type"] == "event":
        events.append(message)


def answer_to(number):
    while number not in answers:
        read_message()
    return answers[number]


def event(name):
    while not any(each["event"] == name for each in events):
        read_message()


client = {"adapterID": "pygc", "pathFormat": "path", "linesStartAt1": True, "columnsStartAt1": True}
if not answer_to(send("initialize", client))["success"]:
    sys.exit(f"refused: {answers}")
opened = send(task["request"], task["arguments"])
event("initialized")
configured = send("configurationDone", {})
for number in configured, opened:
    if not answer_to(number)["success"]:
        sys.exit(f"refused: {answers[number]}, after {events}")
event("stopped")
thread = answer_to(send("threads", {}))["body"]["threads"][0]["id"]
frame = answer_to(send("stackTrace", {"threadId": thread, "levels": 1}))["body"]["stackFrames"][0]["id"]
said = []
for expression in task["expressions"]:
    words = {"expression": expression, "context": "repl", "frameId": frame}
    answer = answer_to(send("evaluate", words))
    body = answer.get("body") or {}
    said.append({"success": answer["success"], "text": body.get("result") or str(answer.get("message"))})
send("disconnect", {"terminateDebuggee": False})
adapter.stdin.close()
adapter.wait(30)
print(json.dumps(said))
