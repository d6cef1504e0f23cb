"""Logbooks: every line is an event; phases come when their time has; blindness is written down."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from scenarios.history import Blind, Event, History, Phase, Request, Traffic
from scenarios.logbook import Logbook
from scenarios.plan import Plan

T0 = 1000.25


def plan(path: Path) -> Plan:
    """2 s of warm-up, 3 s of drive."""
    return Plan.model_validate({"host": "http://h", "events": path, "load": {"warm_up": "2s", "for": "3s"}})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where it is written."""
    return tmp_path / "traffic.jsonl"


@contextmanager
def logbook(path: Path, *workers: str) -> Iterator[Logbook]:
    """A new one, for a while."""
    with closing(Logbook(plan(path), t0=T0, workers=workers or ("local",))) as book:
        yield book


def read(path: Path) -> tuple[Event, ...]:
    """All that is on disk now."""
    return History.read(path).events


def tell(book: Logbook, worker: str, *events: Traffic | Request, complete: int = 0, final: bool = False) -> None:
    """What a worker says in its message."""
    book.hear(worker, [event.model_dump_json() for event in events], complete=complete, final=final)


def test_a_phase_is_written_when_its_time_has_come(path: Path) -> None:
    """And bears that time, however late it is written."""
    with logbook(path) as book:
        book.write(T0)
        assert read(path) == (Phase(t=T0, name="warm_up"),)

        book.write(T0 + 1.9)
        assert len(read(path)) == 1
        book.write(T0 + 2.7)
        assert read(path)[1:] == (Phase(t=T0 + 2, name="drive"),)
        book.write(T0 + 9)
        assert read(path)[2:] == (Phase(t=T0 + 5, name="cool_down"),)


def test_the_first_phase_is_written_ahead_of_its_time(path: Path) -> None:
    """Several processes agree on a first moment that is still to come; the harness waits for this line."""
    with logbook(path) as book:
        book.write(T0 - 0.3)

    assert read(path) == (Phase(t=T0, name="warm_up"),)


def test_what_all_have_told_is_on_disk_after_a_write(path: Path) -> None:
    """Seconds merged, requests as they are; nothing of it before, nothing twice."""
    second = Traffic(t=1000, route="/api/users", count=2, status={"200": 2}, latency={7: 2}, sum_s=0.004)
    request = Request(t=1000.5, route="/api/users", status=200, duration_s=0.002, trace_id="ab" * 16)
    with logbook(path, "a", "b") as book:
        tell(book, "a", second, request, complete=1001)
        tell(book, "b", second, complete=1001)
        book.write(T0 + 1)
        book.write(T0 + 1)

    assert [event for event in read(path) if isinstance(event, Request)] == [request]
    assert [event.count for event in read(path) if isinstance(event, Traffic)] == [4]


def test_a_worker_that_vanished_is_a_blind_spot(path: Path) -> None:
    """The others are not held up by it, and the reason names it."""
    with logbook(path, "a", "b") as book:
        tell(book, "a", Traffic(t=1000, route="/api/users", count=1), complete=1001, final=True)
        assert book.missing == {"b"}

        book.give_up("b", 1001.5)
        book.write(1001.5)
        assert book.missing == set()

    assert Blind(t=1001.5, watcher="traffic", reason="worker b vanished") in read(path)
    assert sum(event.count for event in read(path) if isinstance(event, Traffic)) == 1


def test_a_full_disk_is_said() -> None:
    """By the system's own error, at the write, not at some later flush."""
    with logbook(Path("/dev/full")) as book, pytest.raises(OSError, match="No space left"):
        book.write(T0)


def test_a_closed_logbook_says_so(path: Path) -> None:
    """So that nobody writes after the last words."""
    with logbook(path) as book:
        assert not book.closed
    assert book.closed
