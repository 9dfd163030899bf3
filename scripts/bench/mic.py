"""The microphone: what is clipped of clips pressed at random moments, and what an armed recorder costs.

A PulseAudio server of its own with a null sink is the room; the program under test is `sayso say --mic`'s recorder as
the test binary drives it, so that what is measured is what people use. Standard library of Python 3.11 only."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from world import ROOT, Missing, Result, World

CLIPS = 300
IDLE = 60.0


def needs() -> None:
    for tool in ("pulseaudio", "pactl", "parec", "paplay", "cargo"):
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed: scripts/setup.sh test")


def test(name: str, env: dict[str, str], timeout: float) -> str:
    """What an ignored test of the release build prints."""
    command = ["cargo", "test", "--release", "--features", "failpoints", "--test", "voice_bench", "--"]
    done = subprocess.run(
        [*command, "--ignored", "--exact", name, "--nocapture"],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if "SKIPPED" in done.stdout:
        raise Missing(re.search(r"SKIPPED: (.*)", done.stdout)[1])
    if done.returncode != 0:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return done.stdout


def clipped(world: World) -> Result:
    """First and last words of clips that are pressed and released at random moments."""
    needs()
    out = test("pressed_at_random", {"SAYSO_BENCH_CLIPS": str(CLIPS)}, 3600)
    found = re.search(r"clips (\d+) front (\d+) end (\d+) middle (\d+)", out)
    clips, front, end, middle = map(int, found.groups())
    bad = front + end + middle
    measured = f"{bad} of {clips} clipped (front {front}, end {end}, middle {middle})"
    return Result(measured, clips == CLIPS and bad == 0)


def idle(world: World) -> Result:
    """Processor time and memory of a recorder that is armed, with the model loaded."""
    needs()
    out = test("armed_and_idle", {"SAYSO_BENCH_IDLE": str(IDLE)}, 600)
    found = re.search(r"cpu ([\d.]+) % memory ([\d.]+) MiB", out)
    cpu, memory = map(float, found.groups())
    return Result(f"{cpu:.1f} % of a core, {memory:.0f} MiB", cpu <= 4 and memory <= 170)
