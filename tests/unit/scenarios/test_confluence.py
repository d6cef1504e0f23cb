"""Confluences: a second is told once all have told it, or patience is over; nothing is lost."""

from scenarios.confluence import PATIENCE_S, Confluence, merge
from scenarios.history import Request, Traffic


def second(t: float, count: int = 1, *, route: str = "/api/products") -> Traffic:
    """What one worker saw of one route: every request was a 503, and the first half second of latency."""
    return Traffic(
        t=t, route=route, count=count, failed=count, status={"503": count}, latency={40: count}, sum_s=count / 2
    )


def test_parts_of_a_second_add_up() -> None:
    """Counts, statuses, buckets and sums."""
    other = Traffic(t=1, route="/api/products", count=3, errors=1, failed=1, status={"200": 2}, latency={7: 2}, sum_s=1)

    assert merge([second(1, 2), other]) == Traffic(
        t=1,
        route="/api/products",
        count=5,
        errors=1,
        failed=3,
        sum_s=2,
        status={"503": 2, "200": 2},
        latency={40: 2, 7: 2},
    )


def test_a_second_waits_for_all_workers() -> None:
    """It is told when the last one has told it, as one event."""
    both = Confluence(["a", "b"])
    both.add("a", [second(10, 1)], complete=11)

    assert both.take(11.5) == []
    both.add("b", [second(10, 2)], complete=11)
    assert [second(10, 3)] == both.take(11.6)
    assert both.take(11.7) == []


def test_seconds_are_told_in_order() -> None:
    """Even when they come otherwise."""
    one = Confluence(["a"])
    one.add("a", [second(12), second(11), second(11, route="/api/users")], complete=13)

    assert [event.t for event in one.take(13)] == [11, 11, 12]


def test_patience_ends() -> None:
    """A silent worker holds up nobody for long; what it tells later is an event of its own."""
    both = Confluence(["a", "b"])
    both.add("a", [second(10)], complete=11)

    assert both.take(10 + PATIENCE_S) == []
    assert [second(10)] == both.take(10 + PATIENCE_S + 0.1)
    both.add("b", [second(10, 5)], complete=11)
    assert [second(10, 5)] == both.take(10 + PATIENCE_S + 0.2)


def test_a_worker_that_has_ended_is_not_waited_for() -> None:
    """When all have ended, all is told."""
    both = Confluence(["a", "b"])
    both.add("a", [second(10)], complete=11, final=True)

    assert {"b"} == both.missing
    both.add("b", [second(10), second(11)], complete=11, final=True)
    assert set() == both.missing
    assert [event.t for event in both.take(11.1)] == [10, 11]


def test_requests_are_passed_on_at_once() -> None:
    """They need no merging."""
    request = Request(t=10.5, route="/api/users", status=500, duration_s=0.1, trace_id="ab")
    both = Confluence(["a", "b"])
    both.add("a", [request], complete=11)

    assert [request] == both.take(11)
