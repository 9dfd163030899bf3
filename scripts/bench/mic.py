"""The microphone: what is clipped of clips pressed at random moments, and what an armed cockpit costs.

PulseAudio servers of their own with a null sink are the room. What is clipped is told by the recorder as the test binary
drives it, which knows each sample; the armed one is the real cockpit. Standard library of Python 3.11 only."""

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cockpit import NAMED, cpu, memory
from terminal import Cockpit
from voice import ROOMS, Microphone
from world import ROOT, Missing, Result, World, sample_site

CLIPS = 300
IDLE = 60.0
TALK = b"\x1b[15~"
ESCAPE = b"\x1b"


def needs(*tools: str) -> None:
    for tool in ("pulseaudio", "pactl", "parec", "paplay", *tools):
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed: scripts/setup.sh test")


def built() -> Path:
    """The test program, built as the release is."""
    command = ["cargo", "test", "--release", "--test", "voice_bench", "--no-run", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    made = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return next(Path(one["executable"]) for one in made if one.get("target", {}).get("name") == "voice_bench" and one.get("executable"))


def clipped(world: World) -> Result:
    """First and last words of clips that are pressed and released at random moments, in several rooms at once."""
    needs("cargo")
    program = built()

    def run(room: int) -> list[int]:
        env = {**os.environ, "SAYSO_BENCH_CLIPS": str(CLIPS // ROOMS), "SAYSO_BENCH_SEED": str(2026 + room)}
        command = [str(program), "--ignored", "--exact", "pressed_at_random", "--nocapture"]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=3600, check=False)
        if "SKIPPED" in done.stdout:
            raise Missing(re.search(r"SKIPPED: (.*)", done.stdout)[1])
        found = re.search(r"clips (\d+) front (\d+) end (\d+) middle (\d+)", done.stdout)
        if not found:
            raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
        return [int(number) for number in found.groups()]

    with ThreadPoolExecutor(ROOMS) as pool:
        clips, front, end, middle = (sum(numbers) for numbers in zip(*pool.map(run, range(ROOMS))))
    bad = front + end + middle
    measured = f"{bad} of {clips} clipped (front {front}, end {end}, middle {middle})"
    return Result(measured, clips == CLIPS and bad == 0)


def idle(world: World) -> Result:
    """Processor time and memory of a cockpit whose microphone is warm and whose model is loaded."""
    needs()
    repo = world.repository("armed", sample_site())
    folder = world.dir / "armed-config" / "sayso"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[voice]\nwarm = "3600s"\n')
    there = Microphone(world, "armed-room")
    try:
        cockpit = Cockpit(world.sayso, repo, {**there.env, "XDG_CONFIG_HOME": str(folder.parent)})
        try:
            cockpit.when(NAMED)
            # The model is loaded behind the first frame.
            cockpit.read_until(lambda: False, 3)
            os.write(cockpit.fd, TALK)
            cockpit.when("REC")
            os.write(cockpit.fd, ESCAPE)
            cockpit.when("thrown away")
            cockpit.read_until(lambda: False, 3)
            before = cpu(cockpit.pid)
            cockpit.read_until(lambda: False, IDLE)
            share = (cpu(cockpit.pid) - before) / IDLE * 100
            resident, peak = memory(cockpit.pid, "VmRSS"), memory(cockpit.pid, "VmHWM")
        finally:
            cockpit.quit()
    finally:
        there.close()
    notes = [f"The armed cockpit was left alone for {IDLE:.0f} s; its memory was never above {peak:.0f} MiB."]
    return Result(f"{share:.1f} % of a core, {resident:.0f} MiB", share <= 4 and resident <= 170, notes)
