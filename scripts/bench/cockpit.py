"""The cockpit: how fast it stands there, and what it costs while nothing happens."""

import os
import sqlite3
import time
from pathlib import Path

from api import Server
from terminal import Cockpit
from world import Result, World, median, sample_site, spread

RUNS = 15
IDLE = 60.0
EVENTS = 100_000

# Stands in the header beside repository and branch once they are known. Frames are differences, so a name that shares
# letters with what stood there before would not come whole.
NAMED = "nothing live"


def frames(world: World, repo: Path) -> tuple[list[float], list[float]]:
    """Milliseconds to the first frame, and to the frame that names the repository and its branch."""
    first: list[float] = []
    full: list[float] = []
    for run in range(-2, RUNS):
        cockpit = Cockpit(world.sayso, repo, world.env)
        try:
            at = cockpit.when("sayso")
            named = cockpit.when(NAMED)
        finally:
            cockpit.quit()
        if run >= 0:
            first.append(at)
            full.append(named)
    return first, full


def first_frame(world: World) -> Result:
    repo = world.repository("first", sample_site())
    first, full = frames(world, repo)
    return Result(
        spread(first),
        median(first) <= 60,
        [f"The frame that names repository and branch follows at {spread(full)}; the model loads behind both."],
    )


def many_events(world: World) -> Result:
    repo = world.repository("events", sample_site())
    with Server(world, repo, world.without_model()):
        pass  # It makes the database.
    fill(world.project(repo) / "sayso.db", repo.name)
    first, full = frames(world, repo)
    return Result(
        spread(first),
        median(first) <= 150,
        [f"With 100,000 events the frame that names repository and branch follows at {spread(full)}."],
    )


def fill(database: Path, project: str) -> None:
    """Writes a long history: what some thousand deployments leave behind."""
    rows = []
    for number in range(EVENTS):
        deployment = f"dep_{number // 20:08}"
        percent, kind = number % 20 * 5, "deploy_progress"
        data = f'{{"percent":{percent},"stage":"upload","message":"writes the release","eta_ms":120}}'
        if number % 20 == 0:
            kind, data = "deploy_start", '{"target":"local","commit":"0123456789abcdef","force":false}'
        elif number % 20 == 19:
            kind, data = "notice", '{"message":"a deployment ended"}'
        at = f"2026-01-{1 + number // 4000 % 28:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z"
        rows.append((at, kind, project, deployment, "production", "sayso", data))
    connection = sqlite3.connect(database)
    with connection:
        connection.executemany(
            "INSERT INTO events(at, type, project, deployment, environment, actor, data) VALUES(?,?,?,?,?,?,?)", rows
        )
    count = connection.execute("SELECT COUNT(*) FROM events").fetchone()[0]
    connection.close()
    if count < EVENTS:
        raise RuntimeError(f"only {count} events are in the log")


def idle(world: World) -> Result:
    """CPU and memory of a cockpit that nobody touches."""
    repo = world.repository("idle", sample_site())
    cockpit = Cockpit(world.sayso, repo, world.without_model())
    try:
        cockpit.when(NAMED)
        # The end of the start: what it still does by itself belongs to the start.
        cockpit.read_until(lambda: False, 3)
        drawn, before, began = len(cockpit.output), cpu(cockpit.pid), time.monotonic()
        cockpit.read_until(lambda: False, IDLE)
        seconds = cpu(cockpit.pid) - before
        took = time.monotonic() - began
        resident, peak = memory(cockpit.pid, "VmRSS"), memory(cockpit.pid, "VmHWM")
        drawn = len(cockpit.output) - drawn
    finally:
        cockpit.quit()
    return Result(
        f"{seconds:.2f} s CPU, {resident:.1f} MiB resident",
        seconds <= 0.1 and resident <= 40,
        [
            f"The idle cockpit was left alone for {took:.0f} s after 3 s to settle; it wrote {drawn} bytes to the screen "
            f"in that time, and its memory was never above {peak:.1f} MiB. It runs with an empty models folder, because the "
            "cockpit loads the recogniser ahead (about 120 MiB more)."
        ],
    )


def cpu(pid: int) -> float:
    """Seconds of user and system time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int, name: str) -> float:
    """A line of /proc/PID/status, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no {name}")
