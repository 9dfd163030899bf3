"""Prints the speed table as Markdown: what, measured, bar, met. Standard library of Python 3.11 only."""

import argparse
import functools
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cockpit
import github
import hooks
import job
import mic
import models
import release
import rollback
import rooms
import speech
import streams
import tui
import vercel
import voice
import watch
from calibration import calibration
from world import Missing, Result, World


@dataclass
class Row:
    """A line of the table, and how it is measured."""

    what: str
    bar: str
    run: Callable[[], Result]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sayso", type=Path, required=True, help="the release build")
    parser.add_argument("--venv", type=Path, required=True, help="where the publisher's library is installed")
    parser.add_argument("--only", type=int, action="append", help="measure only this row (counted from 1); repeatable")
    args = parser.parse_args()
    world = World(args.sayso)
    # One pass over the spoken clips for all rows that come of it.
    spoken = functools.cache(lambda: voice.Pass(world))
    deployed = functools.cache(lambda: vercel.Pass(world))
    rows = [
        Row(
            "end of speech → LIVE and fetched back (sample site, approved at once, warm process)",
            "≤ 800 ms",
            lambda: job.speech_to_live(world),
        ),
        Row(
            "transcription of a 4.5 s utterance, model warm, one thread",
            "≤ 120 ms, and ≤ 0.6 × the publisher's library",
            lambda: speech.transcription(world, args.venv),
        ),
        Row(
            "approve → LIVE on the local host, 200-file static site",
            "≤ 150 ms",
            lambda: job.approve_to_live(world),
        ),
        Row(
            "`sayso` start → first frame, embedded server included, model not yet loaded",
            "≤ 60 ms",
            lambda: cockpit.first_frame(world),
        ),
        Row(
            "idle cockpit for 60 s, microphone not opened, no model installed",
            "≤ 0.1 s CPU, ≤ 40 MiB",
            lambda: cockpit.idle(world),
        ),
        Row(
            "100,000 events in the log: open the cockpit → first frame",
            "≤ 150 ms",
            lambda: cockpit.many_events(world),
        ),
        Row(
            "release → matched act, beyond the tail, one thread (control phrases)",
            "≤ 180 ms",
            lambda: release.acts(world),
        ),
        Row(
            f"control phrases, {len(voice.VOICES)} voices of espeak-ng and flite",
            "≥ 93 % the right act, 0 wrong acts",
            lambda: voice.controls(spoken()),
        ),
        Row(
            f"the same through the virtual microphone, {len(voice.MIC_VOICES)} voices",
            "≥ 93 % the right act, 0 wrong acts",
            lambda: voice.microphone(world),
        ),
        Row(
            "false alarms: free-form edits / hostile short edits",
            "0 % / ≤ 4 %, none acted on without a question",
            lambda: voice.edits(spoken()),
        ),
        Row(
            "silence, hum, clicks, white and brown noise, music: 500 clips",
            "0 acts, 0 invented words",
            lambda: voice.wordless(spoken()),
        ),
        Row(
            "the publisher's own library on the same spoken clips",
            "≤ 0.6 × its time, word errors not above its",
            lambda: voice.beside_publisher(world, args.venv),
        ),
        Row(
            f"first and last word, {mic.CLIPS} clips pressed and released at random moments",
            "0 clipped",
            lambda: mic.clipped(world),
        ),
        Row(
            "microphone armed and idle, speech model loaded",
            "≤ 4 % of a core, ≤ 170 MiB",
            lambda: mic.idle(world),
        ),
        Row(
            "key press → the new frame's bytes, 100,000-line diff and 100,000 events open, 120×40",
            "≤ 8 ms at the 99th percentile",
            lambda: tui.keys(world),
        ),
        Row(
            "idle for 60 s with all panes open",
            "≤ 0.1 s CPU, no timers",
            lambda: tui.idle(world),
        ),
        Row("recording, the meter moving", "≤ 4 % of a core", lambda: tui.recording(world)),
        Row(
            "deploying, the bar moving",
            "≤ 4 % of a core, ≤ 300 bytes a frame",
            lambda: tui.deploying(world),
        ),
        Row("memory after 8 hours of events at 10/s, without the model", "≤ 80 MiB", lambda: tui.day(world)),
        Row(
            f"commit of {github.FILES} files through GitHub's interface, stand-in on this machine",
            "≤ 1 s, and ≤ 1.5 × the bare requests",
            lambda: github.commit(world),
        ),
        Row(
            "requests to GitHub for a commit of 1, 20 and 200 files",
            "≤ 5, ≤ 5, ≤ 8",
            lambda: github.requests(world),
        ),
        Row(
            "Vercel says that the aliases are assigned → LIVE, beyond our own probe of the site",
            "≤ 300 ms",
            lambda: vercel.aliases_to_live(deployed()),
        ),
        Row(
            "an unchanged site uploaded to Vercel",
            "0 file bodies",
            lambda: vercel.unchanged(deployed()),
        ),
        *(Row(what, bar, functools.partial(run, world)) for what, bar, run in models.ROWS),
        *(Row(what, bar, functools.partial(run, world)) for what, bar, run in rollback.ROWS),
        Row(
            "save a file → sandbox page reloaded (settle and batch 0, sample site)",
            "≤ 300 ms",
            lambda: watch.save_to_reload(world),
        ),
        Row(
            f"watch on a tree of {watch.FILES:,} files: until nothing is missed / at rest",
            "≤ 1 s / ≤ 0.1 % of a core",
            lambda: watch.large_tree(world),
        ),
        Row(
            "webhook in → event on every event stream",
            "≤ 20 ms",
            lambda: hooks.webhook_to_streams(world),
        ),
        *(Row(what, bar, functools.partial(run, world)) for what, bar, run in streams.ROWS),
        Row(
            f"an edit reaches the other {rooms.PEOPLE - 1} people of a room, beside npm `@y/websocket-server`",
            "p99 not above its, ≤ 0.5 × its CPU, ≥ 5 × its saturated deliveries/s",
            lambda: rooms.fan_out(world),
        ),
        Row(
            "presence back after a reconnect",
            "≤ 1 s",
            lambda: rooms.back(world),
        ),
        Row(
            f"server killed and restarted {rooms.KILLS} times under {rooms.WRITERS} writing clients",
            "0 lost, 0 doubled, all converge",
            lambda: rooms.kills(world),
        ),
        Row(
            "release → transcript, beyond the tail, 4.5 s utterance at a microphone, one thread",
            "≤ 120 ms",
            lambda: release.words(world),
        ),
    ]
    began, before = time.monotonic(), spent()
    try:
        done = [
            (row, measure(row)) for number, row in enumerate(rows, 1) if not args.only or number in args.only
        ]
    finally:
        world.close()
    print(table(done, time.monotonic() - began, others(before, spent())))
    if spoken.cache_info().currsize:
        print("\nThe thresholds of src/intent/sound.rs, by the clips above:\n")
        print(calibration(spoken()))


