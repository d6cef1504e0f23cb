"""Shape: whether a trace holds the spans that it must hold, and which it lacks. Pure."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from assertions.evidence import Trace
from assertions.wording import count, seconds
from scenarios.model import SpanShape, Traces

Span = Mapping[str, Any]


def misshapen(trace: Trace, traces: Traces) -> str:
    """
    What the shape of a trace lacks, in words; empty when it has all that is asked for.
    """
    if traces.root is not None:
        names = [span["name"] for span in roots(trace.spans)]
        if not any(fnmatchcase(name, traces.root) for name in names):
            return f"its first span is {' and '.join(names) or 'not there'}, not {traces.root}"
    for shape in traces.spans:
        found = sum(1 for span in trace.spans if not misfit(span, shape))
        if found < shape.count:
            return _lack(trace.spans, shape, found)
    return ""


def roots(spans: Sequence[Span]) -> list[Span]:
    """Spans whose parent is not in the trace."""
    ids = {span["span_id"] for span in spans}
    return [span for span in spans if span["parent_id"] not in ids]


def misfit(span: Span, shape: SpanShape) -> str:
    """
    The first thing in which a span differs from a shape, in words; empty when it fits.
    """
    if shape.service is not None and span["service"] != shape.service:
        return f"is in {span['service']}"
    if shape.kind is not None and span["kind"] != shape.kind:
        return f"is a {span['kind']} span"
    if shape.name is not None and not fnmatchcase(span["name"], shape.name):
        return f"is called {span['name']}"
    if shape.error is not None and span["error"] is not shape.error:
        return "is marked as an error" if span["error"] else "is not marked as an error"
    return (
        _event_misfit(span.get("events", ()), shape)
        or _attribute_misfit(span.get("attributes", {}), shape.attributes)
        or _duration_misfit(span, shape)
    )


def _event_misfit(events: Sequence[Mapping[str, Any]], shape: SpanShape) -> str:
    """Empty when any of the events fits, else in what the last one of the name does not."""
    if shape.event is None:
        return ""
    flaw = f"has no event {shape.event}"
    for event in events:
        if event["name"] == shape.event:
            differs = _attribute_misfit(event.get("attributes", {}), shape.event_attributes)
            if not differs:
                return ""
            flaw = f"has an event {shape.event} that {differs}"
    return flaw


def _attribute_misfit(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    for key, value in wanted.items():
        if key not in found:
            return f"has no attribute {key}"
        is_text = isinstance(value, str)
        if not (fnmatchcase(str(found[key]), value) if is_text else found[key] == value):
            return f"has {key}={found[key]}"
    return ""


def _duration_misfit(span: Span, shape: SpanShape) -> str:
    lasted = span.get("duration_s", 0.0)
    if lasted < (shape.min_duration or 0.0) or lasted > (shape.max_duration or lasted):
        return f"lasted {seconds(lasted)}"
    return ""


def in_words(shape: SpanShape) -> str:
    """A shape as people call it: `server span GET * of catalog with an event exception`."""
    words = ["error" if shape.error else "good"] if shape.error is not None else []
    words += [shape.kind or "", "span", shape.name or "", f"of {shape.service}" if shape.service else ""]
    asked = [f"an event {shape.event}"] if shape.event else []
    asked += [f"{key}={value}" for key, value in {**shape.event_attributes, **shape.attributes}.items()]
    asked += [f"at least {seconds(shape.min_duration)}"] if shape.min_duration else []
    asked += [f"at most {seconds(shape.max_duration)}"] if shape.max_duration else []
    return " ".join([*filter(None, words), *(["with", " and ".join(asked)] if asked else [])])


def _lack(spans: Sequence[Span], shape: SpanShape, found: int) -> str:
    """What is missing, and of the span that comes nearest why it is not the one."""
    wanted = in_words(shape)
    if found:
        return f"only {count(found, 'span')} of {shape.count}: {wanted}"
    near = max(spans, key=lambda span: (span["service"] == shape.service, span["kind"] == shape.kind), default=None)
    why = misfit(near, shape) if near else ""
    return f"no {wanted}" + (f"; {near['service']}'s {near['kind']} span {near['name']} {why}" if near else "")
