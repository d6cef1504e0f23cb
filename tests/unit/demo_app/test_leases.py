"""Leases: a fault is on as long as it is renewed, and hits exactly its share."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_app.faults.kinds import Errors, Hang, Latency
from demo_app.faults.leases import Leases
from tests.unit.demo_app.conftest import Clock


def errors(**fields: object) -> Errors:
    return Errors(kind="errors", **({"lease_s": 5.0} | fields))  # type: ignore[arg-type]


def test_a_fault_that_is_not_renewed_ends_by_itself(leases: Leases, clock: Clock) -> None:
    """
    One instant before its lease is over it still hits, at that instant it does not.
    """
    leases.put("a", errors(lease_s=5.0))

    clock.now += 4.999
    assert len(list(leases.strikes(Errors, "/api/products"))) == 1
    clock.now += 0.001
    assert list(leases.strikes(Errors, "/api/products")) == []
    assert leases.live() == []


def test_renewing_keeps_the_fault_and_its_count(leases: Leases, clock: Clock) -> None:
    """
    The same fault under the same id goes on: a new lease, the old count.
    """
    first, new = leases.put("a", errors())
    list(leases.strikes(Errors, "/api/products"))
    clock.now += 4

    again, new_again = leases.put("a", errors(lease_s=3.0))

    assert (new, new_again) == (True, False)
    assert again is first
    assert again.affected == 1
    assert leases.expires_in_s(again) == 3.0


def test_another_fault_under_the_same_id_replaces_the_first(leases: Leases) -> None:
    """
    There is never more than one fault under an id.
    """
    first, _ = leases.put("a", errors(status=500))
    second, new = leases.put("a", errors(status=503))

    assert new
    assert not leases.is_live(first)
    assert leases.live() == [second]


def test_a_fault_that_ran_out_begins_anew(leases: Leases, clock: Clock) -> None:
    """
    Who asks again too late gets a new fault, with a count of its own.
    """
    first, _ = leases.put("a", errors())
    list(leases.strikes(Errors, "/x"))
    clock.now += 6

    again, new = leases.put("a", errors())

    assert new
    assert again is not first
    assert again.affected == 0


def test_removing_is_idempotent(leases: Leases) -> None:
    """
    Healing can be repeated, also for what was never broken.
    """
    leases.put("a", errors())
    leases.remove("a")
    leases.remove("a")
    leases.remove("b")

    assert leases.live() == []


def test_a_fault_hits_its_kind_and_its_place_only(leases: Leases) -> None:
    """
    Neither another kind of fault nor another route is concerned, nor counted as a chance.
    """
    lease, _ = leases.put("a", errors(route="/api/products"))

    assert list(leases.strikes(Latency, "/api/products")) == []
    assert list(leases.strikes(Errors, "/api/users")) == []
    assert lease.seen == 0
    assert [strike.nth for strike in leases.strikes(Errors, "/api/products")] == [1]


@given(ratio=st.floats(min_value=0.001, max_value=1.0), chances=st.integers(min_value=1, max_value=500))
def test_the_share_is_exact_at_every_moment(ratio: float, chances: int) -> None:
    """
    Of any n chances a fault of ratio r takes r * n, give or take one: luck has no part in it.
    """
    leases = Leases(lambda: 0.0)
    lease, _ = leases.put("a", errors(ratio=ratio))

    for chance in range(1, chances + 1):
        list(leases.strikes(Errors, "/x"))
        assert abs(lease.affected - ratio * chance) < 1.0


def test_thirty_percent_of_ten_is_three(leases: Leases) -> None:
    """
    A share that binary fractions cannot hold exactly is still exact.
    """
    lease, _ = leases.put("a", errors(ratio=0.3))

    hits = [bool(list(leases.strikes(Errors, "/x"))) for _ in range(1000)]

    assert sum(hits) == lease.affected == 300
    assert all(sum(hits[start : start + 10]) == 3 for start in range(0, 1000, 10))


def test_the_share_is_exact_among_threads(leases: Leases) -> None:
    """
    Threads that strike at the same time lose no count.
    """
    lease, _ = leases.put("a", errors(ratio=0.25))

    def strike() -> None:
        for _ in range(500):
            list(leases.strikes(Errors, "/x"))

    threads = [threading.Thread(target=strike) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (lease.seen, lease.affected) == (4000, 1000)


def test_jitter_is_spread_evenly_around_the_delay() -> None:
    """
    Delays fill the range evenly, so that percentiles under jitter can be foretold.
    """
    fault = Latency(kind="latency", lease_s=5, delay_s=1.0, jitter_s=0.5)

    delays = sorted(fault.delay(nth) for nth in range(1, 1001))

    assert delays[0] >= 0.5
    assert delays[-1] <= 1.5
    assert delays[500] == pytest.approx(1.0, abs=0.01)
    assert delays[950] == pytest.approx(1.45, abs=0.01)


def test_a_delay_is_never_negative() -> None:
    """
    More jitter than delay makes for no delay at worst.
    """
    fault = Latency(kind="latency", lease_s=5, delay_s=0.1, jitter_s=1.0)

    assert min(fault.delay(nth) for nth in range(100)) == 0.0


@pytest.mark.parametrize("heal", ["remove", "replace", "clear"])
def test_who_waits_a_hang_out_is_released_when_it_is_healed(heal: str) -> None:
    """
    Healing wakes the waiting threads at once, long before the lease is over.
    """
    leases = Leases()
    lease, _ = leases.put("a", Hang(kind="hang", lease_s=5))
    released = threading.Event()

    def wait() -> None:
        leases.wait_out(lease)
        released.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not released.wait(0.05)
    started = time.monotonic()
    {"remove": lambda: leases.remove("a"), "replace": lambda: leases.put("a", errors()), "clear": leases.clear}[heal]()

    assert released.wait(4)
    assert time.monotonic() - started < 4


def test_who_waits_a_hang_out_is_released_when_its_lease_is_over() -> None:
    """
    Nobody has to heal a hang: its lease does.
    """
    leases = Leases()
    lease, _ = leases.put("a", Hang(kind="hang", lease_s=0.1))

    started = time.monotonic()
    leases.wait_out(lease)

    assert time.monotonic() - started >= 0.1
