"""The detector's dials: every threshold and pace, with the value that the benchmarks were run with."""

from dataclasses import dataclass, field

from detector.kinds import MEASURES, Direction, Kind

HOUR_S, DAY_S, WEEK_S = 3600.0, 86400.0, 604800.0
AUTO_SEASONS_S = (HOUR_S, DAY_S, WEEK_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    How sensitive and how patient a detector is. Counts are samples; a z is a number of robust standard deviations.

    `sensitivity` divides both limits: 1 is the calibrated value, 2 alarms at half the deviation. `counted_over_s` is
    the time over which a rate was counted, by default one step: it says how many requests stand behind a value.
    """

    limit_z: float = 4.5
    slow_limit_z: float = 5.0
    sensitivity: float = 1.0
    confirm: int = 2
    warm_up: int = 20
    clear_after: int = 4
    rebaseline_after: int = 240
    stale_after: int = 10
    expire_after: int = 60
    ratio_window: int = 8
    huber_z: float = 3.0
    scale_memory: int = 720
    alpha: float = 0.02
    gamma: float = 0.10
    critical_z: float = 10.0
    record_z: float = 7.0
    direction: Direction | None = None
    min_effect: float | None = None
    objective: float | None = None
    counted_over_s: float | None = None
    seasons_s: tuple[float, ...] = field(default=AUTO_SEASONS_S)

    def __post_init__(self) -> None:
        if not 0.1 <= self.sensitivity <= 10.0:
            raise ValueError(f"sensitivity must be between 0.1 and 10, got {self.sensitivity}")
        if not 1 <= self.confirm <= 4:
            raise ValueError(f"confirm must be between 1 and 4 samples, got {self.confirm}")
        if self.warm_up < 3:
            raise ValueError(f"warm_up must be at least 3 samples, got {self.warm_up}")

    def direction_of(self, kind: Kind) -> Direction:
        """The bad direction: the one that was set, else the kind's own."""
        return self.direction or MEASURES[kind].direction

    def effect_of(self, kind: Kind) -> float:
        """The least change that is worth an alert: the one that was set, else the kind's own."""
        return MEASURES[kind].min_effect if self.min_effect is None else self.min_effect
