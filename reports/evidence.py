"""Evidence: what the backends answered, as `evidence.json` holds it. Any part may be missing or unreadable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, FiniteFloat, TypeAdapter, ValidationError

from reports.figures import known

_T = TypeVar("_T")


class _Value(BaseModel):
    # Evidence of a later version may say more than this report draws.
    model_config = ConfigDict(frozen=True, extra="ignore")


Known = Annotated[float | None, AfterValidator(known)]
"""A finite number, or None where none is known."""

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]

Point = tuple[FiniteFloat, Known]
"""A sample of a series: time, value (None: no number)."""


class SpanEvent(_Value):
    """Something that happened within a span, such as an exception."""

    name: Text
    t: Known = None
    attributes: Mapping[str, Any] = {}


class Span(_Value):
    """One step of a trace, in one service."""

    span_id: Text
    parent_id: Text = ""
    name: Text = ""
    service: Text = ""
    kind: Text = ""
    start_t: FiniteFloat
    duration_s: FiniteFloat
    error: bool = False
    attributes: Mapping[str, Any] = {}
    events: tuple[SpanEvent, ...] = ()


class Trace(_Value):
    """One trace, and why this one is shown."""

    trace_id: Text
    why: Text = ""
    spans: tuple[Span, ...] = ()


class Hop(_Value):
    """How much of a signal passed one place on its way."""

    hop: Text
    signal: Text = ""
    count: Known = None
    expected: Known = None
    note: Text = ""


class AlertTimes(_Value):
    """
    The life of one alert: `_s` count from the fault's start (`resolved_after_s` from its end), `_t` are of the epoch.
    """

    name: Text
    source: Text = ""
    state: Text = ""
    labels: Mapping[str, Any] = {}
    severity: Text = ""
    time_to_detect_s: Known = None
    bound_s: Known = None
    within_s: Known = None
    notified_after_s: Known = None
    resolved_after_s: Known = None
    active_t: Known = None
    fired_t: Known = None
    notified_t: Known = None
    resolved_t: Known = None
    bound_t: Known = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    The readable parts. `unreadable` has a sentence for each part that is there but not as it should be.
    """

    series: Mapping[str, tuple[Point, ...]]
    trace: Trace | None
    ledger: tuple[Hop, ...]
    alerts: tuple[AlertTimes, ...]
    unreadable: tuple[str, ...]

    @classmethod
    def read(cls, evidence: Mapping[str, Any]) -> "Evidence":
        """
        Take each part for itself, so that one that is not as it should be costs only its own section.
        """
        problems: list[str] = []
        series = _part(evidence, "series", TypeAdapter(Mapping[str, tuple[Point, ...]]), problems)
        ledger = _part(evidence, "ledger", TypeAdapter(tuple[Hop, ...]), problems)
        alerts = _part(evidence, "alerts", TypeAdapter(tuple[AlertTimes, ...]), problems)
        return cls(
            series={
                name: tuple(sorted(points, key=lambda point: point[0]))
                for name, points in (series or {}).items()
                if points
            },
            trace=_part(evidence, "trace", TypeAdapter(Trace), problems),
            ledger=ledger or (),
            alerts=alerts or (),
            unreadable=tuple(problems),
        )


def _part(evidence: Mapping[str, Any], name: str, shape: TypeAdapter[_T], problems: list[str]) -> _T | None:
    value = evidence.get(name)
    if value is None:
        return None
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in (name, *first["loc"]))
        problems.append(f"The evidence for `{name}` cannot be read: {place}: {first['msg']}.")
        return None
