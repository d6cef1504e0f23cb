"""Fits in a process of their own: no tick waits for one, and one that hangs is killed."""

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from detector.fit_job import Fit, FitJob

LONGEST_FIT_S = 2.0
LONGEST_START_S = 60.0


class FitError(RuntimeError):
    """A fit failed, hung or took its process with it; the parameters stay as they were."""


def serve(connection: Connection) -> None:
    """The worker's side: say that it is ready, then one answer for each job until there are no more."""
    from detector.fit import fit

    connection.send("ready")
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        try:
            connection.send(fit(job))
        except Exception as error:
            connection.send(f"{type(error).__name__}: {error}")


class FitWorker:
    """
    One worker process, started when it is first needed and again after it was killed.

    Blocking: call `fit` from a thread. Not for two threads at once.
    """

    def __init__(self, target: Any = serve, *, longest_fit_s: float = LONGEST_FIT_S) -> None:
        self.target = target
        self.longest_fit_s = longest_fit_s
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    def fit(self, job: FitJob) -> Fit:
        """Have one job done; raises FitError after two seconds at most, not counting the worker's start."""
        connection = self._ready()
        try:
            connection.send(job)
            if not connection.poll(self.longest_fit_s):
                raise FitError(f"a fit took longer than {self.longest_fit_s:g} s and was killed")
            answer = connection.recv()
        except (OSError, EOFError) as error:
            self.stop()
            raise FitError("the worker process died during a fit") from error
        except FitError:
            self.stop()
            raise
        if not isinstance(answer, Fit):
            raise FitError(str(answer))
        return answer

    def _ready(self) -> Connection:
        if self._connection is not None and self._process is not None and self._process.is_alive():
            return self._connection
        self.stop()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=self.target, args=(theirs,), name="detector-fits", daemon=True)
        self._process.start()
        theirs.close()
        self._connection = ours
        try:
            if ours.poll(LONGEST_START_S):
                ours.recv()
                return ours
        except (EOFError, OSError) as error:
            self.stop()
            raise FitError("the worker process did not start") from error
        self.stop()
        raise FitError(f"the worker process was not ready after {LONGEST_START_S:g} s")

    def stop(self) -> None:
        """End the worker now."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        self._connection = self._process = None
