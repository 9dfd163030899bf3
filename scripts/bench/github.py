"""A commit of 200 files through GitHub's interface, against a stand-in for it on this machine."""

import http.client
import json
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from api import Server
from world import ROOT, Missing, Result, World, median, spread

RUNS = 11
FILES = 200
TOKEN = "ghp_bench"
SERVICES = ROOT / "tests" / "services"


class Hub:
    """The stand-in (npm package emulate) with an empty repository of the user ada."""

    def __init__(self) -> None:
        if not (SERVICES / "node_modules" / "emulate").is_dir():
            raise Missing("the stand-in for GitHub is not installed: scripts/setup.sh services")
        self.process = subprocess.Popen(
            ["node", "emulate.mjs"],
            cwd=SERVICES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        seed = {"github": {"users": [{"login": "ada"}], "repos": []}, "vercel": {}}
        print(json.dumps(seed), file=self.process.stdin, flush=True)
        self.url = json.loads(self.process.stdout.readline())["github"]
        self.http = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)

    def close(self) -> None:
        self.http.close()
        self.process.kill()
        self.process.wait()

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "bench", "Content-Type": "application/json"}
        self.http.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]!r}")
        return json.loads(text)

    def left(self) -> int:
        """Requests that are left to this token after this one."""
        headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "bench"}
        self.http.request("GET", "/user", None, headers)
        answer = self.http.getresponse()
        answer.read()
        return int(answer.headers["X-RateLimit-Remaining"])

    def repository(self, name: str, files: dict[str, str], person: dict | None, message: str) -> str:
        """A repository with one commit; the commit."""
        self.ask("POST", "/user/repos", {"name": name, "auto_init": True})
        own = f"/repos/ada/{name}"
        tree = self.ask("POST", f"{own}/git/trees", {"tree": entries(files)})["sha"]
        commit = {"message": message, "tree": tree, "parents": []}
        if person:
            commit |= {"author": person, "committer": person}
        made = self.ask("POST", f"{own}/git/commits", commit)["sha"]
        self.ask("PATCH", f"{own}/git/refs/heads/main", {"sha": made, "force": True})
        return made

    def bare(self, name: str, files: dict[str, str]) -> None:
        """The requests of a commit, and nothing else."""
        own = f"/repos/ada/{name}"
        head = self.ask("GET", f"{own}/git/ref/heads/main")["object"]["sha"]
        base = self.ask("GET", f"{own}/git/commits/{head}")["tree"]["sha"]
        tree = self.ask("POST", f"{own}/git/trees", {"base_tree": base, "tree": entries(files)})["sha"]
        commit = {"message": "Run", "tree": tree, "parents": [head]}
        made = self.ask("POST", f"{own}/git/commits", commit)["sha"]
        self.ask("PATCH", f"{own}/git/refs/heads/main", {"sha": made, "force": False})


def entries(files: dict[str, str]) -> list[dict]:
    return [{"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in files.items()]


def pages(run: int) -> dict[str, str]:
    line = "<p>Seedlings want light, water and a little patience.</p>\n"
    return {f"pages/{n:03}.html": f"<h1>Bed {n}, run {run}</h1>\n{line * 60}" for n in range(FILES)}


def commit(world: World) -> Result:
    hub = Hub()
    try:
        repo = world.repository("hubbed", {path: text.encode() for path, text in pages(-1).items()})
        date, name, mail = world.git(repo, "log", "-1", "--format=%aI%n%an%n%ae").split("\n")
        person = {"name": name, "email": mail, "date": date}
        there = hub.repository("hubbed", pages(-1), person, "The site\n")
        if there != world.git(repo, "rev-parse", "HEAD"):
            raise Missing("the stand-in made another commit than git")
        hub.repository("bare", pages(-1), None, "The site")
        world.git(repo, "remote", "add", "origin", "https://github.com/ada/hubbed.git")
        env = world.without_model() | {
            "SAYSO_VCS__COMMIT": "github",
            "SAYSO_GITHUB__API": hub.url,
            "GITHUB_PAT": TOKEN,
        }
        approved, whole, bare = measure(hub, world, repo, env)
    finally:
        hub.close()
    ratio = median(approved) / median(bare)
    return Result(
        f"{spread(approved)}, {ratio:.1f} × the bare requests' {median(bare):.0f} ms",
        max(median(approved), median(whole)) <= 1000 and ratio <= 1.5,
        [
            "The commit through GitHub is measured from the approval of 200 proposed files to the answer, with a clone: git makes the "
            "commit, GitHub makes the same one, and the clone's branch and index come along. `sayso commit`, which looks for what "
            f"was changed and proposes it first, takes {spread(whole)}, {median(whole) / median(bare):.1f} ×. The stand-in is on this "
            "machine and answers in milliseconds; the real service takes some hundred for each request."
        ],
    )


def requests(world: World) -> Result:
    """Counted by the stand-in itself: it tells how many are left of the limit."""
    hub = Hub()
    counted = {}
    try:
        first = {"index.html": "<h1>Start</h1>\n"}
        repo = world.repository("counted", {path: text.encode() for path, text in first.items()})
        date, name, mail = world.git(repo, "log", "-1", "--format=%aI%n%an%n%ae").split("\n")
        person = {"name": name, "email": mail, "date": date}
        if hub.repository("counted", first, person, "The site\n") != world.git(repo, "rev-parse", "HEAD"):
            raise Missing("the stand-in made another commit than git")
        world.git(repo, "remote", "add", "origin", "https://github.com/ada/counted.git")
        env = world.without_model() | {
            "SAYSO_VCS__COMMIT": "github",
            "SAYSO_GITHUB__API": hub.url,
            "GITHUB_PAT": TOKEN,
        }
        with Server(world, repo, env) as server:
            for count in (1, 20, 200):
                for number in range(count):
                    (repo / f"page-{count}-{number}.html").write_text(f"<h1>{number} of {count}</h1>\n")
                before = hub.left()
                server.call("POST", "/api/sync/commit", {"message": f"{count} files"})
                # The look at what is left is a request, too.
                counted[count] = before - hub.left() - 1
    finally:
        hub.close()
    met = counted[1] <= 5 and counted[20] <= 5 and counted[200] <= 8
    return Result(", ".join(str(counted[count]) for count in (1, 20, 200)), met)


def measure(hub: Hub, world: World, repo: Path, env: dict[str, str]) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of approved commits, of commits of the working tree, and of the bare requests, in turns."""
    approved: list[float] = []
    whole: list[float] = []
    bare: list[float] = []

    def changed(run: int) -> None:
        files = pages(1000 + run)
        began = time.monotonic()
        hub.bare("bare", files)
        bare.append((time.monotonic() - began) * 1000)
        for path, text in files.items():
            (repo / path).write_text(text)

    with Server(world, repo, env) as server:
        for run in range(RUNS + 1):
            changed(2 * run)
            event, _ = server.wait("proposal", instruction=server.say("commit that", "preview"))
            began = time.monotonic()
            server.call("POST", f"/api/proposals/{event['proposal']}/approve", {"action": "commit", "message": f"Run {run}"})
            approved.append((time.monotonic() - began) * 1000)
            changed(2 * run + 1)
            began = time.monotonic()
            server.call("POST", "/api/sync/commit", {"message": f"Run {run}"})
            whole.append((time.monotonic() - began) * 1000)
    head = hub.ask("GET", "/repos/ada/hubbed/git/ref/heads/main")["object"]["sha"]
    if head != world.git(repo, "rev-parse", "HEAD"):
        raise RuntimeError("GitHub and the clone differ")
    # The first time everything is cold.
    return approved[1:], whole[1:], bare[2:]
