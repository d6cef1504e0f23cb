"""A made-up world of SLIs: daily and weekly shape, correlated noise, counts, spikes, gaps, batch jobs, labelled faults."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from detector.kinds import Bools, Floats, Kind
from detector.settings import DAY_S, HOUR_S, WEEK_S


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    How the series look when nothing is wrong.

    Rates are per second, `noise` is the standard deviation of the logarithm. A batch is a regular event: once per
    `batch_every_s` the value is multiplied by `batch_factor` for `batch_s`, in the given share of the series.
    """

    kind: Kind
    step_s: float = 15.0
    series: int = 40
    days: float = 3.0
    start_s: float = 1_795_046_400.0
    daily: float = 0.45
    weekend: float = 1.0
    rate: tuple[float, float] = (10.0, 200.0)
    noise: float = 0.05
    correlation: float = 0.7
    spike_share: float = 0.002
    gap_share: float = 0.002
    outages_per_day: float = 0.5
    batch_every_s: float = 0.0
    batch_s: float = 120.0
    batch_factor: float = 2.2
    batch_share: float = 1.0
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One labelled disturbance of one series: from `start` until before `end`, as indices of moments."""

    series: int
    start: int
    end: int
    strong: bool
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Values of many series (rows: moments, columns: series), and what was done to them."""

    kind: Kind
    at_s: Floats
    values: Floats
    requests: Floats | None = None
    faults: tuple[Fault, ...] = field(default=())


def daily_shape(world: World, at_s: Floats, rng: np.random.Generator) -> Floats:
    """The factor of the time of day and week, per moment and series."""
    phase = rng.uniform(0.0, 2.0 * np.pi, world.series)
    day = np.sin(2.0 * np.pi * at_s[:, None] / DAY_S + phase)
    weekend = np.where((at_s % WEEK_S) / DAY_S < 2.0, world.weekend, 1.0)  # the epoch's weeks begin on a Thursday
    return np.asarray((1.0 + world.daily * day) * weekend[:, None])


def correlated(world: World, moments: int, spread: float, rng: np.random.Generator) -> Floats:
    """First-order autoregressive noise with the given standard deviation."""
    shocks = rng.normal(0.0, spread * np.sqrt(1.0 - world.correlation**2), (moments, world.series))
    for row in range(1, moments):
        shocks[row] += world.correlation * shocks[row - 1]
    return np.asarray(shocks)


def batches(world: World, at_s: Floats) -> Floats:
    """The factor of the regular batch job, per moment and series."""
    factor = np.ones((len(at_s), world.series))
    if world.batch_every_s > 0:
        affected = np.arange(world.series) < round(world.batch_share * world.series)
        offset = (np.arange(world.series) * 97.0) % world.batch_every_s // world.step_s * world.step_s
        running = ((at_s[:, None] - offset) % world.batch_every_s) < world.batch_s
        factor[running & affected] = world.batch_factor
    return factor


def missing(world: World, moments: int, rng: np.random.Generator) -> Bools:
    """Lone scrapes that failed, and outages of some minutes."""
    gone = rng.random((moments, world.series)) < world.gap_share
    for column in range(world.series):
        for _ in range(rng.poisson(world.outages_per_day * world.days)):
            first = int(rng.integers(0, moments))
            gone[first : first + int(rng.integers(4, 60)), column] = True
    return np.asarray(gone)


def place_faults(world: World, rng: np.random.Generator, *, first_day: float, strong: bool) -> tuple[Fault, ...]:
    """Faults of 3 to 10 minutes every 1 to 2 hours in every series, after `first_day` days of peace."""
    found = []
    moments = round(world.days * DAY_S / world.step_s)
    for column in range(world.series):
        at = first_day * DAY_S / world.step_s + rng.uniform(0.0, HOUR_S) / world.step_s
        while True:
            lasts = round(rng.uniform(180.0, 600.0) / world.step_s)
            if at + lasts >= moments:
                break
            start = int(at)
            size = float(fault_size(world.kind, strong, rng))
            found.append(Fault(series=column, start=start, end=start + lasts, strong=strong, size=size))
            at += lasts + rng.uniform(3600.0, 7200.0) / world.step_s
    return tuple(found)


