"""Commands by their sound: synthetic voices through the recogniser, right and wrong acts, false alarms, sounds without words.

Rows for the table come from `controls`, `edits`, `wordless`, `microphone` and `beside_publisher`; the first three come
of one pass over the clips. Alone it prints them and the calibration, what other thresholds would have given:

    python3 -B scripts/bench/voice.py --sayso target/release/sayso [--table FILE] [--voice "espeak en-us"]... [--dump FILE]

The table is tests/voice_match/phrases.tsv, or a file with the same columns: kind (control, edit, short), text, act.
"""

import argparse
import dataclasses
import json
import os
import queue
import shutil
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import wordless as sounds
from api import Server
from world import ROOT, Missing, Result, World, median, sample_site, spread

TABLE = ROOT / "tests" / "voice_match" / "phrases.tsv"
RATE = 16_000

# Those with which people most likely try it, and accents that a small model finds hard.
FLITE = ["kal16", "awb", "rms", "slt"]
ESPEAK = ["en-us", "en-gb", "en-029", "en-us+f2"]
VOICES = [f"flite {name}" for name in FLITE] + [f"espeak {name}" for name in ESPEAK]
# Long edits are seldom mistaken: a few voices are enough.
EDIT_VOICES = ["flite slt", "flite rms", "espeak en-us"]

# Through the microphone a clip takes as long as it takes to say it.
MIC_VOICES = ["flite slt", "flite rms", "flite awb", "espeak en-us", "espeak en-gb"]

# Microphones that are spoken into at the same time: most of the time of each is waiting.
ROOMS = 4

HARMLESS = {"preview", "status", "stop", "open", "help"}

# Acts that are the same to a person: other tables name fewer.
SAME = {"cancel": {"reject", "stop"}, "confirm": {"approve"}, "undo": {"undo", "rollback"}}


@dataclass
class Phrase:
    kind: str
    text: str
    act: str


@dataclass
class Heard:
    """What became of a clip."""

    phrase: Phrase
    voice: str
    text: str = ""
    kind: str = ""
    readings: list[dict] = field(default_factory=list)
    passed_over: dict | None = None
    margin: float = 0.0
    sure: str = ""
    asked: bool = False
    transcript_ms: float = 0.0
    act_ms: float = 0.0

    @property
    def act(self) -> str:
        """The act that was asked about or done; empty for an edit."""
        if self.readings:
            reading = self.readings[0]
            # "Ship it" with nothing else is a deployment.
            return "deploy" if reading["phrase"].startswith("ship ") else reading["control"]
        return ""

    @property
    def at_once(self) -> bool:
        """Done without a question, wherever the site stands."""
        if not self.act or self.act in ("deploy", "redeploy", "rollback"):
            return False
        return self.sure == "certain" or (self.act in HARMLESS and self.sure == "likely")

    @property
    def right(self) -> bool:
        wanted = self.phrase.act
        if self.phrase.text.lower().startswith("ship "):
            wanted = "deploy"
        return bool(wanted) and (self.act == wanted or self.act in SAME.get(wanted, ()))


def phrases(table: Path) -> list[Phrase]:
    rows = []
    for line in table.read_text().splitlines():
        if line.startswith(("#", "kind\t")) or not line.strip():
            continue
        kind, text, act = [*line.split("\t"), "", ""][:3]
        rows.append(Phrase(kind, text, act.lower()))
    return rows


