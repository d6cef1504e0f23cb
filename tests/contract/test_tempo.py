"""The Tempo stand-in against recorded exchanges with a real Tempo: the same input must give the same answers."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from stack.standins.tempo.api import Api
from stack.standins.tempo.exposition import Exposition
from stack.standins.tempo.generator import MetricsGenerator
from stack.standins.tempo.otlp import read_json
from stack.standins.tempo.settings import Generator, Queries, Storage
from stack.standins.tempo.store import Cap, Store

RECORDED = Path(__file__).parent / "tempo"
EXCHANGES = sorted(path.stem for path in RECORDED.glob("[!_]*.json"))
RECORDED_AT_NS = 1_795_511_282_000_000_000


@pytest.fixture(scope="module")
def application() -> ASGIApp:
    """The stand-in's API at the time of the recording, after the recorded input has been sent and flushed."""
    store = Store(Storage(max_idle_s=0, max_live_s=0), Cap())
    store.add(read_json((RECORDED / "_input-otlp.json").read_bytes()))
    store.flush()
    exposition = Exposition(store, MetricsGenerator(Generator()), {})
    api = Api(store, exposition, Queries(end_cutoff_ns=0), clock_ns=lambda: RECORDED_AT_NS)
    return api.application()


@pytest.mark.parametrize("name", EXCHANGES)
def test_answers_as_the_real_one_did(name: str, application: ASGIApp) -> None:
    """
    Status, content type and body are those of the recording, but for what differs from run to run on a real one too.
    """
    exchange = recorded(name)
    request, expected = exchange["request"], exchange["response"]

    answer = ask(application, request["path"], request["params"])

    assert (expected["status"], expected["content_type"]) == (
        answer.status_code,
        answer.headers.get("content-type", ""),
    )
    body: Any = answer.json() if isinstance(expected["body"], dict) else answer.text
    if name == "search-limit-1":
        expected["body"]["traces"] = [found(body["traces"][0]["traceID"])]
    assert comparable(expected["body"]) == comparable(body)


def test_each_answer_names_the_standin(application: ASGIApp) -> None:
    """
    A header on each answer, errors too, keeps the stand-in from being taken for the real one.
    """
    for path in ("/ready", "/api/search?q={", "/nowhere", "/api/traces/1"):
        assert ask(application, path).headers["x-tocsin-standin"] == "tempo"


def test_the_comparison_can_fail() -> None:
    """
    What `comparable` lets pass is only what it says: a changed name, type, code, count or order of samples is seen.
    """
    for name in ("search-error", "metrics-quantile", "trace-v2", "tags-v2", "buildinfo"):
        body = recorded(name)["response"]["body"]
        for changed in mutations(body):
            assert comparable(body) != comparable(changed), changed


def recorded(name: str) -> Any:
    """
    One recorded exchange.
    """
    return json.loads((RECORDED / f"{name}.json").read_text())


def found(trace_id: str) -> Any:
    """
    A trace of the recorded search for all: with a limit, which of several traces comes is not part of the contract.
    """
    return next(t for t in recorded("search-all")["response"]["body"]["traces"] if t["traceID"] == trace_id)


def ask(application: ASGIApp, path: str, parameters: dict[str, Any] | None = None) -> httpx.Response:
    """
    One request to the application, without a network.
    """

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://tempo") as client:
            return await client.get(path, params=parameters)

    return asyncio.run(get())


def comparable(value: Any, key: str = "") -> Any:
    """
    A body without what no two runs of a real Tempo share.

    Left out: inspected sizes, build details, which spans became exemplars (their labels' names are compared).
    Unordered, since the real one takes them from a hash map: the attributes of a found span, the labels of an exemplar,
    tag values, and traces that began at the same time.
    """
    if key in ("version", "goVersion"):
        return type(value).__name__
    if key == "exemplars":
        return sorted({label["key"] for exemplar in value for label in exemplar["labels"]})
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if name != "inspectedBytes"}
        return {
            name: comparable(item, name) for name, item in kept.items() if name != "exemplars" or "p" in labels(value)
        }
    if isinstance(value, list):
        items = [comparable(item) for item in value]
        unordered = key in ("attributes", "tagValues", "traces")
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if unordered else items
    return value


def labels(series: dict[str, Any]) -> set[str]:
    """
    The label names of a series.
    """
    return {label["key"] for label in series.get("labels", ()) if isinstance(label, dict) and "key" in label}


def mutations(value: Any) -> Iterator[Any]:
    """
    Copies of a body, each with one thing changed.
    """
    if isinstance(value, dict):
        for name, item in value.items():
            if name in ("inspectedBytes", "exemplars"):
                continue
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: changed} for changed in mutations(item) if name not in ("version", "goVersion"))
    elif isinstance(value, list) and value:
        yield value[1:]
        yield from ([changed, *value[1:]] for changed in mutations(value[0]))
    elif isinstance(value, str):
        yield value + "x"
        yield 1
    elif isinstance(value, int | float):
        yield value + 1
        yield str(value)
