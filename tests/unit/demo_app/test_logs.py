"""Log lines: readable by machines, joined to traces, and not too many of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from opentelemetry.trace import format_span_id, format_trace_id

from demo_app import logs
from demo_app.logs import JsonFormatter, Unrepetitive
from tests.unit.demo_app.conftest import Clock, MakeRole, Seen
from tests.unit.demo_app.test_request_faults import break_it


@pytest.fixture
def installed(seen: Seen) -> Iterator[None]:
    """The process's own handlers, for as long as the test lasts."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.install(seen.telemetry.logs)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def record(name: str = "demo_app", message: str = "order %s", args: tuple[object, ...] = (1,)) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, __file__, 1, message, args, None)


def test_a_line_is_json(seen: Seen) -> None:
    """
    Time in UTC, level, logger, message, and whatever was given as extra.
    """
    given = record()
    given.created, given.msecs = 1_700_000_000.25, 250.0
    given.__dict__["shop.order.id"] = "abc"

    assert json.loads(JsonFormatter().format(given)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "warning",
        "logger": "demo_app",
        "message": "order 1",
        "shop.order.id": "abc",
    }


def test_a_line_within_a_span_names_it(seen: Seen) -> None:
    """
    The ids are written as everywhere else, in lower-case hexadecimal.
    """
    with seen.telemetry.tracer.start_as_current_span("work") as span:
        line = json.loads(JsonFormatter().format(record()))

    context = span.get_span_context()
    assert line["trace_id"] == format_trace_id(context.trace_id)
    assert line["span_id"] == format_span_id(context.span_id)


@pytest.mark.parametrize("kind", ["errors", "exception"])
@pytest.mark.usefixtures("installed")
def test_a_failed_request_is_one_line_with_its_trace(
    make_role: MakeRole, seen: Seen, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """
    On stderr and over OTLP alike: one record, under the trace of the request that failed.
    """
    logs.install(seen.telemetry.logs)
    catalog = make_role("catalog")
    break_it(catalog, kind=kind)

    catalog.app.test_client().get("/api/products")

    (span,) = seen.spans()
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (exported,) = seen.log_exporter.get_finished_logs()
    assert line["level"] == "error"
    assert "/api/products" in line["message"]
    assert line["trace_id"] == format_trace_id(span.context.trace_id)
    assert exported.log_record.trace_id == span.context.trace_id
    assert exported.log_record.body == line["message"]
    assert ("worker state is inconsistent" in line.get("exception", "")) == (kind == "exception")


@pytest.mark.usefixtures("installed")
def test_what_exporters_complain_about_is_not_exported(seen: Seen) -> None:
    """
    A complaint about the collector, sent to the collector, would make the next one.
    """
    logging.getLogger("opentelemetry.exporter").warning("cannot export")
    logging.getLogger("demo_app").warning("all is well")

    assert [log.log_record.body for log in seen.log_exporter.get_finished_logs()] == ["all is well"]


def test_telemetry_complains_once_in_a_while(clock: Clock) -> None:
    """
    The same complaint passes once in 30 seconds, each other one too; the app's own lines always.
    """
    unrepetitive = Unrepetitive(clock)

    def passed(name: str, message: str) -> bool:
        return unrepetitive.filter(record(name, message))

    assert passed("opentelemetry.exporter", "cannot export %s")
    assert not passed("opentelemetry.exporter", "cannot export %s")
    assert passed("opentelemetry.exporter", "queue is full %s")
    assert passed("demo_app", "order %s")
    assert passed("demo_app", "order %s")
    clock.now += 29.9
    assert not passed("opentelemetry.exporter", "cannot export %s")
    clock.now += 0.1
    assert passed("opentelemetry.exporter", "cannot export %s")
