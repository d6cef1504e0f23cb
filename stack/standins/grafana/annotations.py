"""Annotations: marks on dashboards, made by people and tools, and by alerts that change state."""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from stack.standins.grafana.alerting.manager import Transition
from stack.standins.grafana.alerting.states import Instance, State
from stack.standins.grafana.labels import comma_separated
from stack.standins.grafana.provisioning.rules import DASHBOARD, PANEL

ADMIN_AVATAR = "/avatar/" + hashlib.md5(b"admin@localhost", usedforsecurity=False).hexdigest()
DEFAULT_LIMIT = 100
KEPT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One annotation; times in milliseconds since the epoch; `alert_id` is 0 unless an alert made it."""

    id: int
    text: str
    time_ms: int
    end_ms: int
    created_ms: int
    updated_ms: int
    tags: Sequence[str] = ()
    dashboard_uid: str | None = None
    panel_id: int = 0
    alert_id: int = 0
    alert_uid: str = ""
    new_state: str = ""
    prev_state: str = ""
    login: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is asked for; None and empty do not restrict."""

    from_ms: int | None = None
    to_ms: int | None = None
    kind: str = ""
    tags: Sequence[str] = ()
    match_any: bool = False
    dashboard_uid: str = ""
    panel_id: int = 0
    alert_id: int = 0
    alert_uid: str = ""
    limit: int = DEFAULT_LIMIT

    def passes(self, one: Annotation) -> bool:
        """
        Whether an annotation is asked for.
        """
        if one.end_ms < (self.from_ms or 0) or one.time_ms > (self.to_ms or one.time_ms):
            return False
        if self.tags and not (any if self.match_any else all)(tag in one.tags for tag in self.tags):
            return False
        wanted = {"": True, "alert": one.alert_id > 0, "annotation": one.alert_id == 0}.get(self.kind, True)
        asked = (
            (self.dashboard_uid, one.dashboard_uid),
            (self.panel_id, one.panel_id),
            (self.alert_id, one.alert_id),
            (self.alert_uid, one.alert_uid),
        )
        return wanted and all(not value or value == found for value, found in asked)


class Annotations:
    """All annotations by id; the oldest leave when there are too many."""

    def __init__(self) -> None:
        self._annotations: dict[int, Annotation] = {}
        self._last = 0

    def add(self, annotation: Annotation) -> Annotation:
        """
        Keep one under a new id; an end before its start is taken as the start.
        """
        self._last += 1
        low, high = sorted((annotation.time_ms, annotation.end_ms))
        kept = replace(annotation, id=self._last, time_ms=low, end_ms=high)
        self._annotations[kept.id] = kept
        if len(self._annotations) > KEPT:
            del self._annotations[next(iter(self._annotations))]
        return kept

    def record(self, transition: Transition, now_ms: int) -> None:
        """
        Keep what an alert did.
        """
        self.add(annotation_of(transition, now_ms))

    def get(self, number: int) -> Annotation | None:
        """
        The annotation of an id.
        """
        return self._annotations.get(number)

    def put(self, annotation: Annotation) -> None:
        """
        Replace the one with the same id.
        """
        self._annotations[annotation.id] = annotation

    def delete(self, number: int) -> bool:
        """
        Remove one; False when there is none.
        """
        return self._annotations.pop(number, None) is not None

    def find(self, asked: Filter) -> Sequence[Annotation]:
        """
        Those that are asked for, the latest first.
        """
        found = [one for one in self._annotations.values() if asked.passes(one)]
        found.sort(key=lambda one: (-one.end_ms, -one.time_ms, one.alert_id, one.id))
        return found[: asked.limit]

    def restore(self, annotations: Sequence[Annotation]) -> None:
        """
        Take back the annotations of an earlier run.
        """
        self._annotations.update({one.id: one for one in annotations})
        self._last = max([self._last, *self._annotations])

    def __iter__(self) -> Iterator[Annotation]:
        return iter(list(self._annotations.values()))


def annotation_of(transition: Transition, now_ms: int) -> Annotation:
    """
    The annotation of a change of state.
    """
    rule, after = transition.rule, transition.after
    shown, data = _said(after)
    at_ms = round(after.evaluated_s * 1000)
    labels = {name: value for name, value in after.labels.items() if not name.startswith("__")}
    panel = rule.annotations.get(PANEL, "")
    return Annotation(
        id=0,
        text=f"{rule.title} {{{comma_separated(labels)}}} - {shown}",
        time_ms=at_ms,
        end_ms=at_ms,
        created_ms=now_ms,
        updated_ms=now_ms,
        dashboard_uid=rule.annotations.get(DASHBOARD),
        panel_id=int(panel) if panel.isdecimal() else 0,
        alert_id=rule.id,
        alert_uid=rule.uid,
        new_state=after.shown,
        prev_state=transition.previous,
        data=data,
    )


def _said(instance: Instance) -> tuple[str, Mapping[str, object]]:
    if instance.state is State.NO_DATA:
        return "No data", {"noData": True}
    if instance.state is State.ERROR:
        return "Error", {"error": instance.outcome.error}
    values = {name: value for name, value in instance.outcome.values.items() if math.isfinite(value)}
    return ", ".join(f"{name}={values[name]:f}" for name in sorted(values)), {"values": values}
