"""A running `sayso serve` and its HTTP API, timed from outside as any client would."""

import http.client
import json
import subprocess
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from world import World

PATIENCE = 30.0


class Server:
    """`sayso serve` on a repository."""

    def __init__(self, world: World, repo: Path, env: dict[str, str] | None = None):
        self.log = open(world.dir / f"{repo.name}.log", "ab")
        self.process = subprocess.Popen(
            [str(world.sayso), "-C", str(repo), "serve"],
            env=env or world.env,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        try:
            endpoint = self._endpoint(world, repo)
        except BaseException:
            self.close()
            raise
        self.token = endpoint["token"]
        self.http = http.client.HTTPConnection(urlsplit(endpoint["url"]).netloc, timeout=PATIENCE)
        self.seq = int(self.call("GET", "/api/status")["cursor"].rsplit("-", 1)[1])

    def _endpoint(self, world: World, repo: Path) -> dict:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                said = Path(self.log.name).read_text(errors="replace")[-400:]
                raise RuntimeError(f"sayso serve ended with {self.process.returncode}: {said}")
            try:
                return json.loads((world.project(repo) / "server.json").read_bytes())
            except (OSError, RuntimeError, ValueError):
                time.sleep(0.01)
        raise RuntimeError("sayso serve did not write its address")

    def close(self) -> None:
        if getattr(self, "http", None):
            self.http.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def request(self, method: str, path: str, body: bytes | None, kind: str | None) -> dict | list:
        headers = {"Authorization": f"Bearer {self.token}"}
        if kind:
            headers["Content-Type"] = kind
        self.http.request(method, path, body, headers)
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {text.decode(errors='replace')}")
        return json.loads(text) if text else {}

    def call(self, method: str, path: str, body: dict | None = None) -> dict | list:
        if body is None:
            return self.request(method, path, None, None)
        return self.request(method, path, json.dumps(body).encode(), "application/json")

    def say(self, prompt: str, action: str = "deploy") -> str:
        return self.call("POST", "/api/voice-to-code", {"prompt": prompt, "action": action})["instruction"]

    def speak(self, wav: bytes, action: str = "deploy") -> str:
        mark = uuid.uuid4().hex
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="action"\r\n\r\n{action}\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n'
            "Content-Type: audio/wav\r\n\r\n"
        )
        body = head.encode() + wav + f"\r\n--{mark}--\r\n".encode()
        kind = f"multipart/form-data; boundary={mark}"
        return self.request("POST", "/api/voice-to-code", body, kind)["instruction"]

    def events(self):
        """Events as they come, each with the moment at which it was here. Ends after too long a silence."""
        while True:
            page = self.call("GET", f"/api/events?after={self.seq}&wait=20")
            now = time.monotonic()
            if not page["events"]:
                raise RuntimeError("no event came for 20 s")
            for event in page["events"]:
                self.seq = event["seq"]
                yield event, now

    def wait(self, *types: str, **fields: str) -> tuple[dict, float]:
        """The next event of one of `types` with these fields; a failure on the way is raised."""
        for event, at in self.events():
            if any(event.get(name) != value for name, value in fields.items()):
                continue
            if event["type"] in types:
                return event, at
            if event["type"] in ("error", "deploy_error"):
                raise RuntimeError(f"{event['type']}: {event['data'].get('message')}")
        raise RuntimeError("the events ended")

    def approve(self, proposal: str) -> dict:
        return self.call("POST", f"/api/proposals/{proposal}/approve", {"action": "deploy"})


def fetch(url: str, path: str = "/") -> str:
    """A page, on a connection of its own as a visitor's would be."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"GET {url}{path} answered {answer.status}")
        return body
    finally:
        connection.close()
