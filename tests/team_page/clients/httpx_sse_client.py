"""Follows an event stream with PyPI's httpx-sse and writes what it hears, one JSON object a line.

python3 httpx_sse_client.py URL TOKEN AFTER
"""

import json
import sys
import time

import httpx
from httpx_sse import SSEError, connect_sse


def say(told: dict) -> None:
    print(json.dumps(told), flush=True)


def main() -> None:
    url, token, cursor = sys.argv[1:]
    with httpx.Client(timeout=httpx.Timeout(60), trust_env=False) as client:
        while True:
            headers = {"Authorization": f"Bearer {token}"}
            if cursor:
                headers["Last-Event-ID"] = cursor
            try:
                with connect_sse(client, "GET", url, headers=headers) as source:
                    source.response.raise_for_status()
                    say({"open": True})
                    for event in source.iter_sse():
                        cursor = event.id
                        if event.event == "reset":
                            say({"reset": event.id})
                        elif event.event == "notice":
                            told = event.json()
                            message = json.dumps(told["data"]["message"], ensure_ascii=False)
                            say({"id": event.id, "seq": told["seq"], "message": message})
            except (httpx.HTTPError, SSEError):
                pass
            time.sleep(0.1)


main()
