"""Sight: who could not look when, and whether the drill itself explains it."""

from typing import Any

import pytest

from assertions.sight import blind, excused
from scenarios.history import Blind, Event, Sighted
from tests.unit.assertions.builders import T0, blinded, fault_on, history, scenario, sighted


def test_who_was_blind_is_told_with_the_reason() -> None:
    """Only of those that are asked for, and only before some moment."""
    happened = history(blinded("sink", 3), blinded("prometheus", 5))

    assert blind(happened, "prometheus") == "prometheus could not be watched: connection refused"
    assert blind(happened, "prometheus", "sink") == "sink could not be watched: connection refused"
    assert blind(happened, "alertmanager") == ""
    assert blind(happened) == ""
    assert blind(happened, "prometheus", until=T0 + 5) == ""
    assert blind(happened, "prometheus", until=T0 + 5.1) != ""


def test_who_could_look_again_was_blind_for_a_while() -> None:
    """Before and after that it saw everything; another's eyes do not help."""
    happened = history(blinded("sink", 3), sighted("prometheus", 5), sighted("sink", 7), blinded("sink", 20))

    assert (
        blind(happened, "sink", since=T0 + 4, until=T0 + 5) == "sink could not be watched for 4 s: connection refused"
    )
    assert blind(happened, "sink", until=T0 + 3) == ""
    assert blind(happened, "sink", since=T0 + 7, until=T0 + 20) == ""
    assert blind(happened, "sink", since=T0 + 7) == "sink could not be watched: connection refused"


KILL = {"kind": "kill", "target": "prometheus", "at": "5s", "for": "10s"}


def left(*events: Event, **given: Any) -> list[str]:
    """Whose blindness is left when that is excused which a kill of Prometheus from 5 s to 15 s explains."""
    drill = scenario(**{"exclusive": True, "faults": [KILL], **given})
    happened = excused(history(fault_on(5, 15), fault_on(5, 15, "noise/1"), *events), drill)
    return [f"{event.kind} {event.watcher}" for event in happened.events if isinstance(event, Blind | Sighted)]


@pytest.mark.parametrize(("since", "until"), [(5, 15), (2, 18), (4.9, 15.2), (8, 9)])
def test_who_looks_at_what_the_drill_has_killed_is_excused(since: float, until: float) -> None:
    """Give or take a look."""
    assert left(blinded("prometheus", since), sighted("prometheus", until)) == []


@pytest.mark.parametrize(("since", "until"), [(1, 15), (5, 19), (5, None), (20, 21)])
def test_blindness_beyond_the_fault_is_not_excused(since: float, until: float | None) -> None:
    """Something else is broken, too, or it did not come back."""
    ends = [] if until is None else [sighted("prometheus", until)]

    assert left(blinded("prometheus", since), *ends)[0] == "blind prometheus"


def test_another_watcher_is_not_excused() -> None:
    """It looks at something that nobody hit."""
    assert left(blinded("sink", 6), sighted("sink", 10)) == ["blind sink", "sighted sink"]


def test_only_faults_that_take_a_component_down_excuse() -> None:
    """Noise does as well; a fault of the app does not."""
    seen: list[Event] = [blinded("prometheus", 6), sighted("prometheus", 10)]
    errors = {"kind": "errors", "target": "catalog", "at": "5s", "for": "10s"}

    assert left(*seen, faults=[errors]) == ["blind prometheus", "sighted prometheus"]
    assert left(*seen, faults=[errors], noise=[KILL | {"kind": "pause"}]) == []


def test_a_fault_that_never_was_excuses_nothing() -> None:
    """Then nobody knows why it could not be watched."""
    drill = scenario(exclusive=True, faults=[KILL])
    happened = excused(history(blinded("prometheus", 6), sighted("prometheus", 10)), drill)

    assert len(list(happened.of(Blind))) == 1
