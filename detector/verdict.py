"""What the detector says of a series at a moment: in numbers, and in words for people."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detector.bank import Bank
from detector.kinds import Bools, Floats, Kind

Rows = slice | npt.NDArray[np.int64]


class Status(StrEnum):
    """How much the detector knows of a series."""

    NO_DATA = "no_data"
    LEARNING = "learning"
    LEVEL = "level"
    SEASONAL = "seasonal"
    STALE = "stale"


class Severity(StrEnum):
    """How grave an active alert is; it only ever rises while the alert lasts."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The numbers of many series at the last tick, in the units of their values; `score` is 0.5 at the limit."""

    value: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats
    known: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said of one series at one moment."""

    at_s: float
    status: Status
    value: float
    expected: float
    lower: float
    upper: float
    z: float
    slow_z: float
    score: float
    firing: bool
    severity: Severity | None
    since_s: float | None
    reason: str


def view(bank: Bank, rows: Rows = slice(None)) -> View:
    """The last tick of a bank, or of some of its rows, with the band outside of which a sample counts."""
    state, settings = bank.state, bank.settings
    with np.errstate(all="ignore"):
        known = state.seen[rows] >= settings.warm_up
        patience = np.sqrt(1.0 + 10.0 / state.seen[rows]) / settings.sensitivity
        expected = np.where(known, state.expected[rows], np.nan)
        reach = settings.limit_z * patience * state.sigma[rows]
        ratio = np.maximum(state.z[rows] / settings.limit_z, state.slow_z[rows] / settings.slow_limit_z) / patience
        ratio = np.maximum(np.where(np.isfinite(ratio), ratio, 0.0), 0.0)
        return View(
            value=state.value[rows],
            expected=bank.measure.inverse(expected),
            lower=bank.measure.inverse(expected - reach),
            upper=bank.measure.inverse(expected + reach),
            score=ratio / (1.0 + ratio),
            known=known,
        )


def statuses(bank: Bank, slots: npt.NDArray[np.int64]) -> list[Status]:
    """How much is known of each of some series."""
    state, settings = bank.state, bank.settings
    seen, away = state.seen[slots], state.gap[slots] > settings.stale_after
    nothing = (seen == 0) & np.isinf(state.high[slots])
    season = bank.seasons.buckets[slots] > 0
    found = np.select([nothing, away, seen < settings.warm_up, ~season], [0, 4, 1, 2], 3)
    every = (Status.NO_DATA, Status.LEARNING, Status.LEVEL, Status.SEASONAL, Status.STALE)
    return [every[one] for one in found]


def status(bank: Bank, slot: int) -> Status:
    """How much is known of one series."""
    return statuses(bank, np.array([slot]))[0]


def verdict(bank: Bank, slot: int) -> Verdict:
    """What is said of one series after the last tick."""
    numbers = view(bank, np.array([slot]))
    state = bank.state
    firing = bool(state.fired[slot] > 0)
    grave = Severity.CRITICAL if state.critical[slot] else Severity.WARNING
    return Verdict(
        at_s=bank.at_s,
        status=status(bank, slot),
        value=float(numbers.value[0]),
        expected=float(numbers.expected[0]),
        lower=float(numbers.lower[0]),
        upper=float(numbers.upper[0]),
        z=float(state.z[slot]),
        slow_z=float(state.slow_z[slot]),
        score=float(numbers.score[0]),
        firing=firing,
        severity=grave if firing else None,
        since_s=float(state.since_s[slot]) if firing else None,
        reason=reason(bank, slot, numbers),
    )


def reason(bank: Bank, slot: int, numbers: View) -> str:
    """The verdict in words, for example `latency 412 ms, expected 95 ms (80 ms to 118 ms), z 11.2, 2 of 3 samples`."""
    state, settings = bank.state, bank.settings
    match status(bank, slot):
        case Status.NO_DATA:
            return "no value so far"
        case Status.STALE:
            return f"no value for {state.gap[slot]:.0f} samples"
        case Status.LEARNING:
            return f"learning: {state.seen[slot]:.0f} of {settings.warm_up} samples"
    if state.gap[slot] > 0:
        return f"no value at this moment, expected {amount(bank.kind, float(numbers.expected[0]))}"
    value, expected, lower, upper = (
        amount(bank.kind, float(part[0])) for part in (numbers.value, numbers.expected, numbers.lower, numbers.upper)
    )
    heart = f"{bank.kind} {value}, expected {expected} ({lower} to {upper})"
    if state.creeping[slot]:
        return f"{heart}, z {state.z[slot]:.1f}, smoothed over the last samples z {state.slow_z[slot]:.1f}"
    votes = (int(state.bits[slot]) & (2 ** (settings.confirm + 1) - 1)).bit_count()
    if state.fired[slot] > 0 or votes:
        return f"{heart}, z {state.z[slot]:.1f}, {votes} of {settings.confirm + 1} samples"
    return f"{heart}, z {state.z[slot]:.1f}"


def amount(kind: Kind, value: float) -> str:
    """A value as people write it: seconds or milliseconds, per second, percent."""
    if not np.isfinite(value):
        return "nothing"
    if kind is Kind.LATENCY:
        return f"{value:.3g} s" if value >= 1.0 else f"{value * 1000.0:.3g} ms"
    if kind is Kind.TRAFFIC:
        return f"{value:.3g}/s"
    return f"{value * 100.0:.3g} %" if kind is Kind.ERRORS else f"{value:.6g}"
