"""Saves that go to a sandbox: how soon an open page reloads, and what watching costs while nothing happens."""

import http.client
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

from api import Server, fetch
from world import Result, World, median, sample_site, spread

RUNS = 15
WARM_UP = 3
FILES = 50_000
IDLE = 60.0

SETTINGS = b"""[watch]
settle = "0s"
batch = "0s"
[[environment]]
name = "sandbox"
"""


class Page:
    """An open page: it listens for another release, as the script in it does, and then loads anew."""

    def __init__(self, url: str):
        self.url = url
        self.http = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self.http.request("GET", "/__sayso/events")
        self.stream = self.http.getresponse()
        self.release()

    def release(self) -> None:
        while True:
            line = self.stream.readline()
            if not line:
                raise RuntimeError("the page's event stream ended")
            if b'"release"' in line:
                return

    def close(self) -> None:
        self.http.close()


def save_to_reload(world: World) -> Result:
    site = {**sample_site(), "sayso.toml": SETTINGS}
    repo = world.repository("saved", site)
    page = site["index.html"]
    times: list[float] = []
    with Server(world, repo, world.without_model()) as server:
        server.call("POST", "/api/watch", {"on": True})
        done, _ = server.wait("deploy_complete", environment="sandbox")
        url = done["data"]["url"]
        reader = Page(url)
        for run in range(-WARM_UP, RUNS):
            mark = f"<!-- save {run} -->"
            began = time.monotonic()
            (repo / "index.html").write_bytes(page.replace(b"</body>", mark.encode() + b"</body>"))
            reader.release()
            loaded = fetch(url)
            ended = time.monotonic()
            if mark not in loaded:
                raise RuntimeError(f"the reloaded page lacks {mark}")
            if run >= 0:
                times.append((ended - began) * 1000)
            # The deployment's own end is stored after the page was told.
            server.wait("deploy_complete", environment="sandbox")
        reader.close()
    return Result(spread(times), median(times) <= 300)


def seconds_used(pid: int) -> float:
    """Processor time of a process and of its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def large_tree(world: World) -> Result:
    files = {"index.html": b"<!doctype html><title>large</title>", "sayso.toml": SETTINGS}
    for number in range(FILES - len(files)):
        files[f"pages/{number // 50:04}/{number}.html"] = f"<p>{number}</p>".encode()
    repo = world.repository("large", files)
    ready: list[float] = []
    with Server(world, repo, world.without_model()) as server:
        # The first commit and the first deployment of so many files are another matter.
        server.call("POST", "/api/watch", {"on": True})
        server.wait("deploy_complete", environment="sandbox")
        for _ in range(5):
            server.call("POST", "/api/watch", {"on": False})
            began = time.monotonic()
            server.call("POST", "/api/watch", {"on": True})
            ready.append((time.monotonic() - began) * 1000)
        time.sleep(15)  # The new release is watched for its first seconds.
        before = seconds_used(server.process.pid)
        time.sleep(IDLE)
        share = (seconds_used(server.process.pid) - before) / IDLE
    return Result(
        f"ready after {spread(ready)}; {share:.2%} of a core over {IDLE:.0f} s",
        median(ready) <= 1000 and share <= 0.001,
    )