def measure(row: Row) -> Result:
    """Measures a row; what keeps it from being measured is said in its place."""
    print(f"bench: {row.what} …", file=sys.stderr, flush=True)
    try:
        return row.run()
    except Missing as error:
        return Result(f"not measured: {error}", None)
    except Exception as error:  # One broken row must not hide the others.
        return Result(f"failed: {error}", False)


def table(rows: list[tuple[Row, Result]], seconds: float, quiet: str) -> str:
    lines = ["| what | measured (median) | bar | met |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {result.measured} | {row.bar} | {verdict(result.met)} |" for row, result in rows]
    lines += [
        "",
        f"Measured by `make bench` in {seconds:.0f} s on {machine()}; {quiet}.",
        "",
    ]
    lines += [f"- {note}" for _, result in rows for note in result.notes]
    return "\n".join(lines)


def verdict(met: bool | None) -> str:
    return {True: "met", False: "**not met**", None: "not measured"}[met]


def spent() -> tuple[float, float, float] | None:
    """Seconds of processor time so far: all there were, those that anybody used, those that this run used (with all
    its ended children). Nothing where the system does not tell."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    own = os.times()
    tick = os.sysconf("SC_CLK_TCK")
    used = sum(fields) - fields[3] - fields[4]
    return sum(fields) / tick, used / tick, own.user + own.system + own.children_user + own.children_system


def others(before: tuple[float, float, float] | None, after: tuple[float, float, float] | None) -> str:
    """Whether the machine was quiet: what others use makes every time longer."""
    if before is None or after is None:
        return "not known what else ran"
    there, used, own = (late - early for late, early in zip(after, before))
    return f"other work took {max(0.0, used - own) / max(there, 0.01):.0%} of the processors meanwhile"


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
