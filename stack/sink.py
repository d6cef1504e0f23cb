"""Sink: the webhook receiver at the end of every alerting path; it stamps each arrival on its own clock and keeps it.

`POST /hook/{token}/{receiver}` takes a notification (Alertmanager's or Grafana's body), `GET /arrivals/{token}?after=N` gives what
arrived after the N-th, `GET /ready` answers without a token. The token comes in the environment variable TOCSIN_SINK_TOKEN.
"""

import argparse
import errno
import hmac
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

MOST_BYTES = 4_000_000
"""The largest body that is taken; a larger one is answered 413."""


class Sink:
    """Arrivals, in order, in memory and as JSON lines on disk; a sink that is started again goes on where it was."""

    def __init__(self, token: str, arrivals: Path) -> None:
        self._token = token
        self.arrivals, whole = read_back(arrivals)
        self._file = arrivals.open("ab", buffering=0)
        if whole is not None:
            self._file.truncate(whole)

    def app(self) -> Starlette:
        """The sink as an ASGI application."""
        return Starlette(
            routes=[
                Route("/hook/{token}/{receiver}", self.receive, methods=["POST"]),
                Route("/arrivals/{token}", self.list, methods=["GET"]),
                Route("/ready", self.ready, methods=["GET"]),
            ]
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    async def receive(self, request: Request) -> Response:
        """Take one notification; 401 for a wrong token, 400 for a body that is not JSON, 413 for one too large."""
        t = time.time()
        if not self._knows(request):
            return PlainTextResponse("wrong token\n", status_code=401)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return PlainTextResponse(f"at most {MOST_BYTES} bytes are taken\n", status_code=413)
        try:
            payload = json.loads(bytes(body))
        except ValueError as error:
            return PlainTextResponse(f"not JSON: {error}\n", status_code=400)
        arrival = {"n": len(self.arrivals) + 1, "t": t, "receiver": request.path_params["receiver"], "body": payload}
        try:
            self._keep(json.dumps(arrival).encode() + b"\n")
        except OSError as error:
            # Not acknowledged, so the sender tries again: nothing is lost while the disk is full.
            return PlainTextResponse(f"cannot keep it: {error.strerror}\n", status_code=507)
        self.arrivals.append(arrival)
        return PlainTextResponse("taken\n")

    def _keep(self, line: bytes) -> None:
        """All of a line or nothing: a disk that is nearly full may take a part of it."""
        whole = self._file.tell()
        if self._file.write(line) < len(line):
            self._file.seek(self._file.truncate(whole))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def list(self, request: Request) -> Response:
        """Arrivals after the n-th, and the sink's own time."""
        if not self._knows(request):
            return PlainTextResponse("wrong token\n", status_code=401)
        try:
            after = max(0, int(request.query_params.get("after", "0")))
        except ValueError:
            return PlainTextResponse("`after` must be a whole number\n", status_code=400)
        return JSONResponse({"now": time.time(), "arrivals": self.arrivals[after:]})

    async def ready(self, _: Request) -> Response:
        """Always ready once it answers."""
        return PlainTextResponse("ready\n")

    def _knows(self, request: Request) -> bool:
        return hmac.compare_digest(request.path_params["token"].encode(), self._token.encode())


def read_back(arrivals: Path) -> tuple[list[dict[str, Any]], int | None]:
    """
    What an earlier sink kept in this file, and how much of the file is whole: a killed one may have torn its last line.

    Without it, numbers would begin anew, and whoever asks for what came after the N-th would miss the next N.
    """
    try:
        data = arrivals.read_bytes() if arrivals.is_file() else b""
    except OSError:
        return [], None
    whole = data.rfind(b"\n") + 1
    kept = [json.loads(line) for line in data[:whole].splitlines()]
    return kept, whole if whole < len(data) else None


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. Exit code 2 when it was started wrongly."""
    parser = argparse.ArgumentParser(prog="python -m stack.sink", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:9099", metavar="HOST:PORT")
    parser.add_argument("--arrivals", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    token = os.environ.get("TOCSIN_SINK_TOKEN", "")
    host, _, port = options.listen.rpartition(":")
    if not token or not port.isdigit():
        print("sink: needs TOCSIN_SINK_TOKEN in the environment and --listen HOST:PORT", file=sys.stderr)
        return 2
    # The access log would hold the token, which is part of the path.
    uvicorn.run(Sink(token, options.arrivals).app(), host=host, port=int(port), log_level="warning", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
