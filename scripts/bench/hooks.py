"""How long it takes from a webhook to its event on every open event stream."""

import hashlib
import hmac
import http.client
import json
import queue
import threading
import time
from urllib.parse import urlsplit

from api import PATIENCE, Server
from world import Result, World, median, sample_site, spread

STREAMS = 16
RUNS = 50
SECRET = "a secret of the benchmark"


def webhook_to_streams(world: World) -> Result:
    repo = world.repository("hooks", sample_site())
    env = {**world.without_model(), "SAYSO_WEBHOOK_SECRET": SECRET}
    with Server(world, repo, env) as server:
        address = urlsplit(f"http://{server.http.host}:{server.http.port}").netloc
        came: queue.Queue = queue.Queue()
        for _ in range(STREAMS):
            ready = threading.Event()
            threading.Thread(target=listen, args=(address, server.token, came, ready), daemon=True).start()
            if not ready.wait(PATIENCE):
                raise RuntimeError("an event stream did not open")
        times = []
        for number in range(RUNS):
            began = time.monotonic()
            deliver(address, f"bench-{number}")
            arrivals = [came.get(timeout=PATIENCE) for _ in range(STREAMS)]
            wrong = [name for name, _ in arrivals if name != f"bench-{number}"]
            if wrong:
                raise RuntimeError(f"an event came in another order: {wrong}")
            times.append((max(at for _, at in arrivals) - began) * 1000)
            time.sleep(0.02)
    note = f"Webhook: from before the request until the last of {STREAMS} streams had the event."
    return Result(spread(times, 1), median(times) <= 20, [note])


def deliver(address: str, name: str) -> None:
    body = json.dumps({"kind": "bench", "message": name}).encode()
    sent = str(int(time.time()))
    signed = hmac.new(SECRET.encode(), f"{name}.{sent}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Sayso-Delivery": name,
        "X-Sayso-Timestamp": sent,
        "X-Sayso-Signature": f"sha256={signed}",
    }
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        connection.request("POST", "/api/webhooks/generic", body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"the webhook was answered {answer.status}: {text}")
    finally:
        connection.close()


def listen(address: str, token: str, came: queue.Queue, ready: threading.Event) -> None:
    """One event stream: the names of the deliveries in it, with the moment at which each was here."""
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    connection.request("GET", "/api/realtime-sync", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    ready.set()
    try:
        while line := answer.readline():
            if line.startswith(b"data:"):
                now = time.monotonic()
                event = json.loads(line[5:])
                if isinstance(event, dict) and event.get("data", {}).get("kind") == "bench":
                    came.put((event["data"]["delivery"], now))
    except OSError:
        pass  # the server has ended
