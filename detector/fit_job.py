"""What a fit gets and what it gives back; apart from the fit, so that the service itself never loads statsmodels."""

from dataclasses import dataclass

from detector.history import Season
from detector.kinds import Floats

Ring = tuple[Season, int, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitJob:
    """The past of one series: its last points up to `at_s`, and for each season candidate its bucket means."""

    step_s: float
    at_s: float
    points: Floats
    rings: tuple[Ring, ...] = ()
    period_s: float = 0.0
    pace: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a fit found. `level`, `scale` and `slow_scale` belong to the season and matter when it changes."""

    alpha: float
    gamma: float
    season: Season | None
    profile: Floats | None
    level: float
    scale: float
    slow_scale: float
    fallback: bool = False
