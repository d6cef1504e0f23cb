"""The demo app as real processes: its ledger, its faults, its leases, and how it ends."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.e2e.demo_app_bench import (
    DEADLINE_S,
    TOKEN,
    Collector,
    Process,
    Start,
    drive,
    eventually,
    plain,
    processes,
    start_shop,
)

pytestmark = pytest.mark.e2e

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
CART = {"user_id": 1, "items": [{"product_id": 1, "quantity": 2}]}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that remembers."""
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def start(collector: Collector, tmp_path: Path) -> Iterator[Start]:
    """Starts roles that export to that collector."""
    with processes(tmp_path, collector.url) as start:
        yield start


def gone() -> str:
    """The URL of a collector that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_the_ledger_balances(start: Start, collector: Collector) -> None:
    """
    Client, metric and server spans agree by route and status, through faults, to the last request before SIGTERM.
    """
    shop = start_shop(start)
    assert shop.catalog.fault("PUT", "errors", kind="errors", ratio=0.3, route="/api/products/<int:id>").status == 200
    assert shop.users.fault("PUT", "raised", kind="exception", ratio=0.2, route="/api/users").status == 200
    requests: list[tuple[str, str, Any]] = [
        *(("GET", f"/api/products/{number % 50 + 1}", None) for number in range(200)),
        *(("GET", "/api/users", None) for _ in range(100)),
        *(("GET", f"/api/users/{number}", None) for number in range(91, 111)),
        *(("POST", "/api/checkout", CART) for _ in range(60)),
    ]
    random.Random(7).shuffle(requests)

    sent = drive(shop.frontend, requests)

    assert [process.terminate()[0] for process in shop.all] == [0, 0, 0]
    assert sent[("GET", "/api/products/<int:id>", 502)] == 60
    assert sent[("GET", "/api/users", 502)] == 20
    assert sent[("GET", "/api/users/<int:id>", 404)] == 10
    assert collector.counted("frontend") == sent
    assert collector.traced("frontend") == sent
    catalog = Counter(
        {
            ("GET", "/api/products/<int:id>", 200): 140,
            ("GET", "/api/products/<int:id>", 500): 60,
            ("POST", "/api/reservations", 201): 60,
        }
    )
    assert collector.counted("catalog") == catalog
    assert collector.traced("catalog") == catalog
    users = Counter(
        {
            ("GET", "/api/users", 200): 80,
            ("GET", "/api/users", 500): 20,
            ("GET", "/api/users/<int:id>", 200): 10,
            ("GET", "/api/users/<int:id>", 404): 10,
            ("POST", "/api/charges", 201): 60,
        }
    )
    assert collector.counted("users") == users
    assert collector.traced("users") == users


def test_a_client_s_trace_goes_through_all_services(start: Start, collector: Collector) -> None:
    """
    Every span of an order is under the client's trace id, hangs together, and every resource says who it is.
    """
    shop = start_shop(start)
    headers = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
    shop.frontend.pool.request("POST", f"{shop.frontend.url}/api/checkout", json=CART, headers=headers)

    eventually(lambda: len(collector.spans) >= 12, "twelve spans have come")
    trace = [(resource, span) for resource, span in collector.spans if span.trace_id.hex() == TRACE_ID]

    assert len(trace) == len(collector.spans) == 12
    ids = {span.span_id for _, span in trace}
    outside = [span.name for _, span in trace if span.parent_span_id not in ids]
    assert outside == ["POST /api/checkout"]
    assert Counter(resource["service.name"] for resource, _ in trace) == {"frontend": 4, "catalog": 4, "users": 4}
    assert {resource["service.instance.id"] for resource, _ in trace} == {"test-frontend", "test-catalog", "test-users"}
    assert {resource["service.namespace"] for resource, _ in trace} == {"test"}


def test_logs_and_exemplars_lead_to_the_trace(start: Start, collector: Collector) -> None:
    """
    An exception is found from its log line, from its span and from the latency histogram alike, also over OTLP.
    """
    catalog = start("catalog")
    catalog.fault("PUT", kind="exception", type="ValueError")
    catalog.get("/api/products", headers={"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"})

    (point,) = eventually(lambda: collector.points("catalog", "http.server.request.duration"), "a duration has come")
    assert [exemplar.trace_id.hex() for exemplar in point.exemplars] == [TRACE_ID]
    (span,) = eventually(lambda: collector.server_spans("catalog"), "a span has come")
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert [plain(event.attributes)["exception.type"] for event in span.events] == ["ValueError"]
    failures = eventually(lambda: [log for _, log in collector.logs if log.trace_id], "a log record has come")
    assert [log.trace_id.hex() for log in failures] == [TRACE_ID]
    assert plain(failures[0].attributes)["exception.type"] == "ValueError"
    assert [line["trace_id"] for line in catalog.lines() if line["level"] == "error"] == [TRACE_ID]


def test_a_fault_ends_when_nobody_renews_it(start: Start) -> None:
    """
    Whoever broke it may be gone: within the longest lease the app is whole again.
    """
    catalog = start("catalog")
    assert catalog.fault("PUT", kind="errors", lease_s=1).status == 200
    assert catalog.get("/api/products").status == 500

    broken_at = time.monotonic()
    eventually(lambda: catalog.get("/api/products").status == 200, "the fault has ended", within_s=DEADLINE_S)

    assert time.monotonic() - broken_at >= 0.5


def test_healing_works_while_every_thread_hangs(start: Start) -> None:
    """
    The fault API has threads of its own, so a hang can be taken back, and everybody is served after all.
    """
    catalog = start("catalog", DEMO_THREADS="2")
    catalog.fault("PUT", kind="hang")
    answers: list[int] = []
    clients = [threading.Thread(target=lambda: answers.append(catalog.get("/api/products").status)) for _ in range(5)]
    for client in clients:
        client.start()
    listed = f"{catalog.fault_url}/faults"
    headers = {"Authorization": f"Bearer {TOKEN}"}

    def hung() -> bool:
        catalog.fault("PUT", kind="hang")
        (fault,) = catalog.pool.request("GET", listed, headers=headers).json()["faults"]
        return bool(fault["affected"] == 2)

    eventually(hung, "both threads hang")
    assert answers == []

    assert catalog.fault("DELETE").status == 204
    for client in clients:
        client.join(DEADLINE_S)
    assert answers == [200] * 5


def test_silent_telemetry_is_silent_and_comes_back(start: Start, collector: Collector) -> None:
    """
    The app serves on, exports nothing; healed, its counts include what was served meanwhile, its spans do not.
    """
    catalog = start("catalog")
    drive(catalog, [("GET", "/api/products", None)] * 5)
    eventually(lambda: sum(collector.counted("catalog").values()) == 5, "five requests are counted")
    eventually(lambda: len(collector.server_spans("catalog")) == 5, "five spans have come")

    catalog.fault("PUT", kind="telemetry_silent")
    silent_since = collector.exports.copy()
    assert drive(catalog, [("GET", "/api/products", None)] * 7) == {("GET", "/api/products", 200): 7}
    affected = eventually(lambda: _affected(catalog, kind="telemetry_silent", at_least=4), "exports were dropped")
    assert sum((collector.exports - silent_since).values()) <= 3, f"exports that were under way, of {affected} dropped"
    assert len(collector.server_spans("catalog")) == 5

    catalog.fault("DELETE")
    eventually(lambda: sum(collector.counted("catalog").values()) == 12, "twelve requests are counted")
    assert len(collector.server_spans("catalog")) == 5


def _affected(process: Process, *, at_least: int, **fault: Any) -> int:
    affected = int(process.fault("PUT", **fault).json()["affected"])
    return affected if affected >= at_least else 0


def test_one_silenced_signal_leaves_the_others(start: Start, collector: Collector) -> None:
    """
    Traces alone can fall silent: metrics go on.
    """
    catalog = start("catalog")
    catalog.fault("PUT", kind="telemetry_silent", signals=["traces"])
    drive(catalog, [("GET", "/api/products", None)] * 5)

    eventually(lambda: sum(collector.counted("catalog").values()) == 5, "five requests are counted")
    eventually(
        lambda: _affected(catalog, kind="telemetry_silent", signals=["traces"], at_least=1), "spans were dropped"
    )
    assert collector.spans == []


def test_a_leak_and_endless_labels_show_in_the_metrics(start: Start, collector: Collector) -> None:
    """
    Faults that work in the background are seen from outside.
    """
    catalog = start("catalog")

    def memory() -> float:
        points = collector.points("catalog", "process.memory.usage")
        return float(points[0].as_int) if points else 0.0

    before = eventually(memory, "memory is reported")
    while memory() < before + 60 * 2**20:
        leak = catalog.fault("PUT", "leak", kind="memory_leak", mib_per_s=256, cap_mib=64)
        labels = catalog.fault("PUT", "labels", kind="label_cardinality", per_s=100)
        assert (leak.status, labels.status) == (200, 200)
        time.sleep(0.1)

    eventually(lambda: len(collector.points("catalog", "shop.cart.events")) >= 20, "there are twenty series")


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1]])
def test_strangers_break_nothing(start: Start, token: str) -> None:
    """
    Without the token: 401, and everything goes on.
    """
    catalog = start("catalog")

    assert catalog.fault("PUT", token=token, kind="errors").status == 401
    assert catalog.get("/api/products").status == 200


def test_without_a_token_there_is_no_fault_api(start: Start) -> None:
    """
    Whoever sets nothing gets an app that cannot be broken, and that does not serve faults on its own port either.
    """
    catalog = start("catalog", DEMO_FAULT_TOKEN="")

    assert catalog.get("/faults").status == 404
    assert [line["message"] for line in catalog.lines() if "fault" in line["message"]] == []


def test_it_ends_well_without_its_collector(tmp_path: Path) -> None:
    """
    With nobody to export to, it serves, stops soon after SIGTERM with code 0, and complains but rarely.
    """
    with processes(tmp_path, gone()) as start:
        catalog = start("catalog")
        assert drive(catalog, [("GET", "/api/products", None)] * 50) == {("GET", "/api/products", 200): 50}

        code, took_s = catalog.terminate()

        assert code == 0
        assert took_s < 10
        complaints = [line["message"] for line in catalog.lines() if line["logger"].startswith("opentelemetry")]
        assert 1 <= len(complaints) < 15, complaints


def test_a_collector_that_never_answers_blocks_nobody(start: Start, collector: Collector) -> None:
    """
    Exporting happens elsewhere: requests are served meanwhile, and the end does not wait for it.
    """
    collector.answering.clear()
    catalog = start("catalog")

    assert drive(catalog, [("GET", "/api/products", None)] * 100) == {("GET", "/api/products", 200): 100}
    code, took_s = catalog.terminate()

    assert code == 0
    assert took_s < 10


def test_a_collector_that_comes_back_gets_it_all(start: Start, collector: Collector) -> None:
    """
    What happened while it was stalled is neither lost nor counted twice.
    """
    catalog = start("catalog")
    assert catalog.get("/health").status == 200
    collector.answering.clear()
    drive(catalog, [("GET", "/api/products", None)] * 20)

    collector.answering.set()
    eventually(lambda: sum(collector.counted("catalog").values()) == 20, "all are counted")
    eventually(lambda: len(collector.server_spans("catalog")) >= 20, "all spans have come")
    catalog.terminate()

    assert collector.counted("catalog") == collector.traced("catalog") == {("GET", "/api/products", 200): 20}


def test_sigterm_finishes_what_is_being_served(start: Start, collector: Collector) -> None:
    """
    A request that is under way is answered and counted, before the process ends.
    """
    catalog = start("catalog")
    catalog.fault("PUT", kind="latency", delay_s=0.5)
    answers: list[int] = []
    client = threading.Thread(target=lambda: answers.append(catalog.get("/api/products").status))
    client.start()
    eventually(lambda: _affected(catalog, kind="latency", delay_s=0.5, at_least=1), "the request is under way")

    assert catalog.terminate()[0] == 0
    client.join(DEADLINE_S)

    assert answers == [200]
    assert collector.counted("catalog") == collector.traced("catalog") == {("GET", "/api/products", 200): 1}


def test_sigterm_while_starting_is_no_failure(start: Start, tmp_path: Path) -> None:
    """
    Whoever changes their mind while it starts gets code 0 as well.
    """
    catalog = start("catalog")
    eventually((tmp_path / "catalog.sqlite").exists, "it is under way: it has made its database")

    assert catalog.terminate()[0] == 0


def test_a_second_sigterm_changes_nothing(start: Start, collector: Collector) -> None:
    """
    Impatience does not cut off the last export.
    """
    catalog = start("catalog")
    drive(catalog, [("GET", "/api/products", None)] * 5)
    for _ in range(3):
        catalog.process.terminate()

    assert catalog.process.wait(DEADLINE_S) == 0
    assert sum(collector.counted("catalog").values()) == 5


def test_a_frozen_process_goes_on_where_it_was(start: Start, collector: Collector) -> None:
    """
    Frozen and thawed, as a whole: the request that came meanwhile is served then, and counted once.
    """
    catalog = start("catalog")
    answers: list[int] = []
    url = catalog.url
    catalog.process.send_signal(signal.SIGSTOP)
    client = threading.Thread(
        target=lambda: answers.append(catalog.pool.request("GET", f"{url}/api/users", timeout=DEADLINE_S).status)
    )
    client.start()
    client.join(0.3)
    assert answers == []

    catalog.process.send_signal(signal.SIGCONT)
    client.join(DEADLINE_S)
    catalog.terminate()

    assert answers == [404]
    assert collector.traced("catalog") == {("GET", "", 404): 1}


def test_a_sampler_thins_out_traces_but_not_metrics(start: Start, collector: Collector) -> None:
    """
    The standard variables reach the SDK: without a client's say, no trace is kept here.
    """
    catalog = start("catalog", OTEL_TRACES_SAMPLER="always_off")
    drive(catalog, [("GET", "/api/products", None)] * 5)
    catalog.terminate()

    assert sum(collector.counted("catalog").values()) == 5
    assert collector.spans == []


def test_telemetry_can_be_switched_off(start: Start, collector: Collector) -> None:
    """
    OTEL_SDK_DISABLED: the shop works, nothing is sent.
    """
    shop = start_shop(start, OTEL_SDK_DISABLED="true")
    answer = shop.frontend.pool.request("POST", f"{shop.frontend.url}/api/checkout", json=CART)

    assert answer.status == 201
    assert [process.terminate()[0] for process in shop.all] == [0, 0, 0]
    assert collector.spans == []
    assert collector.metrics == {}


@pytest.mark.parametrize(
    ("environ", "code", "error"),
    [
        (
            {"DEMO_ROLE": "shop"},
            2,
            "demo_app: DEMO_ROLE: 'shop' cannot be used; allowed: one of frontend, catalog, users",
        ),
        ({"DEMO_ROLE": "catalog", "DEMO_HOST": "203.0.113.1"}, 1, "demo_app: cannot listen on 203.0.113.1:8000: "),
        (
            {"DEMO_ROLE": "catalog", "DEMO_PORT": "0", "DEMO_DATABASE": "/nowhere/x"},
            1,
            "demo_app: cannot use /nowhere/x: ",
        ),
    ],
)
def test_a_start_that_cannot_be_is_one_line(environ: dict[str, str], code: int, error: str) -> None:
    """
    A wrong setting is 2, a machine that will not have it is 1; the reason is on stderr, without a traceback.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "DEMO_"))}
    command = [sys.executable, "-m", "demo_app"]
    end = subprocess.run(
        command, env=inherited | environ, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )

    assert end.returncode == code
    assert end.stderr.splitlines()[-1].startswith(error)
    assert "Traceback" not in end.stderr


def test_span_kinds_are_as_many_as_calls(start: Start, collector: Collector) -> None:
    """
    Of a product asked through the frontend: two server spans, one call between them, one statement.
    """
    shop = start_shop(start)
    drive(shop.frontend, [("GET", "/api/products/1", None)] * 10)
    for process in shop.all:
        process.terminate()

    kinds = Counter((resource["service.name"], span.kind) for resource, span in collector.spans)
    assert kinds == {
        ("frontend", Span.SPAN_KIND_SERVER): 10,
        ("frontend", Span.SPAN_KIND_CLIENT): 10,
        ("catalog", Span.SPAN_KIND_SERVER): 10,
        ("catalog", Span.SPAN_KIND_CLIENT): 10,
    }
