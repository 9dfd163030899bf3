"""The cockpit against a server that only tells: how fast a key is answered, and what a long day costs."""

import argparse
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cockpit import cpu, memory
from terminal import Cockpit
from world import Result, World

EPOCH = "bench"
KEPT = 100_000
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


class Stub:
    """A server with `kept` events; `send` puts more into the open stream."""

    def __init__(self, kept: int):
        self.kept = kept
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
            "proposals": [],
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


def started(world: World, stub: Stub) -> Cockpit:
    env = {**world.without_model(), "SAYSO_SERVER": stub.url, "SAYSO_TOKEN": "bench"}
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
    if not cockpit.read_until(lambda: SYNC_END in cockpit.output[before:], 0.5):
        return None
    return (time.perf_counter() - began) * 1000


def keys(world: World) -> Result:
    stub = Stub(KEPT)
    cockpit = started(world, stub)
    try:
        answered(cockpit, b"3")
        times = []
        # Back through some thousand events, opening groups on the way, and forward again.
        for key in [b"k", b"k", b"\x1b[5~", b"\x1b[D", b"\x1b[C", b"k"] * 60 + [b"j", b"\x1b[6~"] * 60:
            times.append(answered(cockpit, key))
            # A frame follows the one before by a sixtieth of a second; a person presses no faster.
            cockpit.read_until(lambda: False, 0.03)
    finally:
        cockpit.quit()
        stub.close()
    times = sorted(time for time in times if time is not None)
    middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
    return Result(
        f"{late:.1f} ms at the 99th percentile, median {middle:.1f} ms",
        late <= 8,
        [f"{len(times)} keys in the timeline of a log with {KEPT:,} events; pages of older ones are loaded meanwhile."],
    )


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
    stub = Stub(2_000)
    cockpit = started(world, stub)
    try:
        cockpit.read_until(lambda: False, 2)
        before, switches = cpu(cockpit.pid), wakes(cockpit.pid)
        cockpit.read_until(lambda: False, seconds)
        spent, woken = cpu(cockpit.pid) - before, wakes(cockpit.pid) - switches
    finally:
        cockpit.quit()
        stub.close()
    return Result(
        f"{spent:.2f} s CPU",
        spent <= 0.1,
        [f"All four panes at 120×40 for {seconds} s: {woken} voluntary switches of all threads in that time."],
    )


def wakes(pid: int) -> int:
    """How often a thread of the process waited and was woken."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                total += int(line.split()[1])
    return total


ROWS = [
    ("key press → the new frame's bytes, 100,000 events, 120×40", "≤ 8 ms at the 99th percentile", keys),
    ("idle for 60 s with all panes open", "≤ 0.1 s CPU", idle),
    ("deploying, the bar moving", "≤ 4 % of a core, ≤ 300 bytes a frame", deploying),
    ("memory after 288,000 events", "≤ 80 MiB", day),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sayso", type=Path, required=True, help="the release build")
    parser.add_argument("--only", type=int, action="append", help="measure only this row (1 to 4); repeatable")
    args = parser.parse_args()
    world = World(args.sayso.resolve())
    print("| what | measured | bar | met |\n|---|---|---|---|")
    notes = []
    try:
        for number, (what, bar, run) in enumerate(ROWS, 1):
            if args.only and number not in args.only:
                continue
            result = run(world)
            print(f"| {what} | {result.measured} | {bar} | {'met' if result.met else '**not met**'} |", flush=True)
            notes += result.notes
    finally:
        world.close()
    print("\n" + "\n".join(f"- {note}" for note in notes))


if __name__ == "__main__":
    sys.exit(main())
