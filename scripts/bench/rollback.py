"""Going back on the local host, while visitors come: how soon the old bytes are served, and whether any request fails."""

import http.client
import multiprocessing
import socket
import threading
import time
from urllib.parse import urlsplit

from api import PATIENCE, Server
from world import Result, World, median, spread

BACK_AND_FORTH = 20
VISITORS = 200  # requests a second beside the rollbacks
VISITING = 4  # connections that they come on

SWITCHES = 100
STORM = 10_000  # requests a second during the switches
STORMING = 2  # programs that they come from
BATCH = 50  # requests on the way at once

BODY = 600


class Pair:
    """Two releases of one page, each of one letter only: whatever is torn or mixed shows."""

    def __init__(self, world: World, name: str) -> None:
        self.repo = world.repository(name, {"index.html": b"a" * BODY})
        env = world.without_model() | {"SAYSO_DEPLOY__LOCAL__NOTICE": "false", "SAYSO_HEALTH__WATCH": "0s"}
        self.server = Server(world, self.repo, env)
        self.releases: list[str] = []
        for letter in (b"a", b"b"):
            if letter == b"b":
                (self.repo / "index.html").write_bytes(letter * BODY)
                world.commit(self.repo, "The other letter")
            deployment = self.server.call("POST", "/api/sync/deploy", {})["deployment"]
            done, _ = self.server.wait("deploy_complete", deployment=deployment)
            self.releases.append(done["data"]["release"])
        self.host = urlsplit(done["data"]["url"]).netloc

    def letters(self) -> dict[str, bytes]:
        return dict(zip(self.releases, (b"a", b"b")))

    def turn(self, to: str) -> None:
        self.server.call("POST", "/api/environments/production/rollback", {"to": to})


def check(release: str | None, status: int, body: bytes, letters: dict[str, bytes]) -> None:
    letter = letters.get(release or "")
    if status != 200 or letter is None or body != letter * BODY:
        raise RuntimeError(f"answered {status} by {release}: {body[:40]!r}, {len(body)} bytes")


class Visitors:
    """Requests at a steady pace on connections that stay open; every answer is looked at."""

    def __init__(self, pair: Pair) -> None:
        self.pair, self.letters = pair, pair.letters()
        self.over = threading.Event()
        self.count, self.failures = 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.visit) for _ in range(VISITING)]
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()

    def visit(self) -> None:
        connection = http.client.HTTPConnection(self.pair.host, timeout=PATIENCE)
        due = time.monotonic()
        while not self.over.is_set():
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                check(answer.getheader("x-sayso-release"), answer.status, answer.read(), self.letters)
            except Exception as error:
                with self.lock:
                    self.failures.append(str(error))
                connection.close()
            with self.lock:
                self.count += 1
            due += VISITING / VISITORS
            time.sleep(max(0.0, due - time.monotonic()))
        connection.close()

    def end(self) -> float:
        """Requests a second."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        return self.count / (time.monotonic() - self.began)


def to_old_bytes(world: World) -> Result:
    pair = Pair(world, "rollback")
    times: list[float] = []
    with pair.server:
        visitors = Visitors(pair)
        try:
            watcher = http.client.HTTPConnection(pair.host, timeout=PATIENCE)
            for run in range(BACK_AND_FORTH):
                to = pair.releases[run % 2]
                # Another thread asks to go back; this one looks at what is served until it is the old one.
                asking = threading.Thread(target=pair.turn, args=(to,))
                began = time.monotonic()
                asking.start()
                while True:
                    watcher.request("GET", "/")
                    answer = watcher.getresponse()
                    served = answer.getheader("x-sayso-release")
                    check(served, answer.status, answer.read(), pair.letters())
                    if served == to:
                        break
                times.append((time.monotonic() - began) * 1000)
                asking.join()
                time.sleep(0.05)
            watcher.close()
        finally:
            rate = visitors.end()
    failed = len(visitors.failures)
    said = f"{spread(times, 1)}, {failed} of {visitors.count} requests failed at {rate:.0f}/s"
    notes = [f"Failed requests: {'; '.join(visitors.failures[:3])}"] if failed else []
    return Result(said, median(times) <= 50 and failed == 0, notes)


def storm(host: str, letters: dict[bytes, bytes], over, results) -> None:
    """Asks and asks, several questions on the way at once, at its share of the pace."""
    name, port = host.rsplit(":", 1)
    ask = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() * BATCH
    count, failure = 0, None
    try:
        with socket.create_connection((name, int(port)), timeout=PATIENCE) as stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            left = b""
            due = time.monotonic()
            while not over.is_set():
                stream.sendall(ask)
                for _ in range(BATCH):
                    while (end := left.find(b"\r\n\r\n")) < 0 or len(left) < end + 4 + BODY:
                        more = stream.recv(256 * 1024)
                        if not more:
                            raise RuntimeError("the connection was closed")
                        left += more
                    head, body = left[:end], left[end + 4 : end + 4 + BODY]
                    left = left[end + 4 + BODY :]
                    at = head.index(b"x-sayso-release: ") + 17
                    letter = letters[head[at:].split(b"\r\n", 1)[0]]
                    if not head.startswith(b"HTTP/1.1 200") or body.count(letter) != BODY:
                        raise RuntimeError(f"torn: {head[:60]!r} {body[:40]!r}")
                    count += 1
                due += BATCH * STORMING / STORM
                time.sleep(max(0.0, due - time.monotonic()))
    except Exception as error:
        failure = str(error)
    results.put((count, failure))


def under_storm(world: World) -> Result:
    pair = Pair(world, "storm")
    letters = {release.encode(): letter for release, letter in pair.letters().items()}
    over, results = multiprocessing.Event(), multiprocessing.Queue()
    with pair.server:
        programs = [
            multiprocessing.Process(target=storm, args=(pair.host, letters, over, results)) for _ in range(STORMING)
        ]
        for program in programs:
            program.start()
        time.sleep(0.5)
        began = time.monotonic()
        for number in range(SWITCHES):
            pair.turn(pair.releases[number % 2])
            # A storm of some seconds at least.
            time.sleep(max(0.0, began + (number + 1) * 0.05 - time.monotonic()))
        took = time.monotonic() - began
        over.set()
        told = [results.get(timeout=PATIENCE) for _ in programs]
        for program in programs:
            program.join()
    count = sum(count for count, _ in told)
    failures = [failure for _, failure in told if failure]
    rate = count / (took + 0.5)
    said = f"{len(failures)} errors in {count} requests, {rate:.0f}/s during {SWITCHES} switches in {took:.1f} s"
    return Result(said, not failures and rate >= STORM * 0.97, failures)


ROWS = (
    (
        f"rollback on the local host → the old bytes are served, under {VISITORS} requests/s",
        "≤ 50 ms, 0 failed requests",
        to_old_bytes,
    ),
    (
        "10,000 requests/s during 100 switches back and forth, every answer looked at",
        "no error, no torn body",
        under_storm,
    ),
)
