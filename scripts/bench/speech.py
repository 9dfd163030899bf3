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

    def hear(self, kind: str) -> dict:
        """Milliseconds that passed (`ms`) and that its threads ran (`cpu`), and the `text`."""
        self.process.stdin.write(kind + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Missing("the publisher's library ended")
        return json.loads(line)

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
    model: list[float] = []
    whole: list[float] = []
    theirs: dict[str, list[dict]] = {"default": [], "lean": []}
    why = ""
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
                answers = {kind: publisher.hear(kind) for kind in theirs} if publisher else {}
                if run < 0:
                    continue
                model.append(event["data"]["ms"])
                whole.append((at - began) * 1000)
                for kind, answer in answers.items():
                    theirs[kind].append(answer)
    finally:
        if publisher:
            publisher.close()
    fast = median(model) <= 120
    notes = [
        f"Transcription is what the `transcript` event tells (`ms`). From the start of the upload to that event, with HTTP, "
        f"the file, the speech gate and the log, it takes {spread(whole)}. Heard: “{event['data']['text']}”."
    ]
    if not publisher:
        return Result(f"{spread(model)}; nothing to compare with: {why}", None if fast else False, notes)
    times = {kind: [answer["ms"] for answer in answers] for kind, answers in theirs.items()}
    cpu = {kind: median([answer["cpu"] for answer in answers]) for kind, answers in theirs.items()}
    ratio = {kind: median(model) / median(times[kind]) for kind in times}
    notes.append(
        f"The publisher's `moonshine-voice` 0.0.49 has the same model file and the same clip, in turns with ours. It takes two "
        f"threads, and there is no setting for one: {spread(times['default'])} and {cpu['default']:.0f} ms of processor time as "
        f"it comes; {spread(times['lean'])} ({ratio['lean']:.2f} ×) and {cpu['lean']:.0f} ms without telling speakers apart "
        f"and handing the sound back. Heard: “{theirs['default'][-1]['text']}”."
    )
    measured = f"{spread(model)}, {ratio['default']:.2f} × the publisher's {median(times['default']):.0f} ms"
    return Result(measured, fast and ratio["default"] <= 0.6, notes)


def settle(server: Server, instruction: str) -> None:
    """Lets the instruction come to rest and drops what it proposed, so that every run meets the same state."""
    for event, _ in server.events():
        if event.get("instruction") != instruction:
            continue
        if event["type"] == "proposal":
            server.call("POST", f"/api/proposals/{event['proposal']}/reject", {})
        if event["type"] in ("rejected", "error"):
            return
