"""The offline edit engine: index and instruction on a site of 1,000 files, and the whole `sayso say` process."""

import json
import subprocess
import time
from pathlib import Path

from api import Server
from world import Result, World, median, sample_site, spread

COLD_RUNS = 7
WARM_RUNS = 8
PROCESS_RUNS = 21

INSTRUCTIONS = [
    "change the homepage headline to 'Seeds of {run}'",
    "rename the 'Visit us' button to 'Come by {run}'",
    "in the footer change 'Open all year' to 'Open in {run}'",
    "set the page title to 'Garden {run}'",
    "on /pages/042 change the headline to 'Bed of {run}'",
    "make the footer background #0{run:02}9a0",
    "point the Catalogue link at /catalogue-{run}.html",
    "add a 'News {run}' link to the footer linking to /news-{run}.html",
    "change the phone number to +44 20 7946 0{run:03}",
    "change 'Seedlings of bed 77' to 'Seedlings of bed {run}'",
    "remove the newsletter section",
    "change the copyright text to '© Garden {run}'",
]


def thousand_files() -> dict[str, bytes]:
    """Pages with a shared shape, styles, scripts, data, posts and pictures: 1,000 files, five megabytes."""
    files: dict[str, bytes] = {}
    text = "Seedlings want light, water and a little patience. " * 30

    def page(title: str, headline: str, body: str) -> bytes:
        return (
            f'<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n'
            '  <link rel="stylesheet" href="/css/main.css">\n</head>\n<body>\n'
            '  <nav>\n    <ul>\n      <li><a href="/index.html">Home</a></li>\n'
            '      <li><a href="/pages/001.html">Beds</a></li>\n    </ul>\n  </nav>\n'
            f"  <main>\n    <h1>{headline}</h1>\n{body}  </main>\n</body>\n</html>\n"
        ).encode()

    files["index.html"] = page(
        "Garden",
        "Plants with patience",
        '    <a class="button" href="/visit.html">Visit us</a>\n    <a href="/catalogue.html">Catalogue</a>\n'
        '    <section class="newsletter">\n      <h2>Letters</h2>\n      <p>Four a year.</p>\n    </section>\n'
        "  <footer>\n    <p>Open all year</p>\n    <p>+44 20 7946 0000</p>\n"
        '    <ul>\n      <li><a href="/imprint.html">Imprint</a></li>\n'
        '      <li><a href="/press.html">Press</a></li>\n    </ul>\n'
        "    <p>&copy; 2024 Garden</p>\n  </footer>\n",
    )
    for number in range(1, 400):
        body = "".join(f"    <p>{text}{number}.{part}</p>\n" for part in range(4))
        files[f"pages/{number:03}.html"] = page(
            f"Bed {number}", f"Bed {number}", f"    <h2>Seedlings of bed {number}</h2>\n{body}"
        )
    for number in range(250):
        files[f"notes/{number:03}.md"] = (
            f"---\ntitle: Note {number}\n---\n\n# Note {number}\n\n" + f"{text}\n\n" * 3
        ).encode()
    files["css/main.css"] = b"body { margin: 0; }\nfooter { background: #eeeeee; color: #222; }\n.button { color: red; }\n"
    for number in range(99):
        files[f"css/{number:02}.css"] = "".join(
            f".bed-{number}-{rule} {{ color: green; padding: {rule}px; }}\n" for rule in range(60)
        ).encode()
    for number in range(100):
        files[f"js/{number:02}.js"] = "".join(
            f"export const bed{rule} = {{ id: {rule}, name: 'Bed {number}-{rule}' }};\n" for rule in range(60)
        ).encode()
    for number in range(50):
        rows = [{"id": row, "name": f"Plant {number}-{row}", "price": row} for row in range(60)]
        files[f"data/{number:02}.json"] = json.dumps(rows, indent=2).encode()
    for number in range(100):
        files[f"img/{number:02}.png"] = bytes((number * 31 + i * i) % 256 for i in range(4_000))
    assert len(files) == 1000, len(files)
    return files


def engine(server: Server, prompt: str) -> float:
    """What the engine itself took for an instruction, in milliseconds."""
    body = {"prompt": prompt, "action": "preview", "engine": "offline"}
    instruction = server.call("POST", "/api/voice-to-code", body)["instruction"]
    event, _ = server.wait("proposal", instruction=instruction)
    server.call("POST", f"/api/proposals/{event['proposal']}/reject", {})
    return event["data"]["engine_ms"]


def index_cold(world: World) -> Result:
    """The first instruction after the start: the whole index is made for it."""
    repo = world.repository("thousand-cold", thousand_files())
    times = []
    for run in range(COLD_RUNS):
        with Server(world, repo, world.without_model()) as server:
            times.append(engine(server, INSTRUCTIONS[run % 6].format(run=run)))
    return Result(spread(times), median(times) <= 300)


def instruction_warm(world: World) -> Result:
    """Every instruction once to warm up, then again with other words."""
    repo = world.repository("thousand-warm", thousand_files())
    times = []
    slowest: dict[str, float] = {}
    with Server(world, repo, world.without_model()) as server:
        for run in range(WARM_RUNS + 1):
            for said in INSTRUCTIONS:
                took = engine(server, said.format(run=run + 10))
                if run:
                    times.append(took)
                    slowest[said] = max(took, slowest.get(said, 0.0))
    times.sort()
    last = times[int(len(times) * 0.99)]
    worst = max(slowest, key=lambda said: slowest[said])
    return Result(
        f"{median(times):.1f} ms, 99th percentile {last:.1f} ms ({len(times)} instructions)",
        median(times) <= 10 and last <= 40,
        [f"Slowest warm instruction: {worst!r}, {slowest[worst]:.1f} ms."],
    )


def whole_process(world: World) -> Result:
    """`sayso say --action preview` from start to end, on the sample site."""
    repo = world.repository("said", sample_site())
    times = []
    for run in range(-2, PROCESS_RUNS):
        took = say(world, repo, f"change the headline to 'Welcome {run}'")
        if run >= 0:
            times.append(took)
    return Result(spread(times), median(times) <= 120)


def say(world: World, repo: Path, words: str) -> float:
    began = time.monotonic()
    done = subprocess.run(
        [str(world.sayso), "-C", str(repo), "say", "--engine", "offline", "--action", "preview", "--json", words],
        env=world.without_model(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    took = (time.monotonic() - began) * 1000
    if done.returncode or '"type":"proposal"' not in done.stdout:
        raise RuntimeError(f"sayso say ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}")
    return took


ROWS = [
    ("offline engine, site of 1,000 files: first instruction, index made for it", "≤ 300 ms", index_cold),
    ("offline engine, site of 1,000 files: instruction, index warm", "≤ 10 ms, 99th percentile ≤ 40 ms", instruction_warm),
    ("`sayso say --action preview`, whole process, sample site", "≤ 120 ms", whole_process),
]

if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sayso", type=Path, required=True, help="the release build")
    parser.add_argument("--only", type=int, action="append", help="measure only this row (1 to 3); repeatable")
    args = parser.parse_args()
    world = World(args.sayso.resolve())
    try:
        for number, (what, bar, run) in enumerate(ROWS, 1):
            if args.only and number not in args.only:
                continue
            result = run(world)
            print(f"| {what} | {result.measured} | {bar} | {'met' if result.met else 'not met'} |", flush=True)
            for note in result.notes:
                print(f"- {note}")
    finally:
        world.close()