def spoken_folder() -> Path:
    """Where clips are kept from one run to the next: the voices always say the same."""
    folder = ROOT / "target" / "bench" / "spoken"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def speak(folder: Path, text: str, voice: str) -> Path:
    """The text spoken, 16 kHz mono, a quarter of a second before and after."""
    engine, name = voice.split(" ", 1)
    for tool in ("sox", "flite" if engine == "flite" else "espeak-ng"):
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed: scripts/setup.sh test")
    key = "".join(letter if letter.isalnum() else "-" for letter in f"{voice}-{text}")[:120]
    clip, raw, part = (folder / f"{key}{end}.wav" for end in ("", ".raw", ".part"))
    if clip.exists():
        return clip
    said = text if text.endswith((".", "?", "!")) else f"{text}."
    command = ["flite", "-voice", name, "-t", said, "-o"] if engine == "flite" else ["espeak-ng", "-v", name, said, "-w"]
    subprocess.run([*command, str(raw)], check=True, capture_output=True)
    effects = ["norm", "-6", "pad", "0.25", "0.3"]
    subprocess.run(
        ["sox", "-R", str(raw), "-r", str(RATE), "-c", "1", "-b", "16", str(part), *effects], check=True, capture_output=True
    )
    raw.unlink()
    part.rename(clip)
    return clip


def listen(server: Server, clip: bytes, heard: Heard) -> Heard:
    """Hands a clip in, waits until it is known what it was taken for, and lets nothing come of it."""
    began = time.monotonic()
    instruction = server.speak(clip, "preview")
    for event, at in server.events():
        if event.get("instruction") != instruction:
            continue
        data = event["data"]
        if event["type"] == "transcript":
            heard.text, heard.transcript_ms = data["text"], (at - began) * 1000
        elif event["type"] == "intent":
            heard.kind = data["intent"]["kind"]
            how = data.get("heard") or {}
            heard.readings = how.get("readings", [])
            heard.passed_over = how.get("passed_over")
            heard.margin, heard.sure = how.get("margin", 0.0), data.get("sure", "")
            heard.asked = "question" in data
            heard.act_ms = (at - began) * 1000
            if heard.asked:
                server.call("POST", f"/api/instructions/{instruction}/answer", {"yes": False})
            if heard.kind == "control":
                return heard
        elif event["type"] == "proposal":
            server.call("POST", f"/api/proposals/{event['proposal']}/reject", {})
        elif event["type"] in ("error", "rejected"):
            return heard
    return heard


class Pass:
    """One pass over all clips."""

    def __init__(self, world: World, table: Path = TABLE, voices: list[str] | None = None):
        voices = voices or VOICES
        folder = spoken_folder()
        jobs = []
        for phrase in phrases(table):
            chosen = [v for v in voices if v in EDIT_VOICES] or voices[:3] if phrase.kind == "edit" else voices
            jobs += [(phrase, voice) for voice in chosen]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            clips = list(pool.map(lambda job: speak(folder, job[0].text, job[1]), jobs))
        self.heard: list[Heard] = []
        self.silent: list[tuple[str, Heard]] = []
        repo = world.repository("spoken-to", {**sample_site(), "pricing.html": b"<h1>Pricing</h1>\n"})
        with Server(world, repo) as server:
            for _ in range(3):  # The first ones wait for the model.
                listen(server, clips[0].read_bytes(), Heard(*jobs[0]))
            for (phrase, voice), clip in zip(jobs, clips):
                self.heard.append(listen(server, clip.read_bytes(), Heard(phrase, voice)))
            for name, clip in sounds.clips(int(os.environ.get("SAYSO_BENCH_WORDLESS", "500"))):
                self.silent.append((name, listen(server, clip, Heard(Phrase("wordless", name, ""), ""))))

    def of(self, *kinds: str) -> list[Heard]:
        return [one for one in self.heard if one.phrase.kind in kinds]


