"""The worker process: fits elsewhere, and survives its own death."""

import os
import time
from typing import Any

import numpy as np
import pytest

from detector.fit_job import FitJob
from detector.fit_worker import FitError, FitWorker


def job() -> FitJob:
    """A job of some points."""
    points = np.random.default_rng(1).normal(5.0, 1.0, 300)
    return FitJob(step_s=15.0, at_s=4500.0, points=points)


class Hang:
    """A job that keeps the worker busy for ever."""

    def __reduce__(self) -> tuple[Any, tuple[float]]:
        return time.sleep, (600.0,)


class Die:
    """A job that ends the worker."""

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return os._exit, (3,)


def test_fits_come_back_and_failures_do_not_end_the_worker() -> None:
    """One process, many jobs: a good one, one that raises, one that kills, one that hangs, and a good one again."""
    worker = FitWorker(longest_fit_s=20.0)
    try:
        assert worker.fit(job()).level == pytest.approx(5.0, abs=1.0)
        first = worker._process
        with pytest.raises(FitError, match="Error: "):
            worker.fit("no job")  # type: ignore[arg-type]
        assert worker._process is first
        with pytest.raises(FitError, match="died during a fit"):
            worker.fit(Die())  # type: ignore[arg-type]
        assert worker.fit(job()).alpha > 0
        worker.longest_fit_s = 0.05
        with pytest.raises(FitError, match=r"longer than 0.05 s and was killed"):
            worker.fit(Hang())  # type: ignore[arg-type]
        assert worker._process is None
    finally:
        worker.stop()


def test_a_worker_that_does_not_start_is_told() -> None:
    """The error says so, and nothing hangs."""
    worker = FitWorker(os._exit)
    with pytest.raises(FitError, match="did not start"):
        worker.fit(job())
