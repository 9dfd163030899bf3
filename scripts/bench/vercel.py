"""Deployments to a scripted Vercel on this machine: how soon LIVE is said, and what is sent."""

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from api import Server
from world import Result, World, median, spread

RUNS = 15
PROJECT = "prj_bench"
BUILDS = 0.3  # seconds from the creation until the aliases are assigned


class Scripted:
    """Vercel's API as its SDK describes it, as far as a deployment goes, and the site that it serves."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.files: dict[str, bytes] = {}
        self.deployments: list[dict] = []
        self.bodies = 0
        self.said: float | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.get(self)

            def do_POST(self) -> None:
                outer.post(self)

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def show(self, deployment: dict) -> dict:
        live = deployment["live"]
        return {
            "id": deployment["id"],
            "uid": deployment["id"],
            "url": f"{self.url}/d/{deployment['id']}",
            "alias": [self.url],
            "meta": deployment["meta"],
            "target": "production",
            "createdAt": deployment["at"],
            "created": deployment["at"],
            "readyState": "READY" if live else "BUILDING",
            "aliasAssigned": live,
            "aliasError": None,
        }

    def find(self, name: str) -> dict | None:
        if name == self.host:
            return next((one for one in reversed(self.deployments) if one["live"]), None)
        return next((one for one in self.deployments if one["id"] == name), None)

    def get(self, call: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(call.path).path.strip("/").split("/")
        match parts:
            case [""] | ["d", _] as place:
                with self.lock:
                    one = self.find(self.host if place == [""] else parts[1])
                reply(call, 200 if one else 404, one["page"] if one else b"NOT_FOUND", "text/html")
            case ["v13", "deployments", name]:
                with self.lock:
                    one = self.find(name)
                    shown = self.show(one) if one else None
                tell(call, 200 if shown else 404, shown or error("not_found"))
            case ["v7", "deployments"]:
                with self.lock:
                    rows = [self.show(one) for one in reversed(self.deployments)]
                tell(call, 200, {"deployments": rows})
            case ["v9", "projects", _]:
                tell(call, 200, {"id": PROJECT, "name": "bench", "autoAssignCustomDomains": True})
            case ["v3", "deployments", name, "events"]:
                self.follow(call, name)
            case _:
                tell(call, 404, error("not_found"))

    def follow(self, call: BaseHTTPRequestHandler, name: str) -> None:
        """The build's log; its last line says that the aliases are assigned."""
        call.send_response(200)
        call.send_header("Content-Type", "application/stream+json")
        call.send_header("Connection", "close")
        call.end_headers()
        call.close_connection = True
        time.sleep(BUILDS)
        line = json.dumps({"type": "alias-assigned", "alias": [self.url], "aliasError": None}) + "\n"
        with self.lock:
            one = self.find(name)
            one["live"] = True
            self.said = time.monotonic()
        call.wfile.write(line.encode())

    def post(self, call: BaseHTTPRequestHandler) -> None:
        body = call.rfile.read(int(call.headers.get("Content-Length", 0)))
        match urlsplit(call.path).path.strip("/").split("/"):
            case ["v2", "files"]:
                with self.lock:
                    self.bodies += 1
                    self.files[hashlib.sha1(body).hexdigest()] = body
                tell(call, 200, {})
            case ["v13", "deployments"]:
                tell(call, *self.create(json.loads(body)))
            case _:
                tell(call, 404, error("not_found"))

    def create(self, body: dict) -> tuple[int, dict]:
        with self.lock:
            missing = sorted({file["sha"] for file in body["files"]} - self.files.keys())
            if missing:
                return 400, {"error": {"code": "missing_files", "message": "Missing files", "missing": missing}}
            page = next(self.files[file["sha"]] for file in body["files"] if file["file"] == "index.html")
            one = {
                "id": f"dpl_{len(self.deployments) + 1}",
                "meta": body["meta"],
                "page": page,
                "live": False,
                "at": int(time.time() * 1000),
            }
            self.deployments.append(one)
            return 200, self.show(one)


def error(code: str) -> dict:
    return {"error": {"code": code, "message": code}}


def tell(call: BaseHTTPRequestHandler, status: int, body: dict) -> None:
    reply(call, status, json.dumps(body).encode(), "application/json")


def reply(call: BaseHTTPRequestHandler, status: int, body: bytes, kind: str) -> None:
    call.send_response(status)
    call.send_header("Content-Type", kind)
    call.send_header("Content-Length", str(len(body)))
    call.end_headers()
    call.wfile.write(body)


class Pass:
    """Some deployments of a changing site, then one of an unchanged one."""

    def __init__(self, world: World) -> None:
        self.beyond: list[float] = []
        self.probes: list[float] = []
        vercel = Scripted()
        try:
            repo = world.repository("vercel", {**site(0), **{f"img/{n}.svg": picture(n) for n in range(100)}})
            env = world.without_model() | {
                "SAYSO_DEPLOY__TARGET": "vercel",
                "SAYSO_DEPLOY__VERCEL__URL": vercel.url,
                "VERCEL_API_URL": vercel.url,
                "VERCEL_TOKEN": "token of the benchmark",
                "VERCEL_PROJECT_ID": PROJECT,
            }
            with Server(world, repo, env) as server:
                for run in range(RUNS + 1):
                    if run:
                        for path, content in site(run).items():
                            (repo / path).write_bytes(content)
                        world.commit(repo, f"Run {run}")
                    self.one(server, vercel, run > 0)
                self.all = len(vercel.files)
                vercel.bodies = 0
                # Another commit of the same files, and the same commit once more.
                world.git(repo, "commit", "--quiet", "--allow-empty", "-m", "Nothing new")
                self.one(server, vercel, False)
                self.unchanged = vercel.bodies
        finally:
            vercel.close()

    def one(self, server: Server, vercel: Scripted, counts: bool) -> None:
        vercel.said = None
        deployment = server.call("POST", "/api/sync/deploy", {})["deployment"]
        probe = 0.0
        for event, at in server.events():
            if event.get("deployment") != deployment:
                continue
            if event["type"] == "health" and event["data"]["ok"]:
                probe = event["data"]["ms"]
            elif event["type"] == "deploy_complete":
                break
            elif event["type"] in ("deploy_error", "canceled"):
                raise RuntimeError(f"it did not go live: {event['data']}")
        if vercel.said is None:
            raise RuntimeError("it is called live, and the aliases are not assigned")
        if counts:
            self.beyond.append((at - vercel.said) * 1000 - probe)
            self.probes.append(probe)


def site(run: int) -> dict[str, bytes]:
    return {
        "index.html": f"<h1>Run {run}</h1>\n".encode(),
        "style.css": f"h1 {{ order: {run} }}\n".encode(),
    }


def picture(number: int) -> bytes:
    return f"<svg><text>{number}</text></svg>\n".encode()


def aliases_to_live(done: Pass) -> Result:
    note = (
        f"Vercel is a script on this machine. The clock starts when it says that the aliases are assigned and ends when the "
        f"`deploy_complete` event is at the client; our own probe of the site took {median(done.probes):.0f} ms of that, which are "
        "taken off. The page of the deployment's own address and whose the address is are asked at the same time."
    )
    return Result(spread(done.beyond), median(done.beyond) <= 300, [note])


def unchanged(done: Pass) -> Result:
    return Result(f"{done.unchanged} bodies ({done.all} different files there)", done.unchanged == 0)
