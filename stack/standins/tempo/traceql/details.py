"""What queries seldom ask of a span: its events and links, decoded from the stored message when asked."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from stack.standins.tempo.otlp import read_value
from stack.standins.tempo.spans import Span


@lru_cache(maxsize=4096)
def _message(encoded: bytes) -> SpanMessage:
    return SpanMessage.FromString(encoded)


def event_attribute(span: Span, name: str) -> object:
    """
    The values of an attribute in all events of a span; None when no event has it.
    """
    events = _message(span.encoded).events
    return tuple(read_value(p.value) for event in events for p in event.attributes if p.key == name) or None


def link_attribute(span: Span, name: str) -> object:
    """
    The values of an attribute in all links of a span; None when no link has it.
    """
    links = _message(span.encoded).links
    return tuple(read_value(p.value) for link in links for p in link.attributes if p.key == name) or None


def any_attribute(name: str) -> Callable[[Span], object]:
    """
    A reader of an unscoped attribute: of the span, else its resource, library, events or links.
    """
    encoded_name = name.encode()

    def read(span: Span) -> object:
        for attributes in (span.attributes, span.resource.attributes, span.scope.attributes):
            if name in attributes:
                return attributes[name]
        if encoded_name not in span.encoded:
            return None
        found = event_attribute(span, name)
        return found if found is not None else link_attribute(span, name)

    return read


def event_names(span: Span) -> object:
    """
    The names of a span's events; None when it has none.
    """
    return tuple(event.name for event in _message(span.encoded).events) or None


def event_times(span: Span) -> object:
    """
    Nanoseconds from the span's start to each of its events; None when it has none.
    """
    return tuple(event.time_unix_nano - span.start_ns for event in _message(span.encoded).events) or None


def link_span_ids(span: Span) -> object:
    """
    The span ids that a span links to, in hexadecimal; None when it has none.
    """
    return tuple(link.span_id.hex() for link in _message(span.encoded).links) or None


def link_trace_ids(span: Span) -> object:
    """
    The trace ids that a span links to, as Tempo prints them; None when it has none.
    """
    return tuple(link.trace_id.hex().lstrip("0") or "0" for link in _message(span.encoded).links) or None


def attribute_names(span: Span, scope: str) -> Iterable[str]:
    """
    The names of a span's attributes in one scope.
    """
    match scope:
        case "span":
            return span.attributes
        case "resource":
            return span.resource.attributes
        case "instrumentation":
            return span.scope.attributes
    message = _message(span.encoded)
    return [pair.key for part in (message.events if scope == "event" else message.links) for pair in part.attributes]
