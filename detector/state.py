"""The state of a bank: one array per quantity, one place per series."""

from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.kinds import Bools, Floats

ZERO = {"start": 0.0, "dtype": np.float64}
ONE = {"start": 1.0, "dtype": np.float64}
NEVER = {"start": np.nan, "dtype": np.float64}
LOWEST = {"start": -np.inf, "dtype": np.float64}
HIGHEST = {"start": np.inf, "dtype": np.float64}
NO = {"start": False, "dtype": np.bool_}
BITS = {"start": 0, "dtype": np.uint8}


def _arrays(state: Any) -> Iterator[Field[Any]]:
    return (f for f in fields(state) if f.metadata)


def _full(size: int, f: Field[Any]) -> npt.NDArray[Any]:
    return np.full(size, f.metadata["start"], dtype=f.metadata["dtype"])


@dataclass(slots=True, kw_only=True)
class State:
    """
    What is remembered of each series between two ticks. y means: on the transformed scale of its kind.

    `level` and `scale` are the baseline and its robust standard deviation; `slow` is the smoothed residual with
    `slow_scale` as its own deviation; `bits` are the last samples, 1 where the limit was crossed; `spikes` is the
    fading count of lone ones; `fired` counts the samples since an alert began, 0 when none is active; `creeping` says
    that the slow rule began it; `low` and `high` are the range ever seen. The last rows say what was found at `at_s`,
    the moment of the last tick.
    """

    level: Floats = field(metadata=ZERO)
    scale: Floats = field(metadata=ONE)
    slow: Floats = field(metadata=ZERO)
    slow_scale: Floats = field(metadata=ONE)
    seen: Floats = field(metadata=ZERO)
    gap: Floats = field(metadata=ZERO)
    fired: Floats = field(metadata=ZERO)
    calm: Floats = field(metadata=ZERO)
    low: Floats = field(metadata=HIGHEST)
    high: Floats = field(metadata=LOWEST)
    alpha: Floats = field(metadata=ZERO)
    gamma: Floats = field(metadata=ZERO)
    since_s: Floats = field(metadata=ZERO)
    spikes: Floats = field(metadata=ZERO)
    spike_seen: Floats = field(metadata=ZERO)
    bits: npt.NDArray[np.uint8] = field(metadata=BITS)
    critical: Bools = field(metadata=NO)
    creeping: Bools = field(metadata=NO)
    value: Floats = field(metadata=NEVER)
    y: Floats = field(metadata=NEVER)
    expected: Floats = field(metadata=NEVER)
    sigma: Floats = field(metadata=NEVER)
    z: Floats = field(metadata=ZERO)
    slow_z: Floats = field(metadata=ZERO)
    at_s: float = -np.inf

    @classmethod
    def empty(cls, size: int) -> "State":
        """A state in which no series has been seen."""
        arrays: dict[str, Any] = {f.name: _full(size, f) for f in _arrays(cls)}
        return cls(**arrays)

    def grow(self, size: int) -> None:
        """Make room for more series."""
        for f in _arrays(self):
            array = getattr(self, f.name)
            setattr(self, f.name, np.concatenate([array, _full(size - len(array), f)]))

    def clear(self, slot: int) -> None:
        """Forget one series."""
        for f in _arrays(self):
            getattr(self, f.name)[slot] = f.metadata["start"]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All arrays by name, for a snapshot."""
        return {f.name: getattr(self, f.name) for f in _arrays(self)}
