"""Log lines: JSON on stderr and OTLP to the collector, both with the ids of the trace that they belong to."""

import json
import logging
import sys
import time
from typing import Any

from opentelemetry import trace
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider

STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
QUIET_FOR_S = 30.0


class JsonFormatter(logging.Formatter):
    """One line of JSON for one record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its time in UTC, what was passed as `extra`, and the current trace and span."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            line |= {
                "trace_id": trace.format_trace_id(context.trace_id),
                "span_id": trace.format_span_id(context.span_id),
            }
        line |= {key: value for key, value in vars(record).items() if key not in STANDARD_FIELDS}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class Unrepetitive(logging.Filter):
    """Lets each complaint of the telemetry itself through once in a while: a collector that is away is no news."""

    def __init__(self, clock: Any = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record may pass."""
        if not record.name.startswith("opentelemetry"):
            return True
        complaint = (record.name, str(record.msg))
        if self._clock() - self._said.get(complaint, -QUIET_FOR_S) < QUIET_FOR_S:
            return False
        self._said[complaint] = self._clock()
        return True


def install(provider: LoggerProvider) -> None:
    """Send this process's log records to stderr and to `provider`."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonFormatter())
    lines.addFilter(Unrepetitive())
    exported = LoggingHandler(logger_provider=provider)
    # What the exporters themselves complain about must not become telemetry: that would feed on itself.
    exported.addFilter(lambda record: not record.name.startswith(("opentelemetry", "urllib3")))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.handlers[:] = [lines, exported]
    # It warns at every request that has to wait; the number of waiting requests is a metric here.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
