"""Background faults: they work while they are on, and stop when they are not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from demo_app.faults.background import Background
from demo_app.faults.kinds import Cpu, Fault, LabelCardinality, MemoryLeak
from demo_app.faults.leases import Lease, Leases


def started(fault: Fault, add_label: Callable[[str], None] = lambda _: None) -> tuple[Leases, Lease]:
    leases = Leases()
    lease, _ = leases.put("a", fault)
    Background(leases, add_label).start(lease)
    return leases, lease


def until(condition: Callable[[], bool], within_s: float = 4.5) -> bool:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def threads_of(fault: Fault) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"fault-{fault.kind}"]


def test_busy_threads_use_the_processor() -> None:
    """
    The process burns processor time of its own accord, and ceases to when healed.
    """
    fault = Cpu(kind="cpu", lease_s=5, workers=2)
    before = time.process_time()
    leases, lease = started(fault)

    assert until(lambda: time.process_time() - before > 0.2)
    assert len(threads_of(fault)) == 2
    leases.remove(lease.id)
    assert until(lambda: not threads_of(fault))
    assert lease.affected > 0


def test_a_leak_grows_to_its_cap_and_is_given_back() -> None:
    """
    It takes what it was told to, no more, and its thread (which holds it) ends with the fault.
    """
    fault = MemoryLeak(kind="memory_leak", lease_s=5, mib_per_s=200, cap_mib=3)
    leases, lease = started(fault)

    assert until(lambda: lease.affected == 3)
    leases.remove(lease.id)
    assert until(lambda: not threads_of(fault))
    assert lease.affected == 3


def test_labels_never_repeat() -> None:
    """
    Each recorded value is new, at about the rate that was asked for.
    """
    labels: list[str] = []
    fault = LabelCardinality(kind="label_cardinality", lease_s=5, per_s=200)
    began = time.monotonic()
    leases, lease = started(fault, labels.append)

    assert until(lambda: len(labels) >= 40)
    took_s = time.monotonic() - began
    leases.remove(lease.id)
    assert until(lambda: not threads_of(fault))
    assert len(set(labels)) == len(labels) == lease.affected
    assert took_s >= 40 / 200


def test_work_that_nobody_renews_ends_by_itself() -> None:
    """
    Whoever asked for it may have died: the lease ends it.
    """
    fault = Cpu(kind="cpu", lease_s=0.1, load=0.1)
    started(fault)

    assert until(lambda: not threads_of(fault))
