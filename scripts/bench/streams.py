"""Event streams: how soon an event is with a thousand readers and what one costs, how soon a new one hears something, what
silent ones do to the others, and how many events a second are stored when fifty write."""

import json
import os
import resource
import selectors
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from api import PATIENCE, Server
from hooks import SECRET, deliver
from world import ROOT, Missing, Result, World, sample_site, spread

READERS = int(os.environ.get("BENCH_READERS", "1000"))
EVENTS = int(os.environ.get("BENCH_EVENTS", "50"))
CONNECTS = 50
SILENT = 5
WRITERS = 50
SECONDS = 5.0


class Reader:
    """One event stream, read without a parser in between."""

    def __init__(self, address: tuple[str, int], token: str, after: str = "", buffer: int | None = None):
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(address)
        asked = f"?after={after}" if after else ""
        self.socket.sendall(
            f"GET /api/realtime-sync{asked} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        self.seen = b""

    def opened(self) -> None:
        """Waits for the head and the first comment."""
        while b":\n" not in self.seen.partition(b"\r\n\r\n")[2]:
            piece = self.socket.recv(4096)
            if not piece:
                raise RuntimeError(f"an event stream did not open: {self.seen[:300]!r}")
            self.seen += piece
        if not self.seen.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"an event stream was refused: {self.seen[:300]!r}")
        self.seen = b""

    def events(self) -> int:
        """Reads what is there; how many events were in it."""
        piece = self.socket.recv(65536)
        if not piece:
            raise RuntimeError("an event stream ended")
        # An event may come in two pieces: its end is what counts.
        text = self.seen[-3:] + piece
        ends = text.count(b"}\n\n")
        self.seen = text
        if text[-3:] == b"}\n\n":
            self.seen = b""
        return ends


def address_of(server: Server) -> tuple[str, int]:
    return server.http.host, server.http.port