def fault_size(kind: Kind, strong: bool, rng: np.random.Generator) -> float:
    """The factor of a fault (traffic, latency) or the points that it adds (error ratio)."""
    if kind is Kind.TRAFFIC:
        return float(rng.uniform(0.0, 0.5)) if strong else 0.7
    if kind is Kind.LATENCY:
        return float(rng.uniform(2.0, 5.0)) if strong else float(rng.uniform(1.3, 1.5))
    return float(rng.uniform(0.03, 0.30)) if strong else 0.01


def generate(world: World, *, faults_after_days: float | None = None, strong: bool = True) -> Recorded:
    """Make the series of a world, with faults after some days, or without any."""
    rng = np.random.default_rng(world.seed)
    moments = round(world.days * DAY_S / world.step_s)
    at_s = world.start_s + world.step_s * np.arange(moments, dtype=np.float64)
    faults = () if faults_after_days is None else place_faults(world, rng, first_day=faults_after_days, strong=strong)
    make = {Kind.TRAFFIC: traffic, Kind.LATENCY: latency, Kind.ERRORS: errors}[world.kind]
    values, requests = make(world, at_s, effects(world, moments, faults), rng)
    values[missing(world, moments, rng)] = np.nan
    return Recorded(kind=world.kind, at_s=at_s, values=values, requests=requests, faults=faults)


def effects(world: World, moments: int, faults: tuple[Fault, ...]) -> Floats:
    """What the faults do to each moment: a factor, or points added for errors."""
    effect = np.full((moments, world.series), 0.0 if world.kind is Kind.ERRORS else 1.0)
    for fault in faults:
        effect[fault.start : fault.end, fault.series] = fault.size
    return effect


def rates(world: World, at_s: Floats, rng: np.random.Generator) -> Floats:
    """The true request rate of each series."""
    low, high = np.log(world.rate)
    base = np.exp(rng.uniform(low, high, world.series))
    noise = correlated(world, len(at_s), world.noise, rng)
    return np.asarray(base * daily_shape(world, at_s, rng) * np.exp(noise))


def traffic(world: World, at_s: Floats, effect: Floats, rng: np.random.Generator) -> tuple[Floats, None]:
    """Requests per second, as counted: Poisson."""
    true = rates(world, at_s, rng) * batches(world, at_s) * effect
    return rng.poisson(true * world.step_s) / world.step_s, None


def latency(world: World, at_s: Floats, effect: Floats, rng: np.random.Generator) -> tuple[Floats, None]:
    """A percentile in seconds: a third of the daily shape, noise, lone spikes of two- to sixfold."""
    base = np.exp(rng.uniform(np.log(0.02), np.log(0.8), world.series))
    calm = World(kind=world.kind, series=world.series, daily=world.daily / 3.0, weekend=1.0)
    shape = daily_shape(calm, at_s, rng)
    moments = len(at_s)
    noise = correlated(world, moments, world.noise, rng) + rng.normal(0.0, world.noise * 0.6, (moments, world.series))
    spikes = np.where(rng.random(noise.shape) < world.spike_share, rng.uniform(2.0, 6.0, noise.shape), 1.0)
    return base * shape * np.exp(noise) * spikes * batches(world, at_s) * effect, None


def errors(world: World, at_s: Floats, effect: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Errors per second and requests per second: a small ratio that wanders, counted."""
    true = rates(world, at_s, rng)
    requests = rng.poisson(true * world.step_s)
    ratio = np.exp(rng.uniform(np.log(0.0005), np.log(0.008), world.series))
    wander = np.exp(correlated(world, len(at_s), 0.3, rng))
    bursts = np.where(rng.random(true.shape) < world.spike_share / 2.0, rng.uniform(0.01, 0.04, true.shape), 0.0)
    share = np.clip(ratio * wander + bursts + effect, 0.0, 1.0)
    return rng.binomial(requests, share) / world.step_s, requests / world.step_s


def as_array(recorded: Recorded) -> npt.NDArray[np.bool_]:
    """Where a fault was active, per moment and series."""
    active = np.zeros(recorded.values.shape, dtype=np.bool_)
    for fault in recorded.faults:
        active[fault.start : fault.end, fault.series] = True
    return active
