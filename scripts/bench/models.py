"""Changes made by a model: how soon its words are on the screen, what Sayso itself takes, how soon a stop is over.

The model is a server of our own that knows when it was asked and when its words left. Standard library of Python 3.11 only."""

import json
import os
import socket
import threading
import time
from pathlib import Path

from api import Server
from offline import thousand_files
from terminal import Cockpit
from world import ROOT, Missing, Result, World, median, sample_site, spread

RUNS = 15
STOPS = 11
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
BEGIN = b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
END = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":1}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


def piece(text: str) -> bytes:
    """A part of the arguments, as Anthropic's API sends it."""
    data = {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": text}}
    return f"event: content_block_delta\ndata: {json.dumps(data)}\n\n".encode()


class Model:
    """Answers every request as `answer(socket, number)` wants it, and keeps when each was asked and done."""

    def __init__(self, answer):
        self.answer = answer
        self.asked: list[float] = []
        self.done: list[float] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read = connection.makefile("rb")
        length = 0
        while (line := read.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        read.read(length)
        self.asked.append(time.monotonic())
        try:
            self.answer(connection, len(self.asked))
        except OSError:
            pass
        self.done.append(time.monotonic())
        connection.close()

    def close(self) -> None:
        self.listener.close()


def configured(world: World, text: str) -> dict[str, str]:
    """An environment whose configuration holds `text`."""
    folder = world.dir / f"models-{time.monotonic_ns()}"
    (folder / "sayso").mkdir(parents=True)
    (folder / "sayso" / "config.toml").write_text(text)
    return {**world.without_model(), "XDG_CONFIG_HOME": str(folder), "ANTHROPIC_API_KEY": "x", "NO_PROXY": "127.0.0.1"}


def edit(old: str, new: str) -> str:
    edits = [{"file": "index.html", "old": old, "new": new}]
    return json.dumps({"plan": [], "note": "Bench", "cannot": "", "edits": edits, "new_files": [], "delete_files": []})


def first_line(world: World) -> Result:
    """The first piece of new text leaves the model → its line is on the screen."""
    repo = world.repository("first-line", sample_site())
    page = (repo / "index.html").read_text()
    old = next(line for line in page.splitlines() if "<h1" in line and page.count(line) == 1)
    times = []
    for run in range(RUNS):
        mark = f"BENCHMARK{run:02}"
        whole = edit(old, old.replace("<h1", f'<h1 title="{mark}"'))
        cut = whole.index(mark) + len(mark)
        sent: list[float] = []
        over = threading.Event()

        def answer(connection: socket.socket, _: int) -> None:
            connection.sendall(HEAD + BEGIN + piece(whole[: cut - len(mark)]))
            time.sleep(0.5)
            sent.append(time.monotonic())
            connection.sendall(piece(whole[cut - len(mark) : cut]))
            over.wait(20)

        model = Model(answer)
        env = configured(world, f'[generate]\nengine = "anthropic"\n[generate.anthropic]\nurl = "{model.url}"\n')
        cockpit = Cockpit(world.sayso, repo, env)
        try:
            cockpit.when("main")
            os.write(cockpit.fd, b"\t")
            os.write(cockpit.fd, b"make the heading calmer\r")
            shown = cockpit.when(mark, 20.0) / 1000 + cockpit.began
            times.append((shown - sent[0]) * 1000)
        finally:
            over.set()
            os.write(cockpit.fd, b"\x1b")
            cockpit.quit()
            model.close()
    return Result(spread(times, 1), median(times) <= 50)


def own_time(world: World) -> Result:
    """From the words to the proposal on a site of 1,000 files, without the time in which the model had them."""
    repo = world.repository("thousand-model", thousand_files())
    times, cold = [], 0.0

    def answer(connection: socket.socket, number: int) -> None:
        new = f"Plants with patience, {number}"
        connection.sendall(HEAD + BEGIN + piece(edit("<h1>Plants with patience</h1>", f"<h1>{new}</h1>")) + END)

    model = Model(answer)
    env = configured(world, f'[generate.anthropic]\nurl = "{model.url}"\n')
    try:
        with Server(world, repo, env) as server:
            for run in range(RUNS + 1):
                body = {"prompt": f"make the headline of the homepage feel calmer, try {run}", "action": "preview"}
                body["engine"] = "anthropic"
                instruction = server.call("POST", "/api/voice-to-code", body)["instruction"]
                event, _ = server.wait("proposal", instruction=instruction)
                held = (model.done[-1] - model.asked[-1]) * 1000
                own = event["data"]["ms"] - held
                if run:
                    times.append(own)
                else:
                    cold = own
                server.call("POST", f"/api/proposals/{event['proposal']}/reject", {})
    finally:
        model.close()
    return Result(spread(times), median(times) <= 100, [f"The first instruction, which indexes the site, took {cold:.0f} ms."])


def stop_model(world: World) -> list[float]:
    """A stop asked for → the model's connection is closed."""
    repo = world.repository("stop-model", sample_site())
    times = []
    gone: list[float] = []
    begun = threading.Event()

    def answer(connection: socket.socket, _: int) -> None:
        connection.sendall(HEAD + BEGIN + piece('{"note":'))
        begun.set()
        try:
            connection.recv(1)
        except OSError:
            pass
        gone.append(time.monotonic())

    model = Model(answer)
    env = configured(world, f'[generate.anthropic]\nurl = "{model.url}"\n')
    try:
        with Server(world, repo, env) as server:
            for run in range(STOPS):
                begun.clear()
                body = {"prompt": f"make it calmer {run}", "action": "preview", "engine": "anthropic"}
                instruction = server.call("POST", "/api/voice-to-code", body)["instruction"]
                if not begun.wait(20):
                    raise RuntimeError("the model was not asked")
                time.sleep(0.05)
                asked = time.monotonic()
                server.call("POST", f"/api/instructions/{instruction}/cancel", {})
                while len(gone) <= run and time.monotonic() - asked < 20:
                    time.sleep(0.0005)
                times.append((gone[run] - asked) * 1000)
    finally:
        model.close()
    return times


def alive(pid: int) -> bool:
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def stop_agent(world: World) -> list[float]:
    """A stop asked for → the agent and both of its children are gone, one of which has left its group."""
    if not Path("/proc/self/stat").exists():
        raise Missing("processes are looked at in /proc")
    repo = world.repository("stop-agent", sample_site())
    script = ROOT / "tests" / "models" / "agents" / "scripted.py"
    times = []
    notes = world.dir / "stop-agent-notes"
    notes.mkdir()
    command = json.dumps(["python3", str(script), "slow", str(notes)])
    env = configured(world, f'[generate.agent]\nprotocol = "acp"\ncommand = {command}\n')
    with Server(world, repo, env) as server:
        for run in range(STOPS):
            (notes / "pids").unlink(missing_ok=True)
            body = {"prompt": f"take your time {run}", "action": "preview", "engine": "agent"}
            instruction = server.call("POST", "/api/voice-to-code", body)["instruction"]
            for event, _ in server.events():
                if event["type"] == "notice" and event["data"]["message"].startswith("I think about it"):
                    break
            pids = json.loads((notes / "pids").read_text())
            asked = time.monotonic()
            server.call("POST", f"/api/instructions/{instruction}/cancel", {})
            while any(map(alive, pids)) and time.monotonic() - asked < 20:
                time.sleep(0.0005)
            times.append((time.monotonic() - asked) * 1000)
    return times


def stop(world: World) -> Result:
    """Both ways to stop."""
    model, agent = stop_model(world), stop_agent(world)
    met = max(median(model), median(agent)) <= 100
    return Result(f"{spread(model, 1)} the socket; {spread(agent, 1)} an agent and its children", met)


ROWS = [
    ("first token received → first line of the diff on the screen", "≤ 50 ms", first_line),
    ("our own time in an instruction answered by a model, site of 1,000 files", "≤ 100 ms", own_time),
    ("stop asked for → the model's socket closed, every process of an agent gone", "≤ 100 ms", stop),
]

if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sayso", type=Path, required=True, help="the release build")
    parser.add_argument("--only", type=int, action="append", help="measure only this row (1 to 3); repeatable")
    args = parser.parse_args()
    world = World(args.sayso.resolve())
    try:
        for number, (what, bar, run) in enumerate(ROWS, 1):
            if args.only and number not in args.only:
                continue
            result = run(world)
            print(f"| {what} | {result.measured} | {bar} | {'met' if result.met else 'not met'} |", flush=True)
            for note in result.notes:
                print(f"- {note}")
    finally:
        world.close()