def many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * READERS + 500
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise Missing(f"{wanted} open files are not allowed here ({hard} are)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def resident(pid: int) -> float:
    """KiB of memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1])
    raise RuntimeError("the system does not tell the memory of a process")


def newest(server: Server) -> str:
    return server.call("GET", "/api/status")["cursor"]


def arrivals(readers: Iterable[Reader], address: str, name: str) -> list[float]:
    """Sends a webhook; milliseconds from before that until each reader had its event."""
    selector = selectors.DefaultSelector()
    for reader in readers:
        selector.register(reader.socket, selectors.EVENT_READ, reader)
    waiting = len(selector.get_map())
    times = []
    began = time.monotonic()
    deliver(address, name)
    while waiting:
        ready = selector.select(PATIENCE)
        if not ready:
            raise RuntimeError(f"{waiting} streams heard nothing")
        now = time.monotonic()
        for key, _ in ready:
            if key.data.events():
                times.append((now - began) * 1000)
                selector.unregister(key.fileobj)
                waiting -= 1
    selector.close()
    return times


def at(values: list[float], share: float) -> float:
    return sorted(values)[int((len(values) - 1) * share)]


def thousand_readers(world: World) -> Result:
    many_files()
    repo = world.repository("readers", sample_site())
    env = {**world.without_model(), "SAYSO_WEBHOOK_SECRET": SECRET}
    with Server(world, repo, env) as server:
        address = address_of(server)
        host = f"{address[0]}:{address[1]}"
        after = newest(server)
        first = Reader(address, server.token, after)
        first.opened()
        arrivals([first], host, "warm-up")
        after = newest(server)
        before = resident(server.process.pid)
        readers = []
        began = time.monotonic()
        for _ in range(READERS):
            reader = Reader(address, server.token, after)
            reader.opened()
            readers.append(reader)
        opening = time.monotonic() - began
        times = []
        for number in range(EVENTS):
            times += arrivals(readers, host, f"readers-{number}")
        each = (resident(server.process.pid) - before) / READERS
    p99 = at(times, 0.99)
    note = (
        f"{READERS:,} streams in one process of Python, {EVENTS} events: from before the webhook that makes the event until its last "
        f"byte was read, webhook and disk included; median {at(times, 0.5):.1f} ms, the worst {max(times):.1f} ms. "
        f"They were opened one after the other in {opening:.1f} s."
    )
    return Result(f"{p99:.1f} ms at the 99th percentile; {each:.1f} KiB each", p99 <= 50 and each <= 25, [note])


def first_event(world: World) -> Result:
    repo = world.repository("first", sample_site())
    env = {**world.without_model(), "SAYSO_WEBHOOK_SECRET": SECRET}
    times = []
    with Server(world, repo, env) as server:
        address = address_of(server)
        after = newest(server)
        deliver(f"{address[0]}:{address[1]}", "first")
        for _ in range(CONNECTS):
            began = time.monotonic()
            reader = Reader(address, server.token, after)
            seen = b""
            while b"}\n\n" not in seen:
                seen += reader.socket.recv(65536)
            times.append((time.monotonic() - began) * 1000)
            reader.socket.close()
    note = f"From before the connection until the first event after the cursor was read, {CONNECTS} times; 99th percentile {at(times, 0.99):.1f} ms."
    return Result(spread(times, 1), at(times, 0.99) <= 100, [note])


def silent_readers(world: World) -> Result:
    """The delays of a hundred readers, alone and beside some that never read; then one of those comes back."""
    repo = world.repository("silent", sample_site())
    env = {**world.without_model(), "SAYSO_WEBHOOK_SECRET": SECRET}
    with Server(world, repo, env) as server:
        address = address_of(server)
        host = f"{address[0]}:{address[1]}"
        after = newest(server)
        readers = [Reader(address, server.token, after) for _ in range(100)]
        for reader in readers:
            reader.opened()
        alone = [delay for number in range(EVENTS) for delay in arrivals(readers, host, f"alone-{number}")]
        silent = [Reader(address, server.token, after, buffer=4096) for _ in range(SILENT)]
        beside = [delay for number in range(EVENTS) for delay in arrivals(readers, host, f"beside-{number}")]
        # Everything from the beginning, read at last.
        for reader in silent:
            reader.socket.close()
        back = Reader(address, server.token, after)
        seqs: list[int] = []
        text = b""
        while len(seqs) < 2 * EVENTS:
            text += back.socket.recv(65536)
            *whole, text = text.split(b"\n\n")
            seqs += [json.loads(one.split(b"data: ", 1)[1])["seq"] for one in whole if b"data: " in one]
    if seqs != list(range(seqs[0], seqs[0] + len(seqs))):
        raise RuntimeError(f"a reader that came back has other events: {seqs}")
    p99 = at(beside, 0.99)
    note = (
        f"A hundred readers, {EVENTS} events: 99th percentile {at(alone, 0.99):.1f} ms alone, {p99:.1f} ms beside {SILENT} that "
        "never read. What is never read is dropped after 30 s without a byte; a test does that in less time."
    )
    return Result(
        f"{p99:.1f} ms beside {SILENT} silent ones, {at(alone, 0.99):.1f} ms without; nothing lost by who comes back",
        p99 <= max(2 * at(alone, 0.99), 50),
        [note],
    )


def appends(world: World) -> Result:
    program = ROOT / "target" / "release" / "examples" / "appends"
    if not program.is_file():
        program = ROOT / "target" / "debug" / "examples" / "appends"
    if not program.is_file():
        raise Missing("cargo build --release --example appends")
    folder = world.dir / "appends"
    folder.mkdir()
    done = subprocess.run(
        [str(program), str(folder), str(WRITERS), str(SECONDS)], check=True, capture_output=True, text=True, env=world.env
    )
    told = json.loads(done.stdout)
    rate = told["events"] / told["seconds"]
    sound = told["early"] == 0 and told["told"] == told["events"]
    note = (
        f"Each of {WRITERS} writers waits until its event is stored before it writes the next one: {told['p50_ms']:.1f} ms, 99th percentile "
        f"{told['p99_ms']:.1f} ms. Of every fiftieth announcement another connection to the file was asked: {told['early']} came too early."
    )
    return Result(f"{rate:,.0f} events/s, each stored before it is told", rate >= 5000 and sound, [note])


ROWS = [
    (f"event → {READERS:,} event streams", "≤ 50 ms at the 99th percentile, ≤ 25 KiB each", thousand_readers),
    ("connect to an event stream → its first event", "≤ 100 ms", first_event),
    (f"{SILENT} readers that never read, beside a hundred that do", "delay nobody; lose nothing when they come back", silent_readers),
    (f"durable appends, {WRITERS} writing", "≥ 5,000 events/s, each on disk before it is announced", appends),
]
