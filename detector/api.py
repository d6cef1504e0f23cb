"""The HTTP side: health, metrics, and what is known of each series; it only reads, but for the reload."""

import dataclasses
import math
from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from detector.config_file import ConfigError
from detector.matrix import Labels
from detector.roster import series_id
from detector.service import Service
from detector.verdict import verdict
from detector.watcher import Watcher

Reload = Callable[[], Awaitable[None]]


def plain(value: Any) -> Any:
    """A value that JSON knows: numbers that are none become null."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def entry(watcher: Watcher, labels: Labels, slot: int) -> dict[str, Any]:
    """One series as the API shows it."""
    return {
        "id": series_id(watcher.watch.name, labels),
        "watch": watcher.watch.name,
        "signal": str(watcher.watch.kind),
        "labels": dict(labels),
        **dataclasses.asdict(verdict(watcher.bank, slot)),
    }


def detail(watcher: Watcher, labels: Labels, slot: int) -> dict[str, Any]:
    """One series with its model."""
    state, found = watcher.bank.state, watcher.bank.seasons.of(slot)
    model = {
        "alpha": float(state.alpha[slot]),
        "gamma": float(state.gamma[slot]),
        "level": float(state.level[slot]),
        "scale": float(state.scale[slot]),
        "season_s": found[0].period_s if found else None,
        "samples": int(state.seen[slot]),
        "missing": int(state.gap[slot]),
        "fitted_s": float(watcher.fitted_s[slot]),
    }
    return {**entry(watcher, labels, slot), "query": watcher.watch.query, "model": model}


class Api:
    """The handlers; `reload` is what a reload does."""

    def __init__(self, service: Service, reload: Reload) -> None:
        self.service, self.reload = service, reload

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/healthz", self.healthz),
                Route("/readyz", self.readyz),
                Route("/metrics", self.metrics),
                Route("/api/v1/series", self.series),
                Route("/api/v1/series/{id}", self.one),
                Route("/api/v1/anomalies", self.anomalies),
                Route("/-/reload", self.reloaded, methods=["POST"]),
            ]
        )

    async def healthz(self, _: Request) -> Response:
        """The process lives."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _: Request) -> Response:
        """Every watch has its history and can be read."""
        problems = {name: feed.problem or "reading history" for name, feed in self.service.feeds.items()}
        unready = {n: problems[n] for n, feed in self.service.feeds.items() if not feed.ready or feed.blind}
        return JSONResponse({"ready": not unready, "problems": unready}, status_code=503 if unready else 200)

    def metrics(self, request: Request) -> Response:
        """The metrics, in the format that was asked for; in a thread, so that no tick waits for it."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self.service.telemetry.registry), headers={"Content-Type": content_type})

    async def series(self, _: Request) -> Response:
        """All series, and those that were refused with the reason."""
        watchers = [watcher for watcher in self.service.watchers.values() if not watcher.busy]
        rows = [entry(one, labels, slot) for one in watchers for labels, slot in one.roster.slots.items()]
        refused = [
            {"watch": one.watch.name, "labels": dict(labels), "reason": why}
            for one in watchers
            for labels, why in one.roster.refused.items()
        ]
        return JSONResponse(plain({"series": rows, "refused": refused}))

    async def one(self, request: Request) -> Response:
        """One series with its model."""
        wanted = request.path_params["id"]
        for watcher in self.service.watchers.values():
            if not watcher.busy and (found := watcher.find(wanted)):
                return JSONResponse(plain(detail(watcher, *found)))
        return JSONResponse({"error": f"no series {wanted!r}; /api/v1/series lists them"}, status_code=404)

    async def anomalies(self, _: Request) -> Response:
        """The active alerts."""
        return JSONResponse(plain({"anomalies": [alert.as_dict() for alert in self.service.book.active.values()]}))

    async def reloaded(self, _: Request) -> Response:
        """Read the configuration again; a bad one is refused and the old one stays."""
        try:
            await self.reload()
        except ConfigError as error:
            return PlainTextResponse(f"the old configuration stays:\n{error}\n", status_code=400)
        return PlainTextResponse("reloaded\n")
