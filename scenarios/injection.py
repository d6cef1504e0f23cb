"""Injection: the life of faults on the drill's clock: applied in time, renewed while they last, healed whatever happens.

Each fault has a thread of its own, for a component may take seconds to start again and must not delay the others.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from scenarios.act import Act, Detail, FaultError, Services
from scenarios.faults import act_of
from scenarios.history import Event, FaultChange
from scenarios.model import Fault

RENEW_EVERY_S = 1.0
"""Four renewals may be lost before a lease runs out."""

RETRY_EVERY_S = 0.25
"""The pause before a failed step is tried again."""

_GLANCE_S = 0.05
"""How often a waiting fault looks whether the drill was aborted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """The clock that histories use, and how to wait on it."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def insist(self, step: Callable[[], Detail], *, for_s: float) -> tuple[float, Detail]:
        """
        Do a step until it succeeds; when the good try began, and what came of it.

        Raises the last error after `for_s` seconds of failures, or at once when it is final.
        """
        deadline = self.now() + for_s
        while True:
            began = self.now()
            try:
                return began, step()
            except Exception as error:
                if self.now() >= deadline or (isinstance(error, FaultError) and error.final):
                    raise
            self.sleep(RETRY_EVERY_S)


@dataclass(kw_only=True)
class Injection:
    """One fault, from before it is applied until after it is healed."""

    id: str
    fault: Fault
    act: Act
    record: Callable[[Event], None]
    aborted: threading.Event
    time: Time = Time()

    def run(self, drive_t: float) -> None:
        """
        Live through it; `drive_t` is time nought. Whatever goes wrong is recorded, and nothing is raised.
        """
        if not self._wait_until(drive_t + self.fault.at):
            return
        try:
            if self._apply() and not self.act.over:
                self._keep_up(drive_t + self.fault.end_s)
        finally:
            self._heal()

    def _apply(self) -> bool:
        try:
            began, detail = self.time.insist(self.act.apply, for_s=self.act.APPLY_FOR_S)
        except Exception as error:
            self._failed("apply", error)
            return False
        self._note("applied", {"kind": self.fault.kind, **detail}, at=began)
        return True

    def _keep_up(self, until_t: float) -> None:
        """Renew until the end; a renewal that fails is tried again, for the app may only be busy."""
        last: Detail = {}
        failing = False
        while self._wait_until(min(until_t, self.time.now() + RENEW_EVERY_S)) and self.time.now() < until_t:
            try:
                detail = self.act.renew()
            except Exception as error:
                if not failing:
                    self._failed("renew", error)
                failing = True
                continue
            if failing or detail != last:
                self._note("renewed", detail)
            last, failing = detail, False

    def _heal(self) -> None:
        try:
            _, detail = self.time.insist(self.act.heal, for_s=self.act.HEAL_FOR_S)
        except Exception as error:
            self._failed("heal", error)
            if self.act.LEASED:
                self._note("healed", {"by": "the end of its lease"})
        else:
            self._note("healed", detail)

    def _wait_until(self, t: float) -> bool:
        """Whether the moment came; False when the drill was aborted before it."""
        while not self.aborted.is_set():
            left_s = t - self.time.now()
            if left_s <= 0:
                return True
            self.time.sleep(min(left_s, _GLANCE_S))
        return False

    def _failed(self, doing: str, error: Exception) -> None:
        self._note("failed", {"doing": doing, "reason": str(error) or type(error).__name__})

    def _note(
        self,
        action: Literal["applied", "renewed", "healed", "failed"],
        detail: Mapping[str, Any],
        *,
        at: float | None = None,
    ) -> None:
        self.record(
            FaultChange(t=self.time.now() if at is None else at, fault=self.id, action=action, detail=dict(detail))
        )


class FaultRunner:
    """
    All faults of a drill. Leave its `with` block, however that happens, and everything is healed.

    `unrecorded` holds what the history could not take, such as when the disk is full; healing goes on regardless.
    """

    def __init__(
        self,
        *,
        faults: Mapping[str, Fault],
        services: Services,
        record: Callable[[Event], None],
        run_dir: Path,
        clock: Time = Time(),
    ) -> None:
        self.unrecorded: list[str] = []
        self.aborted = threading.Event()
        self._record = record
        self._threads: list[threading.Thread] = []
        self._injections = [
            Injection(
                id=fault_id,
                fault=fault,
                act=act_of(fault_id, fault, services=services, run_dir=run_dir),
                record=self._record_safely,
                aborted=self.aborted,
                time=clock,
            )
            for fault_id, fault in faults.items()
        ]

    def start(self, drive_t: float) -> None:
        """
        Begin; `drive_t` is time nought, in seconds since the epoch. Returns at once.
        """
        for injection in self._injections:
            # No daemon: when the interpreter ends, it waits until this has healed.
            thread = threading.Thread(target=injection.run, args=(drive_t,), name=f"fault {injection.id}")
            thread.start()
            self._threads.append(thread)

    def join(self, timeout_s: float | None = None) -> bool:
        """
        Wait until all faults have been healed, or given up on; False when that took longer than `timeout_s`.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def abort(self) -> None:
        """
        Heal all faults now, and apply no more; `join` waits for it.
        """
        self.aborted.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
        self.join()

    def _record_safely(self, event: Event) -> None:
        try:
            self._record(event)
        except Exception as error:
            self.unrecorded.append(f"{type(error).__name__}: {error}")
