"""Transcription beside the publisher's own library, turn by turn in one run."""

import json
import shutil
import subprocess
import time
from pathlib import Path

from api import Server
from world import Missing, Result, World, median, sample_site, spread

RUNS = 15
SECONDS = 4.5
WORDS = "Change the headline on the home page to welcome to our garden."


def utterance(world: World) -> Path:
    """A synthetic voice, 16 kHz mono, cut or filled to exactly the length."""
    for tool in ("flite", "sox"):
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed: scripts/setup.sh test")
    raw, wav = world.dir / "raw.wav", world.dir / "utterance.wav"
    subprocess.run(["flite", "-voice", "rms", "-t", WORDS, "-o", str(raw)], check=True, capture_output=True)
    command = ["sox", str(raw), "-r", "16000", "-c", "1", "-b", "16", str(wav)]
    effects = ["pad", "0.3", "2", "trim", "0", str(SECONDS)]
    subprocess.run([*command, *effects], check=True, capture_output=True)
    return wav


class Publisher:
    """The library in its own process and environment."""

    def __init__(self, venv: Path, wav: Path):
        if not (venv / "ready").exists():
            raise Missing("the publisher's library could not be installed")
        script = Path(__file__).with_name("publisher.py")
        self.process = subprocess.Popen(
            [str(venv / "bin" / "python"), str(script), str(wav)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def hear(self, kind: str) -> tuple[float, str]:
        self.process.stdin.write(kind + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Missing("the publisher's library ended")
        answer = json.loads(line)
        return answer["ms"], answer["text"]

    def close(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def transcription(world: World, venv: Path) -> Result:
    wav = utterance(world)
    sound = wav.read_bytes()
    repo = world.repository("heard", sample_site())
    whole: list[float] = []
    model: list[float] = []
    theirs: dict[str, list[float]] = {"default": [], "lean": []}
    texts = {"default": "", "lean": ""}
    why = None
    try:
        publisher = Publisher(venv, wav)
    except Missing as error:
        publisher, why = None, str(error)
    try:
        with Server(world, repo) as server:
            for run in range(-2, RUNS):
                began = time.monotonic()
                instruction = server.speak(sound, "preview")
                event, at = server.wait("transcript", instruction=instruction)
                settle(server, instruction)
                if run >= 0:
                    whole.append((at - began) * 1000)
                    model.append(event["data"]["ms"])
                for kind in theirs if publisher else ():
                    millis, texts[kind] = publisher.hear(kind)
                    if run >= 0:
                        theirs[kind].append(millis)
            said = event["data"]["text"]
    finally:
        if publisher:
            publisher.close()
    fast = median(whole) <= 120
    notes = [
        f"Transcription is timed from the start of the upload to the `transcript` event, so it includes HTTP, the file, "
        f"the speech gate and the log; the model alone takes {spread(model)}. Heard: “{said}”."
    ]
    if not publisher:
        return Result(f"{spread(whole)}; nothing to compare with: {why}", None if fast else False, notes)
    ratio = {kind: median(whole) / median(times) for kind, times in theirs.items()}
    notes.append(
        f"The publisher's `moonshine-voice` 0.0.49, same model file, same clip, in turns with ours: {spread(theirs['default'])} "
        f"as it comes, {spread(theirs['lean'])} ({ratio['lean']:.2f} ×) without telling speakers apart and without handing "
        f"the sound back; heard “{texts['default']}”. Its threads are left as they come."
    )
    measured = f"{spread(whole)}, {ratio['default']:.2f} × the publisher's {median(theirs['default']):.0f} ms"
    return Result(measured, fast and max(ratio.values()) <= 0.6, notes)


def settle(server: Server, instruction: str) -> None:
    """Lets the instruction come to rest and drops what it proposed, so that every run meets the same state."""
    for event, _ in server.events():
        if event.get("instruction") != instruction:
            continue
        if event["type"] == "proposal":
            server.call("POST", f"/api/proposals/{event['proposal']}/reject", {})
        if event["type"] in ("rejected", "error"):
            return
