"""What a series measures: how each kind of signal is transformed, judged and put into words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

TRAFFIC_OFFSET = 0.2
RATIO_OFFSET = 2.5e-4


class Kind(StrEnum):
    """The four kinds of signal that the detector knows."""

    LATENCY = "latency"
    TRAFFIC = "traffic"
    ERRORS = "errors"
    GAUGE = "gauge"


class Direction(StrEnum):
    """Which deviation is bad."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """
    The mathematics of one kind.

    `forward` maps a value to the scale on which its noise is even (y), `inverse` maps back. `floor` is the least
    standard deviation (in y) that is believed. The minimum effect is `relative` for latency and traffic, absolute for
    error ratios and gauges. `pace` is how fast the slow score forgets, per sample. A value that cannot be (a latency
    of 0, a negative rate) has no finite y.
    """

    forward: Callable[[Floats], Floats]
    inverse: Callable[[Floats], Floats]
    floor: float
    direction: Direction
    min_effect: float
    relative: bool
    pace: float


def _log(value: Floats) -> Floats:
    return np.asarray(np.log(value))


def _log_offset(value: Floats) -> Floats:
    return np.asarray(np.log(value + TRAFFIC_OFFSET) + 0.0 * np.sqrt(value))


def _unlog_offset(y: Floats) -> Floats:
    return np.asarray(np.maximum(np.exp(np.minimum(y, 700.0)) - TRAFFIC_OFFSET, 0.0))


def _root(value: Floats) -> Floats:
    return np.asarray(np.sqrt(value + RATIO_OFFSET))


def _unroot(y: Floats) -> Floats:
    return np.asarray(np.maximum(np.square(np.maximum(y, 0.0)) - RATIO_OFFSET, 0.0))


def _same(value: Floats) -> Floats:
    return value


def _exp(y: Floats) -> Floats:
    return np.asarray(np.exp(np.minimum(y, 700.0)))


MEASURES: Mapping[Kind, Measure] = {
    Kind.LATENCY: Measure(
        forward=_log, inverse=_exp, floor=0.05, direction=Direction.UP, min_effect=0.20, relative=True, pace=0.15
    ),
    Kind.TRAFFIC: Measure(
        forward=_log_offset,
        inverse=_unlog_offset,
        floor=0.06,
        direction=Direction.DOWN,
        min_effect=0.20,
        relative=True,
        pace=0.15,
    ),
    Kind.ERRORS: Measure(
        forward=_root, inverse=_unroot, floor=0.01, direction=Direction.UP, min_effect=0.004, relative=False, pace=0.10
    ),
    Kind.GAUGE: Measure(
        forward=_same, inverse=_same, floor=1e-9, direction=Direction.BOTH, min_effect=0.0, relative=False, pace=0.15
    ),
}
