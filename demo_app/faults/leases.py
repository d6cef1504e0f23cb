"""Faults that are on: each under an id, each until its lease runs out, each hitting exactly its share."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from demo_app.faults.kinds import Fault

F = TypeVar("F", bound=Fault)
Clock = Callable[[], float]


@dataclass(slots=True, eq=False, kw_only=True)
class Lease:
    """One fault while it is on. `affected` counts what it has hit, `seen` what it could have hit."""

    id: str
    fault: Fault
    expires_at: float
    seen: int = 0
    affected: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def strike(self) -> int | None:
        """Count one more chance to hit; the number of this hit, or None where the share leaves it out.

        No luck is involved: of any n chances in a row it takes `share * n`, give or take one.
        """
        with self._lock:
            self.seen += 1
            due = int(self.seen * self.fault.share + 1e-9)
            if due <= self.affected:
                return None
            self.affected += 1
            return self.affected

    def count(self, amount: int = 1) -> None:
        """Count work that a fault does by itself, in the background."""
        with self._lock:
            self.affected += amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike(Generic[F]):
    """One hit: which lease, its fault, and the how many-eth hit of that lease this is."""

    lease: Lease
    fault: F
    nth: int


class Leases:
    """All faults of one process.

    Expiry is looked up where a fault is used, on a monotonic clock, so that no dead thread can keep a fault alive.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._leases: tuple[Lease, ...] = ()

    def put(self, fault_id: str, fault: Fault) -> tuple[Lease, bool]:
        """Switch a fault on, or renew it; also whether it is new. Under a known id another fault replaces the first."""
        with self._changed:
            expires_at = self._clock() + fault.lease_s
            current = next((lease for lease in self.live() if lease.id == fault_id), None)
            if current is not None and current.fault.renews(fault):
                current.expires_at = expires_at
                return current, False
            lease = Lease(id=fault_id, fault=fault, expires_at=expires_at)
            self._replace(*(other for other in self.live() if other.id != fault_id), lease)
            return lease, True

    def remove(self, fault_id: str) -> None:
        """Switch a fault off; an unknown id is no error, so that healing can be repeated."""
        with self._changed:
            self._replace(*(lease for lease in self.live() if lease.id != fault_id))

    def clear(self) -> None:
        """Switch all faults off."""
        with self._changed:
            self._replace()

    def live(self) -> list[Lease]:
        """The faults that are on."""
        return [lease for lease in self._leases if self.is_live(lease)]

    def is_live(self, lease: Lease) -> bool:
        """Whether this very lease is still on: neither run out, nor removed, nor replaced."""
        return lease.expires_at > self._clock() and lease in self._leases

    def expires_in_s(self, lease: Lease) -> float:
        """Seconds that are left of a lease, 0 if it has run out."""
        return max(0.0, lease.expires_at - self._clock())

    def strikes(self, kind: type[F], place: str = "") -> Iterator[Strike[F]]:
        """Give the faults of one kind that hit this time at this place (a route, an upstream, a signal)."""
        for lease in self._leases:
            fault = lease.fault
            if not isinstance(fault, kind) or not fault.hits(place) or not self.is_live(lease):
                continue
            nth = lease.strike()
            if nth is not None:
                yield Strike(lease=lease, fault=fault, nth=nth)

    def wait_out(self, lease: Lease) -> None:
        """Block until this lease is off, however often it is renewed meanwhile."""
        with self._changed:
            while self.is_live(lease):
                self._changed.wait(self.expires_in_s(lease))

    def _replace(self, *leases: Lease) -> None:
        self._leases = leases
        self._changed.notify_all()
