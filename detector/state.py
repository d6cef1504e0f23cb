"""The state of a bank: one array per quantity, one place per series."""

from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.kinds import Bools, Floats


def _array(start: float | int | bool, dtype: Any = np.float64) -> Any:
    return field(metadata={"start": start, "dtype": dtype})


def _arrays(state: Any) -> Iterator[Field[Any]]:
    return (f for f in fields(state) if f.metadata)


@dataclass(slots=True, kw_only=True)
class State:
    """
    What is remembered of each series between two ticks. y means: on the transformed scale of its kind.

    `level` and `scale` are the baseline and its robust standard deviation; `slow` is the smoothed residual with
    `slow_scale` as its own deviation; `bits` are the last samples, 1 where the limit was crossed; `fired` counts the
    samples since an alert began, 0 when none is active; `creeping` says that the slow rule began it; `low` and `high`
    are the range ever seen. The last rows say what was found at `at_s`, the moment of the last tick.
    """

    level: Floats = _array(0.0)
    scale: Floats = _array(1.0)
    slow: Floats = _array(0.0)
    slow_scale: Floats = _array(1.0)
    seen: Floats = _array(0.0)
    gap: Floats = _array(0.0)
    fired: Floats = _array(0.0)
    calm: Floats = _array(0.0)
    low: Floats = _array(np.inf)
    high: Floats = _array(-np.inf)
    alpha: Floats = _array(0.05)
    gamma: Floats = _array(0.10)
    since_s: Floats = _array(0.0)
    bits: npt.NDArray[np.uint8] = _array(0, np.uint8)
    critical: Bools = _array(False, np.bool_)
    creeping: Bools = _array(False, np.bool_)
    value: Floats = _array(np.nan)
    y: Floats = _array(np.nan)
    expected: Floats = _array(np.nan)
    sigma: Floats = _array(np.nan)
    z: Floats = _array(0.0)
    slow_z: Floats = _array(0.0)
    at_s: float = -np.inf

    @classmethod
    def empty(cls, size: int) -> "State":
        """A state in which no series has been seen."""
        return cls(**{f.name: np.full(size, f.metadata["start"], dtype=f.metadata["dtype"]) for f in _arrays(cls)})

    def grow(self, size: int) -> None:
        """Make room for more series."""
        for f in _arrays(self):
            array = getattr(self, f.name)
            more = np.full(size - len(array), f.metadata["start"], dtype=f.metadata["dtype"])
            setattr(self, f.name, np.concatenate([array, more]))

    def clear(self, slot: int) -> None:
        """Forget one series."""
        for f in _arrays(self):
            getattr(self, f.name)[slot] = f.metadata["start"]

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All arrays by name, for a snapshot."""
        return {f.name: getattr(self, f.name) for f in _arrays(self)}
