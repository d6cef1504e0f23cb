"""Faults that work by themselves while they are on: busy threads, leaking memory, labels without end."""

import threading
import time
import uuid
from collections.abc import Callable

from demo_app.faults.kinds import Cpu, LabelCardinality, MemoryLeak
from demo_app.faults.leases import F, Lease, Leases

PERIOD_S = 0.05
"""How often a background fault looks whether it is still on."""

MIB = 1024 * 1024


class Background:
    """Starts the threads that a fault needs; each ends by itself soon after its lease does."""

    def __init__(self, leases: Leases, add_label: Callable[[str], None]) -> None:
        self._leases = leases
        self._add_label = add_label

    def start(self, lease: Lease) -> None:
        """Start the work of a new fault; nothing for the kinds that only hit requests."""
        match lease.fault:
            case Cpu() as fault:
                for _ in range(fault.workers):
                    self._run(self._burn, lease, fault)
            case MemoryLeak() as fault:
                self._run(self._leak, lease, fault)
            case LabelCardinality() as fault:
                self._run(self._multiply_labels, lease, fault)

    def _run(self, work: Callable[[Lease, F], None], lease: Lease, fault: F) -> None:
        threading.Thread(target=work, args=(lease, fault), name=f"fault-{fault.kind}", daemon=True).start()

    def _burn(self, lease: Lease, fault: Cpu) -> None:
        """Be busy for a share of each period, in Python itself: the app's own requests feel it most."""
        while self._leases.is_live(lease):
            until = time.thread_time() + PERIOD_S * fault.load
            while time.thread_time() < until:
                sum(range(1000))
            lease.count()
            time.sleep(PERIOD_S * (1 - fault.load))

    def _leak(self, lease: Lease, fault: MemoryLeak) -> None:
        """Take memory at a steady rate up to the cap and touch it, so that it counts as resident."""
        hoard: list[bytearray] = []
        started = time.monotonic()
        while self._leases.is_live(lease):
            due = min(fault.cap_mib, int((time.monotonic() - started) * fault.mib_per_s))
            hoard.extend(bytearray(b"\x01") * MIB for _ in range(due - len(hoard)))
            lease.count(due - lease.affected)
            time.sleep(PERIOD_S)

    def _multiply_labels(self, lease: Lease, fault: LabelCardinality) -> None:
        """Record under label values never seen before; the SDK keeps each one for the life of the process."""
        started = time.monotonic()
        while self._leases.is_live(lease):
            due = int((time.monotonic() - started) * fault.per_s)
            for _ in range(due - lease.affected):
                self._add_label(uuid.uuid4().hex)
                lease.count()
            time.sleep(PERIOD_S)
