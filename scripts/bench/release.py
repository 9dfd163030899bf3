"""From the release of the key to the words, and to the act that they were taken for: the real cockpit, spoken to through a
virtual microphone.

The key comes up within three tenths of a second after the last word, as people let go of it. What is told are the milliseconds
from then to the event in the log, without the tail that the recorder goes on for. Standard library of Python 3.11 only."""

import array
import json
import os
import random
import subprocess
import time
import wave
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from api import Server
from cockpit import NAMED
from speech import utterance
from terminal import Cockpit
from voice import RATE, TABLE, Microphone, phrases, speak, spoken_folder
from world import Result, World, median, sample_site, spread

RUNS = 15
TALK = b"\x1b[15~"
TAIL = 0.25
# From the start of the player to the first of its sound in the room.
LEAD = 0.08
# Every so many of the phrases: each takes as long as it takes to say it.
EVERY = 3
VOICES = ("flite slt", "espeak en-us")


class Attached(Server):
    """The server that a cockpit has with it."""

    def __init__(self, world: World, repo: Path):
        deadline = time.monotonic() + 20
        while True:
            try:
                endpoint = json.loads((world.project(repo) / "server.json").read_bytes())
                break
            except (OSError, RuntimeError, ValueError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.token = endpoint["token"]
        self.http = HTTPConnection(urlsplit(endpoint["url"]).netloc, timeout=30)

    def forget(self) -> None:
        """What has happened so far is of no interest."""
        self.seq = int(self.call("GET", "/api/status")["cursor"].rsplit("-", 1)[1])

    def close(self) -> None:
        self.http.close()


def talked(clip: Path) -> float:
    """Seconds to the end of the last word."""
    with wave.open(str(clip), "rb") as sound:
        samples = array.array("h", sound.readframes(sound.getnframes()))
    loud = max(map(abs, samples)) * 0.02
    return next(at for at in range(len(samples) - 1, 0, -1) if abs(samples[at]) > loud) / RATE


class Spoken:
    """A cockpit with a microphone that hears what is played."""

    def __init__(self, world: World, name: str):
        self.repo = world.repository(name, {**sample_site(), "pricing.html": b"<h1>Pricing</h1>\n"})
        self.there = Microphone(world, f"{name}-room")
        env = {**self.there.env, "SAYSO_VOICE__AUTO_END": "false", "SAYSO_VOICE__WARM": "3600s"}
        self.cockpit = Cockpit(world.sayso, self.repo, env)
        self.cockpit.when(NAMED)
        self.server = Attached(world, self.repo)
        self.dice = random.Random(7)
        # The model is loaded behind the first frame.
        self.cockpit.read_until(lambda: False, 3)

    def close(self) -> None:
        self.server.close()
        self.cockpit.quit()
        self.there.close()

    def say(self, clip: Path) -> dict[str, float]:
        """Milliseconds to the events of what was said, by their types; none where nothing came of it."""
        before = len(self.cockpit.output)
        os.write(self.cockpit.fd, TALK)
        if not self.cockpit.read_until(lambda: self.cockpit.output.find(b"REC", before) >= 0, 10):
            raise RuntimeError("no recording")
        self.cockpit.read_until(lambda: False, 0.3)
        playing = subprocess.Popen(["paplay", "--latency-msec=50", "-d", "vmic", str(clip)], env=self.there.env)
        self.cockpit.read_until(lambda: False, LEAD + talked(clip) + self.dice.uniform(0, 0.3))
        self.server.forget()
        released = time.time() + TAIL
        os.write(self.cockpit.fd, TALK)
        took: dict[str, float] = {}
        for event, _ in self.server.events():
            kind, data = event["type"], event["data"]
            at = datetime.fromisoformat(event["at"].replace("Z", "+00:00")).timestamp()
            took.setdefault(kind, (at - released) * 1000)
            if kind == "intent":
                if "question" in data:
                    self.server.call("POST", f"/api/instructions/{event['instruction']}/answer", {"yes": False})
                if data["intent"]["kind"] == "control":
                    break
                # A command that has nothing to act on here is matched all the same.
                if not (data.get("heard") or {}).get("readings"):
                    del took["intent"]
            elif kind == "proposal":
                self.server.call("POST", f"/api/proposals/{event['proposal']}/reject", {})
                break
            elif kind in ("error", "rejected"):
                break
        playing.wait()
        self.cockpit.read_until(lambda: False, 0.5)
        os.write(self.cockpit.fd, b"\x1b")
        self.cockpit.read_until(lambda: False, 0.3)
        return took


def words(world: World) -> Result:
    clip = utterance(world)
    there = Spoken(world, "released")
    try:
        took = [there.say(clip).get("transcript") for _ in range(RUNS + 2)][2:]
    finally:
        there.close()
    times = [one for one in took if one is not None]
    notes = [
        f"Said into a virtual microphone, the key released 0 to 0.3 s after the last word; the {TAIL * 1000:.0f} ms of the tail are "
        "taken off. What was said until the release is read while the tail is recorded."
    ]
    return Result(spread(times), median(times) <= 120 and len(times) == RUNS, notes)


def acts(world: World) -> Result:
    folder = spoken_folder()
    chosen = [phrase for phrase in phrases(TABLE) if phrase.kind == "control"][::EVERY]
    clips = [speak(folder, phrase.text, voice) for phrase in chosen for voice in VOICES]
    there = Spoken(world, "acting")
    try:
        there.say(clips[0])
        took = [there.say(clip) for clip in clips]
    finally:
        there.close()
    times = [one["intent"] for one in took if "intent" in one]
    heard = [one["transcript"] for one in took if "transcript" in one]
    late = sorted(times)[len(times) * 9 // 10]
    notes = [
        f"Control phrases of two voices, said as above: {len(times)} of {len(clips)} were taken for acts. Their words are there after "
        f"{spread(heard)}, nine of ten acts after {late:.0f} ms."
    ]
    return Result(spread(times), median(times) <= 180, notes)
