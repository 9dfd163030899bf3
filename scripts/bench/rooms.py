"""People in a room, beside npm's own server of the same protocol in the same run."""

import json
import os
import random
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from cockpit import cpu
from world import ROOT, Missing, Result, World, median, sample_site

SERVICES = ROOT / "tests" / "services"
DRIVER = ROOT / "scripts" / "bench" / "rooms.mjs"
CLIENTS = ROOT / "tests" / "rooms" / "clients.mjs"
PATIENCE = 60.0

PEOPLE = 100
LATENCY_EDITS = 400
FLOOD_EDITS = 3000
ROUNDS = 3
BACK_RUNS = 20
KILLS = 50
WRITERS = 20
EVERY_MS = 50


@dataclass
class Size:
    """How much is measured; smaller where it is only looked whether it works."""

    people: int = PEOPLE
    latency: int = LATENCY_EDITS
    flood: int = FLOOD_EDITS
    rounds: int = ROUNDS
    back: int = BACK_RUNS
    kills: int = KILLS
    writers: int = WRITERS


def services() -> Path:
    if shutil.which("node") is None:
        raise Missing("node")
    if not (SERVICES / "node_modules" / "@y" / "websocket-server").exists():
        raise Missing("npm's clients and server: scripts/setup.sh services")
    return SERVICES


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listening(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"a server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("a server does not listen")


class Server:
    """A server of rooms as a process of its own."""

    port: int
    token: str
    path: str
    process: subprocess.Popen

    def run(self, command: list[str], env: dict[str, str]) -> None:
        """Starts it; returns once it listens."""
        self.process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        listening(self.port, self.process)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Ours(Server):
    """`sayso serve`."""

    def __init__(self, world: World, name: str):
        self.repo = world.repository(name, sample_site())
        self.world, self.port, self.token = world, free_port(), secrets.token_urlsafe(24)
        self.path = "/realtime/bench"
        self.start()

    def start(self) -> None:
        self.run(
            [str(self.world.sayso), "-C", str(self.repo), "serve", "--listen", f"127.0.0.1:{self.port}"],
            {**self.world.without_model(), "SAYSO_TOKEN": self.token},
        )


class Theirs(Server):
    """npm `@y/websocket-server`, as it comes: in memory."""

    def __init__(self) -> None:
        self.port, self.token, self.path = free_port(), "", "/bench"
        script = services() / "node_modules" / "@y" / "websocket-server" / "src" / "server.js"
        self.run(["node", str(script)], {**os.environ, "HOST": "127.0.0.1", "PORT": str(self.port)})


def drive(server: Server, mode: str, *args: int) -> dict:
    """Runs the driver; what it found, with the server's processor time between its begin and its end as `cpu`."""
    command = ["node", str(DRIVER), mode, "127.0.0.1", str(server.port), server.path, server.token]
    driver = subprocess.Popen(
        [*command, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    used = [cpu(server.process.pid)]
    said = []
    for line in driver.stderr:
        said.append(line)
        if line.strip() in ("begin", "end"):
            used.append(cpu(server.process.pid))
    out = driver.stdout.read()
    if driver.wait() != 0:
        raise RuntimeError(f"{mode}: {''.join(said)[-400:]}")
    found = json.loads(out)
    found["cpu"] = used[-1] - used[1] if len(used) > 2 else used[-1] - used[0]
    if found.get("wrong"):
        raise RuntimeError(f"{mode}: {found['wrong']} people did not have each edit exactly once")
    return found


def fan_out(world: World, size: Size = Size()) -> Result:
    """An edit reaches the other people of a room."""
    services()
    found: dict[str, dict[str, list[dict]]] = {"ours": {}, "theirs": {}}
    for number in range(size.rounds):
        # In turns, so that what else the machine does meets both.
        for name in ("ours", "theirs"):
            server = Ours(world, f"rooms-{number}") if name == "ours" else Theirs()
            try:
                for mode, edits in (("latency", size.latency), ("flood", size.flood)):
                    # Another room for each, so that none begins with the other's text.
                    server.path = f"{server.path.rsplit('/', 1)[0]}/{mode}-{number}"
                    found[name].setdefault(mode, []).append(drive(server, mode, size.people, edits))
            finally:
                server.kill()

    def mid(name: str, mode: str, what: str) -> float:
        return median([one[what] for one in found[name][mode]])

    p99 = mid("ours", "latency", "p99"), mid("theirs", "latency", "p99")
    used = mid("ours", "flood", "cpu"), mid("theirs", "flood", "cpu")
    rate = mid("ours", "flood", "perSecond"), mid("theirs", "flood", "perSecond")
    quiet = mid("ours", "latency", "cpu"), mid("theirs", "latency", "cpu")
    met = p99[0] <= p99[1] and used[0] <= 0.5 * used[1] and rate[0] >= 5 * rate[1]
    text = (
        f"p99 {p99[0]:.1f} ms against {p99[1]:.1f} ms, {used[0] / used[1]:.2f} × its CPU, "
        f"{rate[0] / rate[1]:.1f} × its deliveries/s ({rate[0] / 1000:.0f} k against {rate[1] / 1000:.0f} k)"
    )
    note = (
        f"Rooms: {size.people} people on one machine with the server, median of {size.rounds} rounds in turns, each edit counted once at each person. "
        f"An edit each 20 ms: median {mid('ours', 'latency', 'p50'):.1f} ms against {mid('theirs', 'latency', 'p50'):.1f} ms, "
        f"{quiet[0]:.2f} s against {quiet[1]:.2f} s of CPU for {size.latency} edits. "
        f"As fast as they go: {used[0]:.2f} s against {used[1]:.2f} s of CPU for {size.flood} edits. "
        f"Ours writes them to disk, npm's `@y/websocket-server` keeps them in memory."
    )
    return Result(text, met, [note])


def back(world: World, size: Size = Size()) -> Result:
    """Presence after a reconnect."""
    services()
    ours, theirs = Ours(world, "rooms-back"), Theirs()
    try:
        mine = drive(ours, "back", size.back)["times"]
        # Once: the second time it does not even notice that they have gone.
        other = drive(theirs, "back", 1)["times"]
    finally:
        ours.kill()
        theirs.kill()
    text = f"{median(mine):.0f} ms, at most {max(mine):.0f} ms ({len(mine)} runs)"
    note = (
        f"Presence: from the new connection of a `y-websocket` client until another sees it again; "
        f"with npm's `@y/websocket-server` {median(other) / 1000:.1f} s."
    )
    return Result(text, max(mine) <= 1000, [note])


class Clients:
    """npm's clients, as the tests have them."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", str(CLIENTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.count = 0

    def tell(self, op: str, name: str, **more: object) -> dict:
        self.count += 1
        self.process.stdin.write(json.dumps({"op": op, "id": name, "n": self.count, **more}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{op} {name}: {answer['error']}")
        return answer

    def until(self, name: str, what: str, good) -> dict:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            state = self.tell("state", name)
            if good(state):
                return state
            time.sleep(0.02)
        raise RuntimeError(f"{name}: never {what}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def kills(world: World, size: Size = Size()) -> Result:
    """The server killed and started again under writing clients."""
    services()
    server, clients = Ours(world, "rooms-kills"), Clients()
    names = [f"w{number}" for number in range(size.writers)]
    # They write as long as there are kills, about half a second for each.
    marks = int(size.kills * 500 / EVERY_MS)
    try:
        for name in names:
            clients.tell("open", name, url=f"ws://127.0.0.1:{server.port}/realtime", room="bench", token=server.token)
        clients.until(names[0], "synchronised", lambda state: state["synced"])
        clients.tell("make", names[0], path="page", text="")
        for name in names:
            clients.until(name, "there", lambda state: state["texts"].get("page") == "")
            clients.tell("write", name, path="page", count=marks, every=EVERY_MS)
        began = time.monotonic()
        for _ in range(size.kills):
            time.sleep(random.uniform(0.2, 0.5))
            server.kill()
            server.start()
        for name in names:
            clients.until(name, "done", lambda state: state["written"] == marks and state["synced"])
        wanted = {f"{name}.{number}" for name in names for number in range(marks)}
        first = settled(clients, names)
        seconds = time.monotonic() - began
        found = first["texts"]["page"].strip("[]").split("][")
        lost, doubled = len(wanted - set(found)), len(found) - len(set(found))
        # What is kept is what they have.
        clients.tell("open", "late", url=f"ws://127.0.0.1:{server.port}/realtime", room="bench", token=server.token)
        late = clients.until("late", "synchronised", lambda state: state["synced"])
        same = late["texts"] == first["texts"]
    finally:
        clients.close()
        server.kill()
    text = f"{lost} lost, {doubled} doubled, {'all' if same else 'not all'} converge ({len(wanted)} edits, {size.kills} kills)"
    note = f"Kills: SIGKILL and a new start {size.kills} times in {seconds:.0f} s, {size.writers} `y-websocket` clients writing all the time."
    return Result(text, lost == 0 and doubled == 0 and same, [note])


def settled(clients: Clients, names: list[str]) -> dict:
    """The state of the first client once all have the same."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        states = [clients.tell("state", name) for name in names]
        if all(one["texts"] == states[0]["texts"] and one["vector"] == states[0]["vector"] for one in states):
            return states[0]
        time.sleep(0.1)
    raise RuntimeError("not all converge")
