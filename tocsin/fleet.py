"""Fleet: many drills at once: first those that share a stack, side by side; then exclusive ones in lanes, each on a stack of its own."""

import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from scenarios.model import Scenario, Treatment
from scenarios.record import Record
from stack.runtimes.stack import Stack
from tocsin.choice import Choice
from tocsin.drill import Drill
from tocsin.live import Live

START_TOGETHER_WITHIN_S = 90.0
"""How long drills wait for each other before their traffic: a demo app that starts would slow down those that run already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One drill to run, and the file that it came from."""

    scenario: Scenario
    source: str


class MakeStack(Protocol):
    """Makes a stack for as long as a block lasts; `exclusive` ones are never shared, and may be treated or have small disks."""

    def __call__(
        self, *, exclusive: bool, extras: Collection[str], treatments: Sequence[Treatment], small_disks: Collection[str]
    ) -> AbstractContextManager[Stack]: ...


def at_once_by_default() -> int:
    """Three drills for each core: a drill mostly waits."""
    return 3 * (os.cpu_count() or 1)


def lanes_by_default() -> int:
    """One exclusive drill for each core: each starts a stack of its own, and what is slow then looks like a fault."""
    return os.cpu_count() or 1


class Fleet:
    """
    Runs orders in the background from `start` on; `result` waits for one of them.

    At most `at_once` drills share a stack at the same time; exclusive ones run in so many `lanes`, when the others are done.

    `cancel` ends all early, healed. The result of a drill that has not begun by then is an InterruptedError.
    """

    def __init__(
        self,
        orders: Sequence[Order],
        *,
        runs: Path,
        make_stack: MakeStack,
        at_once: int | None = None,
        lanes: int | None = None,
        annotations: Choice = Choice.KEEP,
    ) -> None:
        self._annotations = annotations
        self.orders = tuple(orders)
        self.cancelled = threading.Event()
        self.begun = threading.Event()
        """The first drill has begun, or none will."""
        self._runs = runs
        self._make_stack = make_stack
        self._at_once = at_once or at_once_by_default()
        self._lanes = lanes or lanes_by_default()
        self._futures: Mapping[int, Future[Record]] = {index: Future() for index in range(len(self.orders))}
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)
        self._lives: dict[int, Live] = {}

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def result(self, index: int) -> Record:
        """The record of one order, when it is there. Raises what kept it from running at all (StackError, OSError)."""
        return self._futures[index].result()

    def records(self) -> list[Record]:
        """The records of all orders that were run, once all have ended."""
        return [future.result() for future in self._futures.values() if not future.exception()]

    @property
    def problem(self) -> BaseException | None:
        """The first thing that kept an order from being run at all, once all have ended."""
        return next((error for future in self._futures.values() if (error := future.exception())), None)

    def done(self) -> bool:
        """Whether all orders have ended."""
        return all(future.done() for future in self._futures.values())

    def lives(self) -> list[Live]:
        """A view of each drill that has begun."""
        return [self._lives[index] for index in sorted(self._lives)]

    def cancel(self) -> None:
        """End all drills early and wait until everything is healed and stopped."""
        self.cancelled.set()
        if self._thread.ident is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait until all have ended and no stack of theirs is left; an error in the block, such as Ctrl-C, ends them early."""
        if kind is not None:
            self.cancelled.set()
        self._thread.join()

    def _run(self) -> None:
        for shared in self._shared().values():
            for batch in _batches(shared, self._at_once):
                self._on_a_stack(batch)
        exclusive = [index for index, order in enumerate(self.orders) if order.scenario.exclusive]
        with ThreadPoolExecutor(self._lanes, thread_name_prefix="lane") as lanes:
            list(lanes.map(lambda index: self._on_a_stack([index]), exclusive))
        self.begun.set()

    def _shared(self) -> dict[frozenset[str], list[int]]:
        """The orders that may share a stack, by the optional components that they need of it."""
        groups: dict[frozenset[str], list[int]] = {}
        for index, order in enumerate(self.orders):
            if not order.scenario.exclusive:
                groups.setdefault(order.scenario.needs, []).append(index)
        return groups

    def _on_a_stack(self, indices: Sequence[int]) -> None:
        """Some orders that need the same stack, or one that needs its own."""
        scenario = self.orders[indices[0]].scenario
        treatments = scenario.treatments if scenario.exclusive else ()
        try:
            if self.cancelled.is_set():
                raise InterruptedError("cancelled before it began")
            with self._make_stack(
                exclusive=scenario.exclusive,
                extras=scenario.needs,
                treatments=treatments,
                small_disks=scenario.small_disks,
            ) as stack:
                together = threading.Barrier(len(indices))
                with ThreadPoolExecutor(len(indices), thread_name_prefix="drill") as pool:
                    list(pool.map(lambda index: self._drill(index, stack, together), indices))
        except BaseException as error:  # the stack did not start; everybody who waits is told
            for index in indices:
                with suppress(Exception):
                    self._futures[index].set_exception(error)

    def _drill(self, index: int, stack: Stack, together: threading.Barrier) -> None:
        order, future = self.orders[index], self._futures[index]
        drill = Drill(
            scenario=order.scenario,
            stack=stack,
            runs=self._runs,
            source=order.source,
            annotations=self._annotations,
            cancel=self.cancelled,
            before_traffic=_meet(together),
        )
        self._lives[index] = drill.live
        self.begun.set()
        try:
            future.set_result(drill.run())
        except BaseException as error:
            future.set_exception(error)
        finally:
            together.abort()  # whoever still waits at it would wait for one that never comes


def _meet(together: threading.Barrier) -> Callable[[], None]:
    """Wait for the others of the batch; go on alone when one of them fails or takes too long."""

    def wait() -> None:
        with suppress(threading.BrokenBarrierError):
            together.wait(START_TOGETHER_WITHIN_S)

    return wait


def _batches(indices: Sequence[int], size: int) -> list[Sequence[int]]:
    return [indices[start : start + size] for start in range(0, len(indices), size)]
