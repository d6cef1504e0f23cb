"""The history: what is appended is read again, in order, whatever happened to its writer."""

import itertools
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.history import (
    LATENCY_EDGES_S,
    AlertChange,
    Blind,
    Clock,
    Event,
    FaultChange,
    History,
    HistoryError,
    HistoryWriter,
    Notification,
    Phase,
    Request,
    Traffic,
    parse_event,
    write_json,
)

TIMES = st.floats(0, 2e9)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Phase, t=TIMES, name=st.sampled_from(["drive", "aborted"]), reason=st.text(st.characters(codec="utf-8"))),
    st.builds(
        Traffic,
        t=TIMES,
        route=st.just("/a"),
        count=st.integers(0),
        latency=st.dictionaries(st.integers(0), st.integers(0)),
    ),
    st.builds(Request, t=TIMES, route=st.just("/a"), status=st.just(500), duration_s=TIMES, trace_id=st.just("ab")),
    st.builds(
        FaultChange, t=TIMES, fault=st.just("faults/1"), action=st.just("healed"), detail=st.just({"affected": 3})
    ),
    st.builds(
        AlertChange,
        t=TIMES,
        source=st.just("prometheus"),
        name=st.just("A"),
        labels=st.just({"a": "b"}),
        state=st.just("firing"),
        active_at=st.none() | TIMES,
    ),
    st.builds(
        Notification, t=TIMES, receiver=st.just("page"), status=st.just("firing"), name=st.just("A"), labels=st.just({})
    ),
    st.builds(Clock, t=TIMES, backend=st.just("prometheus"), offset_s=TIMES, round_trip_s=TIMES),
    st.builds(Blind, t=TIMES, watcher=st.just("sink"), reason=st.just("gone")),
)


def second(t: float, *, count: int = 10, failed: int = 0) -> Traffic:
    """What clients saw in one second."""
    return Traffic(t=t, route="/a", count=count, failed=failed)


def change(t: float, action: str, fault: str = "faults/1") -> FaultChange:
    """One step of a fault."""
    return FaultChange.model_validate({"t": t, "fault": fault, "action": action})


@settings(deadline=None)
@given(event=EVENTS)
def test_every_event_is_read_as_it_was_written(event: Event) -> None:
    """One line of JSON each, without a loss."""
    line = event.model_dump_json()

    assert "\n" not in line
    assert parse_event(line) == event


def test_events_of_many_threads_are_all_there_and_whole(tmp_path: Path) -> None:
    """Each append is one write, and its order in the file is nobody's promise."""
    path = tmp_path / "history.jsonl"
    with HistoryWriter(path) as writer:

        def write(number: int) -> None:
            for t in range(50):
                writer.append(second(t, count=number), Blind(t=t, watcher="sink", reason="x" * 500))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    history = History.read(path)

    assert len(history.events) == 8 * 50 * 2
    assert sorted(event.t for event in history.events) == [event.t for event in history.events]
    assert history.count() == 50 * sum(range(8))


def test_each_append_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    """A killed drill loses nothing that it had recorded."""
    writer = HistoryWriter(tmp_path / "history.jsonl")
    writer.append(second(1))

    assert History.read(writer.path).count() == 10
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.append(second(2))


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    """The writer was killed in the middle of it."""
    path = tmp_path / "history.jsonl"
    path.write_text(second(1).model_dump_json() + "\n\n" + second(2).model_dump_json()[:20])

    assert History.read(path).count() == 10


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    """That is no accident of a killed writer, and nothing may be judged by it."""
    path = tmp_path / "history.jsonl"
    path.write_text('{"kind": "phase", "t": 1}\n' + second(2).model_dump_json() + "\n")

    with pytest.raises(HistoryError, match=r"history\.jsonl:1: not an event: Field required at \('phase', 'name'\)"):
        History.read(path)


def test_time_nought_is_the_beginning_of_the_drive() -> None:
    """A drill that never got so far has none."""
    history = History([Phase(t=20, name="drive"), Phase(t=10, name="warm_up")])

    assert (history.drive_t, history.phase("warm_up"), history.phase("cool_down")) == (20, 10, None)
    with pytest.raises(HistoryError, match="before its drive began"):
        _ = History([Phase(t=10, name="warm_up")]).drive_t


def test_requests_are_counted_in_half_open_windows() -> None:
    """So that windows side by side count each second once."""
    history = History([second(1, failed=1), second(2, failed=2), second(3, failed=4)])

    assert (history.count(), history.count(failed=True)) == (30, 7)
    assert (history.count(since=2), history.count(until=2), history.count(since=2, until=3, failed=True)) == (20, 10, 2)


def test_a_fault_was_on_from_its_first_apply_to_its_next_heal() -> None:
    """One that was never healed was on to the end, and one that was never applied was not on."""
    changes = [change(5, "applied"), change(6, "renewed"), change(9, "healed"), change(3, "healed")]
    other = [change(1, "healed", "faults/2"), change(8, "applied", "faults/2"), change(9, "failed", "faults/3")]
    history = History([*changes, *other, Phase(t=12, name="stopped")])

    assert history.fault_window("faults/1") == (5, 9)
    assert history.fault_window("faults/2") == (8, 12)
    assert history.fault_window("faults/3") is None


@pytest.mark.parametrize(("status", "failed"), [(0, True), (200, False), (404, False), (500, True), (503, True)])
def test_a_request_failed_when_it_got_no_good_answer(status: int, failed: bool) -> None:
    """The client's own mistakes are not the service's."""
    request = Request(t=1, route="/a", status=status, duration_s=0.1, trace_id="ab")

    assert request.failed is failed


def test_the_latency_buckets_are_fine_and_reach_far() -> None:
    """Each is ten per cent above the last, from a millisecond to over half a minute."""
    assert LATENCY_EDGES_S[0] == 0.001
    assert LATENCY_EDGES_S[-1] > 30
    # Edges are rounded to the microsecond, which shows in the smallest ones.
    assert all(b / a == pytest.approx(1.1, rel=1e-3) for a, b in itertools.pairwise(LATENCY_EDGES_S))


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A value that is no JSON leaves the old file as it was."""
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})

    assert path.read_text() == '{\n  "a": 1\n}\n'
    assert [path] == list(tmp_path.iterdir())
