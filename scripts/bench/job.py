"""The whole job, and a deployment of a larger site, through the API of a warm process."""

import time

from api import Server, fetch
from world import ROOT, Result, World, median, sample_site, spread

RUNS = 15
WARM_UP = 2

HEADLINE = b"<h1>Plants with patience</h1>"
SPOKEN = "Welcome to the garden"


class Laps:
    """Named times of several runs, in milliseconds, in the order in which they happen."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    def add(self, name: str, millis: float) -> None:
        self.times.setdefault(name, []).append(millis)

    def stages(self) -> str:
        return " · ".join(f"{name} {median(times):.0f}" for name, times in self.times.items() if name != "total")


def speech_to_live(world: World) -> Result:
    site = sample_site()
    repo = world.repository("spoken", site)
    wav = (ROOT / "assets" / "voice" / "demo.wav").read_bytes()
    laps = Laps()
    with Server(world, repo) as server:
        for run in range(-WARM_UP, RUNS):
            # The headline of before, and a tree that no release has been made of: nothing can be used again.
            page = site["index.html"].replace(b"</body>", f"<!-- {run} -->\n</body>".encode())
            (repo / "index.html").write_bytes(page)
            world.commit(repo, f"Run {run}")
            one_job(server, wav, laps if run >= 0 else Laps())
    total = laps.times["total"]
    notes = [
        f"Stages of the first row, medians in ms: {laps.stages()}. The clock starts when the recording is handed in; "
        "at a microphone 250 ms of sound after the release (`[voice] tail`) come before that."
    ]
    return Result(spread(total), median(total) <= 800, notes)


def one_job(server: Server, wav: bytes, laps: Laps) -> None:
    began = time.monotonic()
    instruction = server.speak(wav)
    handed = time.monotonic()
    _, heard = server.wait("transcript", instruction=instruction)
    _, meant = server.wait("intent", instruction=instruction)
    event, proposed = server.wait("proposal", instruction=instruction)
    approved = server.approve(event["proposal"])
    committed = time.monotonic()
    done, live = server.wait("deploy_complete", deployment=approved["deployment"])
    page = fetch(done["data"]["url"])
    fetched = time.monotonic()
    if f"<h1>{SPOKEN}</h1>" not in page:
        raise RuntimeError(f"the live page does not have the spoken headline: {page[:400]!r}")
    laps.add("hand in", (handed - began) * 1000)
    laps.add("transcribe", (heard - handed) * 1000)
    laps.add("understand", (meant - heard) * 1000)
    laps.add("propose", (proposed - meant) * 1000)
    laps.add("commit", (committed - proposed) * 1000)
    staged = 0
    for stage in ("queue", "fetch", "build", "upload", "activate", "verify"):
        if stage in done["data"]["stages"]:
            staged += done["data"]["stages"][stage]
            laps.add(f"deploy: {stage}", done["data"]["stages"][stage])
    laps.add("deploy: log and wake-ups", max(0.0, (live - committed) * 1000 - staged))
    laps.add("fetch back", (fetched - live) * 1000)
    laps.add("total", (fetched - began) * 1000)


def larger_site() -> dict[str, bytes]:
    """200 files: pages, styles, scripts and pictures, three megabytes together."""
    files: dict[str, bytes] = {}
    text = "Seedlings want light, water and a little patience. " * 80
    for number in range(150):
        name = "index.html" if number == 0 else f"pages/{number:03}.html"
        title = "Garden" if number == 0 else f"Bed {number}"
        files[name] = (
            f'<!doctype html>\n<html lang="en">\n<head><title>{title}</title></head>\n'
            f"<body>\n<h1>{title}</h1>\n<p>{text}{number}</p>\n</body>\n</html>\n"
        ).encode()
    for number in range(20):
        files[f"css/{number}.css"] = f".bed-{number} {{ color: green; }}\n".encode() * 60
        files[f"js/{number}.js"] = f"console.log({number});\n".encode() * 60
    for number in range(10):
        # No real picture: the host does not look inside.
        files[f"img/{number}.png"] = bytes((number * 31 + i * i) % 256 for i in range(200_000))
    assert len(files) == 200
    return files


def approve_to_live(world: World) -> Result:
    repo = world.repository("larger", larger_site())
    times: list[float] = []
    laps = Laps()
    first = 0.0
    with Server(world, repo, world.without_model()) as server:
        for run in range(RUNS + 1):
            headline = f"Spring fair {run + 1}"
            instruction = server.say(f"change the headline on the home page to {headline}")
            event, _ = server.wait("proposal", instruction=instruction)
            began = time.monotonic()
            approved = server.approve(event["proposal"])
            committed = time.monotonic()
            done, live = server.wait("deploy_complete", deployment=approved["deployment"])
            if headline not in fetch(done["data"]["url"]):
                raise RuntimeError(f"the live page does not have {headline!r}")
            if run == 0:
                first = (live - began) * 1000
                continue
            times.append((live - began) * 1000)
            laps.add("commit", (committed - began) * 1000)
            for stage, millis in done["data"]["stages"].items():
                laps.add(stage, millis)
    notes = [
        f"Stages of the 200-file site, medians in ms: {laps.stages()}. The first deployment of it, when every file "
        f"is new to the host, took {first:.0f} ms."
    ]
    return Result(spread(times), median(times) <= 150, notes)