def controls(done: Pass) -> Result:
    rows = done.of("control")
    right = sum(one.right for one in rows)
    acted = [one for one in rows if one.at_once and not one.right]
    asked = [one for one in rows if one.act and not one.right and not one.at_once]
    either = sum(
        1 for one in asked if any(Heard(one.phrase, "", readings=[reading]).right for reading in one.readings[1:2])
    )
    voices = Counter(one.voice for one in rows)
    best = Counter(one.voice for one in rows if one.right)
    notes = [
        "Right acts by voice: " + " · ".join(f"{voice} {best[voice] / count:.0%}" for voice, count in voices.items()) + ".",
        f"Wrong questions, each answered by a no: {len(asked)} of {len(rows)}"
        + (f", {either} of them offering the right act as the second choice" if either else "")
        + "".join(f"; {one.voice}: “{one.phrase.text}”, heard “{one.text}”, {one.act}?" for one in asked[:6])
        + ".",
        "From handing the recording in: to the transcript "
        + spread([one.transcript_ms for one in rows if one.transcript_ms])
        + ", to the act that was matched "
        + spread([one.act_ms for one in rows if one.act_ms])
        + ".",
    ]
    notes += [f"Done, but not said: {one.voice}: “{one.phrase.text}”, heard “{one.text}”, {one.act}." for one in acted]
    share = right / max(len(rows), 1)
    met = share >= 0.93 and not acted
    return Result(f"{share:.1%} of {len(rows)} clips right, {len(acted)} wrong acts", met, notes)


def edits(done: Pass) -> Result:
    long, short = done.of("edit"), done.of("short")
    share = {name: sum(bool(one.act) for one in rows) / max(len(rows), 1) for name, rows in (("long", long), ("short", short))}
    acted = [one for one in long + short if one.at_once]
    asked = Counter(f"“{one.phrase.text}” → {one.act}" for one in short if one.act)
    notes = ["Asked about: " + " · ".join(f"{what} ({count})" for what, count in asked.most_common(12)) + "."] if asked else []
    notes += [f"Done, but not said: {one.voice}: “{one.phrase.text}”, heard “{one.text}”, {one.act}." for one in acted]
    met = share["long"] == 0 and share["short"] <= 0.04 and not acted
    measured = f"{share['long']:.1%} of {len(long)} / {share['short']:.1%} of {len(short)}, {len(acted)} acted on without a question"
    return Result(measured, met, notes)


def wordless(done: Pass) -> Result:
    words = [(name, one.text) for name, one in done.silent if one.text]
    acts = [(name, one.act) for name, one in done.silent if one.act]
    notes = [f"{name}: “{text}”" for name, text in words[:6]] + [f"{name}: {act}" for name, act in acts[:6]]
    return Result(f"{len(acts)} acts, {len(words)} with invented words, of {len(done.silent)}", not words and not acts, notes)


class Microphone:
    """A sound server of its own whose null sink is the microphone."""

    def __init__(self, world: World, name: str = "sound"):
        for tool in ("pulseaudio", "pactl", "paplay", "parec"):
            if not shutil.which(tool):
                raise Missing(f"{tool} is not installed: scripts/setup.sh test")
        folder = world.dir / name
        (folder / "pulse").mkdir(parents=True, exist_ok=True)
        socket = folder / "pulse" / "native"
        self.env = {**world.env, "PULSE_SERVER": f"unix:{socket}", "XDG_RUNTIME_DIR": str(folder)}
        load = f"module-native-protocol-unix socket={socket} auth-anonymous=1"
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        env = {**self.env, "HOME": str(folder)}
        self.processes = [
            subprocess.Popen([*command, "-L", load, "-L", "module-null-sink sink_name=vmic rate=48000"], env=env, **quiet)
        ]
        deadline = time.monotonic() + 20
        while subprocess.run(["pactl", "info"], env=self.env, capture_output=True).returncode:
            if time.monotonic() > deadline:
                self.close()
                raise Missing("the sound server does not start")
            time.sleep(0.05)
        # Somebody who listens keeps the source awake.
        self.processes.append(subprocess.Popen(["parec", "--latency-msec=10", "-d", "vmic.monitor"], env=self.env, **quiet))

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait(10)

    def say(self, world: World, repo: Path, clip: Path) -> dict:
        """The data of the `intent` event of a clip that is spoken into the microphone."""
        command = [str(world.sayso), "-C", str(repo), "say", "--mic", "--json"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(command, env=self.env, text=True, **pipes)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: [lines.put(line) for line in process.stderr], daemon=True).start()
        try:
            deadline = time.monotonic() + 20
            while "recording" not in lines.get(timeout=max(0.1, deadline - time.monotonic())):
                pass
            subprocess.run(["paplay", "--latency-msec=50", "-d", "vmic", str(clip)], env=self.env, check=True)
            out, _ = process.communicate("\n", timeout=30)
        finally:
            process.kill()
        for line in out.splitlines():
            event = json.loads(line)
            if event.get("type") == "intent":
                return event["data"]
        return {}


