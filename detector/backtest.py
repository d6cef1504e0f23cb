"""Recorded ranges scored afterwards: what would have been told, and how that compares with labelled faults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from detector.bank import Bank
from detector.config import Config, Watch
from detector.feed import ratio
from detector.http_client import client
from detector.kinds import Floats, Kind
from detector.matrix import Labels
from detector.replay import Trace, replay
from detector.scorecard import Scorecard, Window, judge
from detector.source import Prometheus


class LabelsError(ValueError):
    """The file of labelled faults is wrong; the message says where and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledFault:
    """A time in which something was broken, and the labels of the series that had to show it."""

    watch: str | None
    labels: Mapping[str, str]
    start_s: float
    end_s: float

    def concerns(self, watch: str, labels: Labels) -> bool:
        """Whether a series had to show this fault."""
        own = dict(labels)
        return self.watch in (None, watch) and all(own.get(name) == value for name, value in self.labels.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A range of one watch as Prometheus has it."""

    at_s: Floats
    labels: tuple[Labels, ...]
    values: Floats
    requests: Floats | None


async def record(config: Config, watch: Watch, from_s: float, to_s: float) -> Recording:
    """Read a range of one watch."""
    count = int((to_s - from_s) // config.interval) + 1
    moments = from_s + config.interval * np.arange(count, dtype=np.float64)
    async with client(config.prometheus) as http:
        source = Prometheus(http)
        values = await source.range(watch.query, moments)
        if watch.requests_query is None:
            return Recording(at_s=moments, labels=values.labels, values=values.values, requests=None)
        asked = await source.range(watch.requests_query, moments)
    shares = ratio(values, asked)
    return Recording(at_s=moments, labels=asked.labels, values=shares.values * asked.values, requests=asked.values)


def trace(config: Config, watch: Watch, recording: Recording) -> Trace:
    """Score a recording with the settings of its watch."""
    bank = Bank(
        kind=watch.kind,
        step_s=config.interval,
        settings=watch.settings(config.interval),
        size=max(len(recording.labels), 1),
    )
    if not recording.labels:
        nothing = np.full((len(recording.at_s), 1), np.nan)
        return replay(bank, recording.at_s, nothing, None)
    return replay(bank, recording.at_s, recording.values, recording.requests, refit_every_s=config.refit_every)


def score(watch: Watch, recording: Recording, found: Trace, faults: list[LabelledFault], from_s: float) -> Scorecard:
    """Compare the alerts of a watch from `from_s` on with the faults that its series had to show from then on."""
    last_s = float(recording.at_s[-1])
    windows = [
        Window(
            slot=slot,
            start=int(np.searchsorted(recording.at_s, fault.start_s)),
            end=int(np.searchsorted(recording.at_s, fault.end_s)),
        )
        for fault in faults
        for slot, labels in enumerate(recording.labels)
        if fault.concerns(watch.name, labels) and from_s <= fault.start_s <= last_s
    ]
    return judge(found.alerts, windows, first=int(np.searchsorted(recording.at_s, from_s)))


def read_labels(path: Path) -> list[LabelledFault]:
    """Read labelled faults: a JSON list of objects with start, end, and optionally watch and labels."""
    try:
        entries = json.loads(path.read_text())
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read: {error.strerror}; give the path of a JSON file") from None
    except ValueError as error:
        raise LabelsError(f"{path}: is not JSON: {error}") from None
    if not isinstance(entries, list):
        raise LabelsError(f"{path}: must be a JSON list of faults, each with start and end")
    return [_fault(path, at, entry) for at, entry in enumerate(entries)]


def _fault(path: Path, at: int, entry: Any) -> LabelledFault:
    try:
        fault = LabelledFault(
            watch=entry.get("watch"),
            labels=entry.get("labels", {}),
            start_s=moment(entry["start"]),
            end_s=moment(entry["end"]),
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise LabelsError(f"{path}: fault {at} needs start and end (and may have watch and labels): {error}") from None
    except ValueError as error:
        raise LabelsError(f"{path}: fault {at}: {error}") from None
    if fault.end_s <= fault.start_s:
        raise LabelsError(f"{path}: fault {at} ends before it starts")
    return fault


def moment(written: str | float) -> float:
    """A moment as RFC 3339 (`2026-11-01T12:00:00Z`) or seconds since the epoch."""
    try:
        return float(written)
    except ValueError:
        pass
    try:
        read = datetime.fromisoformat(str(written))
    except ValueError:
        raise ValueError(f"{written!r} is no moment; write 2026-11-01T12:00:00Z or seconds since the epoch") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def native(kind: Kind, recording: Recording) -> Floats:
    """The values as people know them: the ratio where errors were counted."""
    if kind is Kind.ERRORS and recording.requests is not None:
        with np.errstate(all="ignore"):
            return np.asarray(recording.values / recording.requests)
    return recording.values
