"""Life cycle: each alert's way from pending to resolved, and when somebody was told of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.evidence import AlertTimes
from scenarios.history import AlertChange, History, Notification

_EVALUATORS = ("prometheus", "grafana")
_ALIVE = ("pending", "firing", "suppressed", "nodata", "error")
_NOT_IDENTITY = ("alertname", "grafana_folder")

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """
    A time that an alert spent in one state.
    """

    start: float
    end: float
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """
    One alert instance, as one source saw it; `resolved_t` is None if it never fired or fires still.
    """

    name: str
    labels: Labels
    source: str
    stretches: tuple[Stretch, ...] = ()
    notifications: tuple[Notification, ...] = ()
    bound_t: float | None = None
    resolved_t: float | None = None

    @property
    def service(self) -> str:
        """Whom it is about: the first label that names a service or a job, or nothing."""
        return next((self.labels[key] for key in ("service_name", "service", "job") if self.labels.get(key)), "")

    @property
    def routine(self) -> bool:
        """Whether it asks for nobody, as a watchdog does that always fires."""
        return self.labels.get("severity") == "none"

    @property
    def fired(self) -> bool:
        """Whether it did more than wait."""
        return bool(self.notifications) or any(stretch.state != "pending" for stretch in self.stretches)

    def interest(self, expected: Sequence[str]) -> int:
        """How far down it belongs: expected instances, their siblings, what fired, what only waited, routine."""
        if self.name in expected:
            return 0 if self.bound_t is not None else 1
        return 4 if self.routine else 2 if self.fired else 3

    @property
    def first_t(self) -> float:
        """When anything was first heard of it."""
        return min([stretch.start for stretch in self.stretches] + [notice.t for notice in self.notifications])


def lanes(history: History, times: Sequence[AlertTimes], expected: Sequence[str], end: float) -> tuple[Lane, ...]:
    """
    One lane for each alert instance and source, the most interesting first, then in order of time.

    Alertmanager evaluates nothing: it gets a lane only for what no evaluator listed, and so do bare notifications.
    """
    notices = tuple(history.of(Notification))
    found: list[Lane] = []
    for (source, name, labels), changes in _tracks(history).items():
        if source in _EVALUATORS or not _heard_of(found, name, dict(labels)):
            found.append(_lane(changes, source=source, labels=dict(labels), notices=notices, times=times, end=end))
    for notice in notices:
        if not _heard_of(found, notice.name, notice.labels):
            same = tuple(other for other in notices if _belongs(other, notice.name, notice.labels))
            found.append(Lane(name=notice.name, labels=notice.labels, source="notifications", notifications=same))
    drawn = [lane for lane in found if lane.stretches or lane.notifications]
    return tuple(sorted(drawn, key=lambda lane: (lane.interest(expected), lane.first_t, lane.name, lane.service)))


def _tracks(history: History) -> dict[tuple[str, str, frozenset[tuple[str, str]]], list[AlertChange]]:
    """The changes by source, name and identity labels; evaluators come first."""
    tracks: dict[tuple[str, str, frozenset[tuple[str, str]]], list[AlertChange]] = {}
    changes = sorted(history.of(AlertChange), key=lambda change: change.source not in _EVALUATORS)
    for change in changes:
        identity = frozenset((key, value) for key, value in change.labels.items() if key not in _NOT_IDENTITY)
        tracks.setdefault((change.source, change.name, identity), []).append(change)
    return tracks


def _lane(
    changes: Sequence[AlertChange],
    *,
    source: str,
    labels: Labels,
    notices: Iterable[Notification],
    times: Sequence[AlertTimes],
    end: float,
) -> Lane:
    name = changes[0].name
    stretches = _stretches(changes, end)
    fired = any(stretch.state != "pending" for stretch in stretches)
    last = changes[-1]
    return Lane(
        name=name,
        labels=labels,
        source=source,
        stretches=stretches,
        notifications=tuple(notice for notice in notices if _belongs(notice, name, labels)),
        bound_t=next((item.bound_t for item in times if _is_of(item, source, name, labels)), None),
        resolved_t=last.t if fired and last.state == "inactive" else None,
    )


def _stretches(changes: Sequence[AlertChange], end: float) -> tuple[Stretch, ...]:
    ends = [change.t for change in changes[1:]] + [end]
    return tuple(
        Stretch(start=change.t, end=max(until, change.t), state=change.state)
        for change, until in zip(changes, ends, strict=True)
        if change.state in _ALIVE
    )


def _heard_of(found: Iterable[Lane], name: str, labels: Labels) -> bool:
    return any(lane.name == name and lane.labels.items() <= labels.items() for lane in found)


def _belongs(notice: Notification, name: str, labels: Labels) -> bool:
    """Whether a notification is of this alert: on its way an alert gains labels and loses none."""
    return notice.name == name and (
        labels.items() - {(key, labels[key]) for key in _NOT_IDENTITY if key in labels}
    ) <= (notice.labels.items())


def _is_of(item: AlertTimes, source: str, name: str, labels: Labels) -> bool:
    """Whether figures are of this alert as this source raised it; older ones do not say whose they are."""
    return item.source in ("", source) and item.name == name and _agree(item.labels, labels)


def _agree(some: Mapping[str, object], others: Labels) -> bool:
    """Whether two sets of labels can be of one alert: what both have is the same."""
    return all(str(value) == others[key] for key, value in some.items() if key in others)