def microphone(world: World, table: Path = TABLE, voices: list[str] | None = None) -> Result:
    """Every control phrase by every voice through a virtual microphone, as `sayso say --mic` records it."""
    folder = spoken_folder()
    jobs = [(phrase, voice) for phrase in phrases(table) if phrase.kind == "control" for voice in voices or MIC_VOICES]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        clips = list(pool.map(lambda job: speak(folder, job[0].text, job[1]), jobs))
    waiting = queue.SimpleQueue()
    for job in zip(jobs, clips):
        waiting.put(job)
    with ThreadPoolExecutor(ROOMS) as pool:
        heard = [one for room in pool.map(lambda room: speak_in(world, room, waiting), range(ROOMS)) for one in room]
    right = sum(one.right for one in heard)
    wrong = [one for one in heard if one.at_once and not one.right]
    missed = [f"{one.voice}: “{one.phrase.text}”, heard “{one.text}”, {one.act or 'an edit'}" for one in heard if not one.right]
    share = right / max(len(heard), 1)
    notes = [f"Through the microphone not known: {'; '.join(missed[:12])}."] if missed else []
    notes += [f"Done, but not said: {one.voice}: “{one.phrase.text}”, heard “{one.text}”, {one.act}." for one in wrong]
    return Result(f"{share:.1%} of {len(heard)} right, {len(wrong)} wrong acts", share >= 0.93 and not wrong, notes)


def speak_in(world: World, room: int, waiting: queue.SimpleQueue) -> list[Heard]:
    """Speaks what is `waiting` into a microphone, and tells what became of it."""
    repo = world.repository(f"spoken-into-{room}", {**sample_site(), "pricing.html": b"<h1>Pricing</h1>\n"})
    there = Microphone(world, f"room-{room}")
    heard: list[Heard] = []
    try:
        with Server(world, repo) as server:
            while True:
                try:
                    (phrase, voice), clip = waiting.get_nowait()
                except queue.Empty:
                    return heard
                data = there.say(world, repo, clip)
                one = Heard(phrase, voice, text=data.get("text", ""), sure=data.get("sure", ""))
                one.readings = (data.get("heard") or {}).get("readings", [])
                heard.append(one)
                for open_one in server.call("GET", "/api/proposals"):
                    if open_one.get("state") == "open":
                        server.call("POST", f"/api/proposals/{open_one['id']}/reject", {})
    finally:
        there.close()


