"""The cockpit against a server that only tells: how fast a key is answered, and what a long day costs.

Standard library of Python 3.11 only."""

import json
import math
import os
import random
import struct
import subprocess
import sys
import threading
import time
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cockpit import cpu, memory
from terminal import Cockpit
from voice import Microphone
from world import Result, World

EPOCH = "bench"
KEPT = 100_000
HUNKS = 4_000  # Of 26 lines each: a diff of more than 100,000 lines.
DAY = 288_000  # Eight hours at ten a second.
SYNC_BEGIN, SYNC_END = b"\x1b[?2026h", b"\x1b[?2026l"
KINDS = ["transcript", "intent", "approved", "check", "commit", "deploy_start"] + ["deploy_progress"] * 12 + [
    "deploy_complete",
    "health",
]


def event(seq: int) -> dict:
    """The event at a place of an endless log: one instruction after the other, each going all the way."""
    number, step = divmod(seq - 1, len(KINDS))
    kind = KINDS[step]
    data = {
        "transcript": {"text": f"change the headline to number {number}", "ms": 90, "engine": "local"},
        "intent": {"text": "t", "reading": f"change the headline to number {number}", "intent": {"kind": "edit"}},
        "approved": {"action": "deploy"},
        "check": {"name": "npm test", "ok": True, "ms": 80},
        "commit": {"commit": f"{number:040x}", "branch": "main", "message": f"Change number {number}", "files": []},
        "deploy_start": {"commit": f"{number:040x}", "force": False, "target": "local"},
        "deploy_progress": {"percent": step * 5, "stage": "build", "message": f"step {step}", "eta_ms": 900},
        "deploy_complete": {
            "url": "http://127.0.0.1:4000/",
            "release": f"rel_{number}",
            "commit": f"{number:040x}",
            "total_ms": 620,
            "stages": {"fetch": 20, "build": 410, "upload": 60, "activate": 4, "verify": 90},
        },
        "health": {"ok": True, "status": 200, "ms": 3, "message": f"ok {number}"},
    }[kind]
    seconds = seq // 10 % 86_400
    return {
        "seq": seq,
        "at": f"2026-11-21T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{seq % 10}00Z",
        "type": kind,
        "project": "bench",
        "instruction": f"ins_{number}",
        "deployment": f"dep_{number}" if kind.startswith("deploy") or kind == "health" else None,
        "environment": "production",
        "actor": "Bench",
        "data": data,
    }


def huge() -> dict:
    """A proposal with a diff of more than 100,000 lines: of every fifty lines of a page ten change."""

    def row(number: int, new: bool) -> str:
        word = "another" if new and number % 50 < 10 else "this"
        return f'    <li class="entry n{number}"><a href="/{number}">{word} entry, number {number}</a></li>'

    lines = HUNKS * 50
    hunks = []
    for at in range(0, lines, 50):
        before = range(max(0, at - 3), at)
        after = range(at + 10, at + 13)
        tagged = [("context", row(n, False)) for n in before]
        tagged += [("delete", row(n, False)) for n in range(at, at + 10)]
        tagged += [("insert", row(n, True)) for n in range(at, at + 10)]
        tagged += [("context", row(n, False)) for n in after]
        count = len(before) + 13
        hunks.append(
            {
                "id": f"{at:012x}",
                "old_start": before.start + 1,
                "old_lines": count,
                "new_start": before.start + 1,
                "new_lines": count,
                "lines": [{"tag": tag, "text": text} for tag, text in tagged],
                "decision": "accepted",
            }
        )
    text = ["".join(row(n, new) + "\n" for n in range(lines)) for new in (False, True)]
    return {
        "id": "pro_1",
        "version": 1,
        "kind": "edit",
        "state": "open",
        "base": "1" * 40,
        "branch": "main",
        "title": "Rename every fifth entry",
        "engine": "offline",
        "action": "preview",
        "files": [
            {
                "path": "list.html",
                "before": {"kind": "text", "text": text[0]},
                "after": {"kind": "text", "text": text[1]},
                "mode_before": 0o100644,
                "mode_after": 0o100644,
                "hunks": hunks,
            }
        ],
        "created_at": "2026-11-21T00:00:00Z",
        "updated_at": "2026-11-21T00:00:00Z",
        "patch": "",
    }


