"""A stored span and what it belongs to: the immutable values that everything else reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Value = str | bool | int | float | tuple[object, ...]
Attributes = Mapping[str, Value]

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(1, 6)
ERROR = 2


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Resource:
    """What sent a span; `encoded` is the OTLP message."""

    service: str
    attributes: Attributes
    encoded: bytes


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scope:
    """The instrumentation library of a span; `encoded` is the OTLP message."""

    name: str
    version: str
    attributes: Attributes
    encoded: bytes


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Span:
    """One span: the fields that queries read, and `encoded`, the whole OTLP message."""

    span_id: bytes
    parent_id: bytes
    name: str
    kind: int
    status: int
    status_message: str
    start_ns: int
    end_ns: int
    attributes: Attributes
    resource: Resource
    scope: Scope
    encoded: bytes

    @property
    def duration_ns(self) -> int:
        """Nanoseconds from start to end."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The spans of one request, by the id of their trace; `size` in bytes as received."""

    traces: Mapping[bytes, Sequence[Span]] = field(default_factory=dict)
    spans: int = 0
    size: int = 0