def beside_publisher(world: World, venv: Path, table: Path = TABLE) -> Result:
    """Word errors and time of the same clips in the publisher's own library, right after ours."""
    if not (venv / "ready").exists():
        raise Missing("the publisher's library could not be installed")
    voices = ("flite slt", "flite rms", "flite awb", "espeak en-us")
    chosen = [phrase for phrase in phrases(table) if phrase.kind in ("control", "edit")]
    rows = [Heard(phrase, voice) for phrase in chosen for voice in voices][::2]
    folder = spoken_folder()
    clips = [speak(folder, one.phrase.text, one.voice) for one in rows]
    script = Path(__file__).with_name("publisher.py")
    process = subprocess.Popen(
        [str(venv / "bin" / "python"), str(script), str(clips[0])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    ours: list[float] = []
    theirs: list[float] = []
    kinds: list[str] = []
    errors = Counter()
    words = 0
    repo = world.repository("beside", sample_site())
    try:
        with Server(world, repo) as server:
            for turn, (one, clip) in enumerate(zip(rows, clips)):
                sound = clip.read_bytes()
                instruction = server.speak(sound, "preview")
                event, _ = server.wait("transcript", instruction=instruction)
                settle(server, instruction)
                process.stdin.write(f"default\t{clip}\n")
                process.stdin.flush()
                answer = json.loads(process.stdout.readline())
                if turn >= 3:
                    ours.append(event["data"]["ms"])
                    theirs.append(answer["ms"])
                    kinds.append(one.phrase.kind)
                wanted = plain(one.phrase.text)
                words += len(wanted)
                errors["ours"] += distance(plain(event["data"]["text"]), wanted)
                errors["theirs"] += distance(plain(answer["text"]), wanted)
    finally:
        process.stdin.close()
        process.wait(10)
    ratio = median(ours) / median(theirs)
    rate = {name: errors[name] / max(words, 1) for name in ("ours", "theirs")}
    measured = f"{ratio:.2f} × its {median(theirs):.0f} ms; {rate['ours']:.1%} of words wrong, its {rate['theirs']:.1%} ({len(rows)} clips)"
    notes = []
    for kind, name in (("control", "control phrases"), ("edit", "edits")):
        pairs = [(a, b) for a, b, of in zip(ours, theirs, kinds) if of == kind]
        if pairs:
            a, b = (median([pair[at] for pair in pairs]) for at in (0, 1))
            notes.append(f"{name}: {a:.0f} ms, its {b:.0f} ms ({a / b:.2f} ×)")
    return Result(
        measured, ratio <= 0.6 and rate["ours"] <= rate["theirs"], [f"Of the clips {' · '.join(notes)}."] if notes else []
    )


def settle(server: Server, instruction: str) -> None:
    """Waits until the instruction has come to rest, and lets nothing come of it."""
    for event, _ in server.events():
        if event.get("instruction") != instruction:
            continue
        data = event["data"]
        if event["type"] == "intent" and "question" in data:
            server.call("POST", f"/api/instructions/{instruction}/answer", {"yes": False})
        if event["type"] == "proposal":
            server.call("POST", f"/api/proposals/{event['proposal']}/reject", {})
        done = event["type"] == "intent" and data["intent"]["kind"] == "control"
        if done or event["type"] in ("error", "rejected"):
            return


def plain(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text.lower().replace("'", "")).split()


def distance(one: list[str], other: list[str]) -> int:
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sayso", type=Path, required=True, help="the release build")
    parser.add_argument("--table", type=Path, default=TABLE, help="the phrases, instead of the built-in ones")
    parser.add_argument("--voice", action="append", help="a voice instead of the usual ones; repeatable")
    parser.add_argument("--venv", type=Path, help="where the publisher's library is installed")
    parser.add_argument("--dump", type=Path, help="write what was heard of every clip, one JSON object a line")
    parser.add_argument("--only-microphone", action="store_true", help="nothing but the virtual microphone")
    parser.add_argument("--no-microphone", action="store_true", help="leave the virtual microphone out")
    args = parser.parse_args()
    world = World(args.sayso.resolve())
    try:
        if args.only_microphone:
            result = microphone(world, args.table, args.voice)
            print(result.measured, *result.notes, sep="\n")
            return
        done = Pass(world, args.table, args.voice)
        if args.dump:
            args.dump.write_text("".join(json.dumps(dataclasses.asdict(one)) + "\n" for one in done.heard))
        rows = [("control phrases", controls(done)), ("edits: free / hostile short", edits(done)), ("without words", wordless(done))]
        from calibration import calibration  # It uses what is above.

        print(calibration(done), flush=True)
        if not args.no_microphone:
            rows.append(("virtual microphone", microphone(world, args.table)))
        if args.venv:
            rows.append(("beside the publisher", beside_publisher(world, args.venv, args.table)))
    finally:
        world.close()
    print()
    for what, result in rows:
        print(f"{what}: {result.measured}; {'met' if result.met else 'NOT met'}")
        for note in result.notes:
            print(f"  - {note}")


if __name__ == "__main__":
    main()
