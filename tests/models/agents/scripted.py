"""An agent that speaks the Agent Client Protocol and does what its first argument says.

Newline-delimited JSON-RPC on standard input and output; no part of it comes from Sayso.
"""
import json
import os
import subprocess
import sys

scene, note = sys.argv[1], sys.argv[2]
ids = 0


def send(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def remember(name, value):
    with open(os.path.join(note, name), "w") as file:
        file.write(json.dumps(value))


def receive():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def ask(method, params):
    """A request to the client; the notifications on the way are looked at for a stop."""
    global ids
    ids += 1
    send({"id": ids, "method": method, "params": params})
    while True:
        message = receive()
        if message.get("method") == "session/cancel":
            remember("canceled", True)
            sys.exit(0)
        if message.get("id") == ids and "method" not in message:
            return message


def update(**fields):
    send({"method": "session/update", "params": {"sessionId": "s", "update": fields}})


def say(text):
    update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": text})


def edit(name="index.html"):
    text = open(name).read().replace("Hello there", "Hello agent")
    open(name, "w").write(text)


def permission(kind, title, **fields):
    options = [
        {"optionId": "always", "name": "Always", "kind": "allow_always"},
        {"optionId": "no", "name": "No", "kind": "reject_once"},
        {"optionId": "once", "name": "Yes", "kind": "allow_once"},
    ]
    call = {"toolCallId": "1", "title": title, "kind": kind, **fields}
    answer = ask("session/request_permission", {"sessionId": "s", "toolCall": call, "options": options})
    return answer["result"]["outcome"]


def plan(*states):
    names = ["read the page", "change the heading"]
    entries = [{"content": n, "priority": "high", "status": s} for n, s in zip(names, states)]
    update(sessionUpdate="plan", entries=entries)


def work(prompt):
    here = os.getcwd()
    if scene == "plan":
        plan("in_progress", "pending")
        update(sessionUpdate="tool_call", toolCallId="1", title="Read index.html", kind="read")
        say("I change ")
        say("the heading.\n")
        plan("completed", "in_progress")
        edit()
        plan("completed", "completed")
        say("All done.")
    elif scene == "permission":
        outcome = permission("execute", "Tidy up", rawInput={"command": "rm -rf build"})
        remember("outcome", outcome)
        if outcome.get("optionId") == "once":
            edit()
        else:
            say("Then I leave it.")
    elif scene == "twice":
        remember("outcome", [permission("edit", "first")["optionId"], permission("edit", "second")["optionId"]])
        edit()
    elif scene == "question":
        say("Which of the two headings do you mean?")
    elif scene == "garbage":
        for line in ["Welcome!", "{not json", '{"hello": 1}', "[1, 2]", "\x1b[31mwarning\x1b[0m", "null"]:
            sys.stdout.write(line + "\n")
        sys.stdout.buffer.write(b"\xff\xfe\n")
        sys.stdout.flush()
        edit()
    elif scene == "crash":
        print("no memory left", file=sys.stderr)
        sys.stderr.flush()
        os._exit(9)
    elif scene == "outside":
        paths = ["/etc/sayso-was-here", here + "/../outside.txt", here + "/.git/hooks/x", here + "/link/x"]
        os.symlink(note, here + "/link")
        answers = [ask("fs/write_text_file", {"sessionId": "s", "path": p, "content": "x"}) for p in paths]
        reads = [ask("fs/read_text_file", {"sessionId": "s", "path": p}) for p in ["/etc/passwd", here + "/.env"]]
        remember("refused", ["error" in answer for answer in answers + reads])
        os.remove(here + "/link")
        page = ask("fs/read_text_file", {"sessionId": "s", "path": here + "/index.html"})["result"]["content"]
        page = page.replace("Hello there", "Hello agent")
        ask("fs/write_text_file", {"sessionId": "s", "path": here + "/index.html", "content": page})
        open(here + "/.git/config", "a").write("\n")
    elif scene == "terminal":
        remember("terminal", "error" in ask("terminal/create", {"sessionId": "s", "command": "ls"}))
        edit()
    elif scene == "many":
        for name in sorted(os.listdir(".")):
            if name.endswith(".html"):
                edit(name)
    elif scene == "slow":
        # One child in the group, one that has left it.
        first = subprocess.Popen(["sleep", "300"])
        second = subprocess.Popen(["sleep", "300"], start_new_session=True)
        remember("pids", [os.getpid(), first.pid, second.pid])
        say("I think about it.\n")
        while True:
            message = receive()
            if message.get("method") == "session/cancel":
                remember("canceled", True)
                # A goodbye that takes too long.
                subprocess.run(["sleep", "300"])
    remember("prompt", prompt)
    remember("environment", dict(os.environ))


while True:
    message = receive()
    method, number = message.get("method"), message.get("id")
    if method == "initialize":
        remember("capabilities", message["params"]["clientCapabilities"])
        version = 7 if scene == "version" else 1
        send({"id": number, "result": {"protocolVersion": version, "agentCapabilities": {}}})
    elif method == "session/new":
        if scene == "login":
            send({"id": number, "error": {"code": -32000, "message": "Authentication required"}})
        else:
            send({"id": number, "result": {"sessionId": "s"}})
    elif method == "session/prompt":
        work(message["params"]["prompt"][0]["text"])
        send({"id": number, "result": {"stopReason": "refusal" if scene == "question" else "end_turn"}})
    elif number is not None and method is not None:
        send({"id": number, "error": {"code": -32601, "message": "no such method"}})