class Stub:
    """A server with `kept` events and open proposals; `send` puts more events into the open stream."""

    def __init__(self, kept: int, proposals: list[dict] | None = None):
        self.kept = kept
        self.proposals = proposals or []
        self.streams: list = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = parse_qs(url.query)
                if url.path == "/api/status":
                    self.answer(stub.status())
                elif url.path == "/api/events":
                    after = int(query.get("after", [f"{EPOCH}-0"])[0].rsplit("-", 1)[1])
                    last = min(stub.kept, after + int(query.get("limit", ["500"])[0]))
                    found = [event(seq) for seq in range(after + 1, last + 1)]
                    self.answer({"events": found, "next": f"{EPOCH}-{last}", "reset": False})
                elif url.path == "/api/deployments":
                    self.answer({"deployments": [], "releases": []})
                elif url.path == "/api/realtime-sync":
                    self.stream()
                else:
                    self.send_error(404)

            def answer(self, found: dict) -> None:
                body = json.dumps(found).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def stream(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(b": begin\n\n")
                self.wfile.flush()
                over = threading.Event()
                stub.streams.append((self.wfile, over))
                over.wait()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def status(self) -> dict:
        return {
            "version": "0",
            "project": "bench",
            "repository": {"name": "bench", "root": "/", "branch": "main", "head": "1" * 40, "changes": 0},
            "environment": "production",
            "live": [],
            "speech": {"engine": "local", "ready": True, "message": ""},
            "proposals": self.proposals,
            "instructions": [],
            "deployments": [],
            "cursor": f"{EPOCH}-{self.kept}",
            "oldest": 1,
        }

    def send(self, first: int, last: int) -> None:
        for seq in range(first, last + 1):
            found = event(seq)
            line = f"id: {EPOCH}-{seq}\nevent: {found['type']}\ndata: {json.dumps(found)}\n\n"
            self.streams[-1][0].write(line.encode())
        self.streams[-1][0].flush()
        self.kept = last

    def close(self) -> None:
        for _, over in self.streams:
            over.set()
        self.server.shutdown()


class Elsewhere:
    """A `Stub` with the long diff in a process of its own: what it answers takes nothing from whoever measures."""

    def __init__(self, kept: int):
        command = [sys.executable, "-B", __file__, str(kept)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.streams: list[str] = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        for line in self.process.stdout:
            self.streams.append(line)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def serve() -> None:
    """The process of `Elsewhere`: says where it is, and then a line for each event stream that opens."""
    stub = Stub(int(sys.argv[1]), [huge()])
    print(stub.url, flush=True)
    told = 0
    while True:
        time.sleep(0.05)
        for _ in stub.streams[told:]:
            told += 1
            print("open", flush=True)


def started(world: World, stub: Stub | Elsewhere, env: dict[str, str] | None = None) -> Cockpit:
    env = {**(env or world.without_model()), "SAYSO_SERVER": stub.url, "SAYSO_TOKEN": "bench"}
    cockpit = Cockpit(world.sayso, world.dir, env, 120, 40)
    cockpit.when("nothing live")
    deadline = time.monotonic() + 10
    while not stub.streams and time.monotonic() < deadline:
        cockpit.read_until(lambda: False, 0.05)
    cockpit.read_until(lambda: False, 1)
    return cockpit


def answered(cockpit: Cockpit, key: bytes) -> float | None:
    """Milliseconds from a key to the end of the frame that it led to; None where it changed nothing to be seen."""
    before = len(cockpit.output)
    began = time.perf_counter()
    os.write(cockpit.fd, key)
    if not cockpit.read_until(lambda: cockpit.output.find(SYNC_END, before) >= 0, 0.5):
        return None
    return (time.perf_counter() - began) * 1000


def keys(world: World) -> Result:
    stub = Elsewhere(KEPT)
    cockpit = started(world, stub)
    shapes: dict[str, list[float]] = {}

    def press(shape: str, *pressed: bytes) -> None:
        for key in pressed:
            took = answered(cockpit, key)
            if took is not None:
                shapes.setdefault(shape, []).append(took)
            # A frame follows the one before by a sixtieth of a second; a person presses no faster.
            cockpit.read_until(lambda: False, 0.03)

    down, up = b"\x1b[6~", b"\x1b[5~"
    reading = [b"j", b"j", b"k", down, down, b"n", b"n", b"N", up, b"G", b"k", b"g", b"v", b"j", b"\x1b[B", b"v"]
    try:
        if not cockpit.read_until(lambda: b"Rename every" in cockpit.output, 20):
            raise RuntimeError("the proposal is not shown")
        press("", b"f")
        press("unified", *reading * 12)
        press("", b"t")
        press("side by side", *reading * 12)
        press("", b"t", b"f")
        press("in its pane", *[b"j", down, b"G", b"g", b"n", b"p", b"k"] * 20)
        press("", b"3")
        # Back through some thousand events, opening groups on the way, and forward again.
        press("timeline", *[b"k", b"k", up, b"\x1b[D", b"\x1b[C", b"k"] * 40, *[b"j", down] * 40)
        press("", b"\x1b", b"\t")
        press("text", *[bytes([byte]) for byte in b"change the headline on the homepage "] * 3)
    finally:
        os.write(cockpit.fd, b"\x1b")
        cockpit.quit()
        stub.close()
    shapes.pop("", None)
    every = sorted(time for times in shapes.values() for time in times)
    notes = [f"{name} {part(times, 99):.1f}" for name, times in shapes.items()]
    return Result(
        f"{part(every, 99):.1f} ms at the 99th percentile, median {part(every, 50):.1f} ms",
        part(every, 99) <= 8,
        [
            f"{len(every)} keys at 120×40 with a diff of {HUNKS * 26:,} lines open and {KEPT:,} events in the log, older ones "
            f"loaded on the way. 99th percentile of each in ms: {' · '.join(notes)}."
        ],
    )


def part(times: list[float], percent: int) -> float:
    return sorted(times)[min(len(times) * percent // 100, len(times) - 1)]


def deploying(world: World) -> Result:
    stub = Stub(0)
    cockpit = started(world, stub)
    seconds = 20
    try:
        stub.send(1, 6)
        cockpit.read_until(lambda: b"deploying" in cockpit.output, 5)
        # The first report names what is done; from then on only the bar moves.
        stub.send(7, 7)
        cockpit.read_until(lambda: b"step" in cockpit.output, 5)
        cockpit.read_until(lambda: False, 1)
        from_, before = len(cockpit.output), cpu(cockpit.pid)
        began = time.monotonic()
        for at in range(seconds * 4):
            seq, percent = 8 + at, 30 + at
            found = {
                **event(7),
                "seq": seq,
                "data": {"percent": min(percent, 99), "stage": "build", "message": "npm run build", "eta_ms": 20_000 - at * 250},
            }
            line = f"id: {EPOCH}-{seq}\nevent: deploy_progress\ndata: {json.dumps(found)}\n\n"
            stub.streams[-1][0].write(line.encode())
            stub.streams[-1][0].flush()
            due = began + (at + 1) / 4
            cockpit.read_until(lambda due=due: time.monotonic() >= due, max(0.0, due - time.monotonic()))
        took = time.monotonic() - began
        share = (cpu(cockpit.pid) - before) / took
        frames = [len(frame) for frame in cockpit.output[from_:].split(SYNC_BEGIN)[1:]]
    finally:
        os.write(cockpit.fd, b"\x03\x03")
        cockpit.quit()
        stub.close()
    return Result(
        f"{share:.1%} of a core, at most {max(frames)} bytes a frame",
        share <= 0.04 and max(frames) <= 300,
        [f"The bar moved for {took:.0f} s in {len(frames)} frames at 120×40, {sum(frames) // len(frames)} bytes a frame on average."],
    )


def recording(world: World) -> Result:
    microphone = Microphone(world)
    stub = Stub(0)
    seconds = 20
    try:
        sound = world.dir / "talk.wav"
        talk(sound, seconds + 8)
        env = {**microphone.env, "SAYSO_MODELS": str(world.dir / "empty"), "SAYSO_VOICE__AUTO_END": "false"}
        cockpit = started(world, stub, env)
        playing = subprocess.Popen(["paplay", "-d", "vmic", str(sound)], env=microphone.env)
        try:
            os.write(cockpit.fd, b"\x1b[15~")
            if not cockpit.read_until(lambda: b"REC" in cockpit.output, 10):
                raise RuntimeError(f"no recording: {cockpit.text()[-300:]!r}")
            cockpit.read_until(lambda: False, 1)
            from_, before, began = len(cockpit.output), cpu(cockpit.pid), time.monotonic()
            cockpit.read_until(lambda: False, seconds)
            share = (cpu(cockpit.pid) - before) / (time.monotonic() - began)
            frames = [len(frame) for frame in cockpit.output[from_:].split(SYNC_BEGIN)[1:]]
            os.write(cockpit.fd, b"\x1b")
        finally:
            playing.kill()
            playing.wait()
            cockpit.quit()
    finally:
        stub.close()
        microphone.close()
    if len(frames) < seconds:
        raise RuntimeError(f"the meter did not move: {len(frames)} frames")
    return Result(
        f"{share:.1%} of a core",
        share <= 0.04,
        [
            f"Recording through a virtual microphone for {seconds} s at 120×40: {len(frames)} frames of {sum(frames) // len(frames)} "
            "bytes on average. No model is installed, so that nothing reads the words meanwhile."
        ],
    )


def talk(file: Path, seconds: int) -> None:
    """Sound as loud and as quiet as speech, so that the meter has something to show."""
    dice, rate = random.Random(5), 16_000
    samples = []
    for at in range(seconds * rate):
        loud = 0.02 + 0.4 * abs(math.sin(at / rate * math.tau * 1.7)) * abs(math.sin(at / rate * math.tau * 0.3))
        samples.append(int(32_000 * loud * dice.uniform(-1, 1)))
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def day(world: World) -> Result:
    stub = Stub(0)
    cockpit = started(world, stub)
    try:
        reader = threading.Thread(target=lambda: stub.send(1, DAY), daemon=True)
        began = time.monotonic()
        reader.start()
        last = f"number {(DAY - 1) // len(KINDS)}".encode()
        cockpit.read_until(lambda: not reader.is_alive(), 300)
        cockpit.read_until(lambda: last in cockpit.output, 60)
        took = time.monotonic() - began
        resident, peak = memory(cockpit.pid, "VmRSS"), memory(cockpit.pid, "VmHWM")
    finally:
        cockpit.quit()
        stub.close()
    return Result(
        f"{resident:.1f} MiB resident, {peak:.1f} MiB at most",
        peak <= 80,
        [f"{DAY:,} events, as many as eight hours bring at ten a second, were sent in {took:.0f} s."],
    )


def idle(world: World, seconds: int = 60) -> Result:
    stub = Stub(KEPT, [huge()])
    cockpit = started(world, stub)
    try:
        cockpit.read_until(lambda: b"Rename every" in cockpit.output, 20)
        # The long page is coloured once, behind the picture: that is work, and no idling.
        settled, last = time.monotonic() + 90, -1.0
        while last != cpu(cockpit.pid) and time.monotonic() < settled:
            last = cpu(cockpit.pid)
            cockpit.read_until(lambda: False, 3)
        before, switches = cpu(cockpit.pid), wakes(cockpit.pid)
        cockpit.read_until(lambda: False, seconds)
        spent, woken = cpu(cockpit.pid) - before, wakes(cockpit.pid) - switches
    finally:
        cockpit.quit()
        stub.close()
    return Result(
        f"{spent:.2f} s CPU, woken {woken} times",
        spent <= 0.1 and woken <= 30,
        [
            f"All four panes at 120×40 with {KEPT:,} events and the long diff for {seconds} s: {woken} voluntary switches of all "
            f"threads in that time; a timer that ticks once a second would be 60. To begin with, the page of {HUNKS * 50:,} lines "
            f"was coloured: with all else at the start that took {last:.1f} s of CPU."
        ],
    )


def wakes(pid: int) -> int:
    """How often a thread of the process waited and was woken."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                total += int(line.split()[1])
    return total


if __name__ == "__main__":
    serve()
