"""Display: what the terminal says, as text."""

import io
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from rich.console import Console

from scenarios.history import AlertChange, FaultChange, Phase, Traffic
from scenarios.record import Outcome, Record, Rung, Verdict
from stack.runtimes.stack import Stack
from tests.unit.tocsin.saved import record
from tocsin.display import live_table, show_record, show_stack, watch
from tocsin.fleet import Fleet
from tocsin.live import Live


def console(*, terminal: bool = False) -> Console:
    """A wide one whose output can be read back."""
    return Console(file=io.StringIO(), record=True, width=160, force_terminal=terminal)


def shown(a_record: Record, runs: Path = Path("runs")) -> str:
    """What is printed of a record."""
    screen = console()
    show_record(a_record, runs, screen)
    return screen.export_text()


class FakeFleet:
    """A fleet whose drills change whenever somebody looks, and then end."""

    def __init__(self, *looks: Sequence[tuple[Live, str]]) -> None:
        self._looks = list(looks)

    def done(self) -> bool:
        """After the last look."""
        return len(self._looks) <= 1

    def lives(self) -> list[Live]:
        """The drills, a step further."""
        look = self._looks.pop(0) if self._looks else ()
        for live, stage in look:
            live.enter(stage)
        return [live for live, _ in look]


def test_a_pass_says_what_was_seen() -> None:
    """In short; where the report is comes last."""
    text = shown(record())

    assert "PASS small-1" in text
    assert "PASS    sli availability: seen" in text
    assert text.rstrip().endswith("report: runs/small-1/report.html")


def test_a_treated_drill_says_so() -> None:
    """Its figures are those of another configuration."""
    treatments = [{"kind": "sampling", "ratio": "10%"}]
    treated = record().model_copy(update={"scenario": {"treatments": treatments}})

    assert "treated: sampling 10%" in shown(treated)
    assert "treated" not in shown(record())


def test_a_fail_is_a_whole_sentence_with_its_rung() -> None:
    """Expected, observed, where, when, what to try."""
    outcome = Outcome(
        id="expect/1",
        title="alert X",
        verdict=Verdict.FAIL,
        expected="it fires within 5 s",
        observed="it never fired",
        where="prometheus",
        hint="is the rule loaded?",
        rung=Rung.NOT_EVALUATED,
    )
    text = " ".join(shown(record(outcomes=(outcome,))).split())

    assert (
        "FAIL alert X: expected it fires within 5 s, observed it never fired, [NOT_EVALUATED], in prometheus; "
        "is the rule loaded?"
    ) in text


def test_a_problem_and_stand_ins_are_told() -> None:
    """Nobody shall take a stand-in for the real one."""
    text = shown(record(problem="the disk is full"))

    assert "UNKNOWN small-1" in text
    assert "problem the disk is full" in text
    assert "stand-in in place of the real one: tempo" in text
    assert "stand-in" not in shown(record(parts=()))


def test_nothing_in_a_record_is_taken_for_markup() -> None:
    """Square brackets in a message or a path are printed as they are."""
    odd = "[red]a[/red] [bold]"
    outcome = Outcome(id="expect/1", title=odd, verdict=Verdict.FAIL, expected=odd, observed=odd)

    text = shown(record(outcomes=(outcome,), problem=odd), Path("[red]runs"))

    assert text.count(odd) == 4
    assert "report: [red]runs/small-1/report.html" in text


def test_the_live_table_shows_what_is_broken_and_what_screams() -> None:
    """Each drill is a row."""
    live = Live(name="small", total_s=15)
    live.see(
        Phase(t=1, name="drive"),
        Traffic(t=1, route="/api/products", count=20, failed=3),
        Traffic(t=2, route="/api/products", count=1),
        FaultChange(t=2, fault="faults/1", action="applied"),
        AlertChange(t=2, source="prometheus", name="ErrorRateHigh", labels={"service_name": "catalog"}, state="firing"),
    )
    done = Live(name="other", total_s=15, verdict="FAIL")
    screen = console()
    screen.print(live_table([live, done]))
    lines = screen.export_text().splitlines()

    row = next(line for line in lines if " small " in line)
    for text in ("drive", " 20 ", "3 of 21", "faults/1", "ErrorRateHigh catalog: firing"):
        assert text in row
    assert any(" other " in line and " FAIL " in line for line in lines)


def test_where_there_is_no_terminal_each_change_of_stage_is_a_line() -> None:
    """A log of a build stays readable: two drills of the same name do not take turns in it forever."""
    one, other = Live(name="same", total_s=1), Live(name="same", total_s=1)
    fleet = FakeFleet(
        [(one, "starting"), (other, "warm up")],
        [(one, "starting"), (other, "warm up")],
        [(one, "done"), (other, "done")],
    )
    screen = console()

    watch(cast("Fleet", fleet), screen)

    assert screen.export_text().splitlines() == ["same: starting", "same: warm up", "same: done", "same: done"]


def test_on_a_terminal_the_table_is_drawn_until_all_have_ended() -> None:
    """And goes away then."""
    live = Live(name="small", total_s=1)
    drawn = threading.Event()

    class Watched(FakeFleet):
        def lives(self) -> list[Live]:
            drawn.set()
            return super().lives()

    watch(cast("Fleet", Watched([(live, "drive")], [])), console(terminal=True))

    assert drawn.is_set()


class FakeStack:
    """A stack of two components."""

    def __init__(self, ready: Mapping[str, bool]) -> None:
        self._ready = ready

    def running(self) -> Mapping[str, SimpleNamespace]:
        """Both."""
        component = SimpleNamespace(ready="http/-/ready")
        return {
            "prometheus": SimpleNamespace(version="3", stand_in=False, component=component),
            "tempo": SimpleNamespace(version="3", stand_in=True, component=component),
        }

    def ready(self, name: str) -> bool:
        """Whether it answers."""
        return self._ready[name]

    def url(self, port: str) -> str:
        """Its address."""
        return f"http://127.0.0.1/{port}"


def test_a_stack_is_shown_with_the_state_of_each_component() -> None:
    """Whether all are ready is the answer."""
    screen = console()

    assert not show_stack(cast("Stack", FakeStack({"prometheus": True, "tempo": False})), screen)
    rows = [" ".join(line.split()) for line in screen.export_text().splitlines()]
    assert "prometheus 3 http://127.0.0.1/prometheus.http ready" in rows
    assert "tempo 3 (stand-in) http://127.0.0.1/tempo.http does not answer" in rows

    assert show_stack(cast("Stack", FakeStack({"prometheus": True, "tempo": True})), console())
