"""Prints the speed table as Markdown: what, measured, bar, met. Standard library of Python 3.11 only."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cockpit
import job
import speech
from world import Missing, Row, World


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sayso", type=Path, required=True, help="the release build")
    parser.add_argument("--venv", type=Path, required=True, help="where the publisher's library is installed")
    parser.add_argument("--only", type=int, action="append", help="measure only this row (1 to 6); repeatable")
    args = parser.parse_args()
    world = World(args.sayso)
    rows: list[tuple[str, Callable[[], Row]]] = [
        ("end of speech → LIVE and fetched back", lambda: job.speech_to_live(world)),
        ("transcription", lambda: speech.transcription(world, args.venv)),
        ("approve → LIVE", lambda: job.approve_to_live(world)),
        ("first frame", lambda: cockpit.first_frame(world)),
        ("idle cockpit", lambda: cockpit.idle(world)),
        ("100,000 events", lambda: cockpit.many_events(world)),
    ]
    began, load = time.monotonic(), os.getloadavg()[0]
    try:
        done = [
            measure(name, row, sys.stderr)
            for number, (name, row) in enumerate(rows, 1)
            if not args.only or number in args.only
        ]
    finally:
        world.close()
    print(table(done, time.monotonic() - began, load))


def measure(name: str, row: Callable[[], Row], progress) -> Row:
    """A row; what keeps it from being measured is said in its place."""
    print(f"bench: {name} …", file=progress, flush=True)
    try:
        return row()
    except Missing as error:
        return Row(name, f"not measured: {error}", "", None)
    except Exception as error:  # One broken row must not hide the others.
        return Row(name, f"failed: {error}", "", False)


def table(rows: list[Row], seconds: float, load: float) -> str:
    lines = ["| what | measured (median) | bar | met |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.measured} | {row.bar} | {verdict(row.met)} |" for row in rows]
    lines += ["", f"Measured by `make bench` in {seconds:.0f} s on {machine()}, load {load:.1f} at the start.", ""]
    lines += [f"- {note}" for row in rows for note in row.notes]
    return "\n".join(lines)


def verdict(met: bool | None) -> str:
    return {True: "met", False: "**not met**", None: "not measured"}[met]


def machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{cores} cores ({name}), {platform.system()}"


if __name__ == "__main__":
    main()
