"""Stacks: what is refused before anything starts; whole ones are started by the end-to-end tests."""

from dataclasses import replace
from pathlib import Path

import pytest

from stack.components import OPTIONAL, TEMPO
from stack.errors import StackError
from stack.runtimes.roster import Roster
from stack.runtimes.stack import SMALL_DISK_MB, Stack, table_of, with_small_disks


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state folder of the test's own."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))


def test_an_unknown_runtime_is_refused_and_leaves_nothing() -> None:
    """The message names those that there are."""
    with pytest.raises(StackError, match="no runtime 'lorries'; there is: processes"):
        Stack.create(runtime="lorries")

    assert list(Roster.all()) == []


def test_an_unknown_extra_is_refused_and_leaves_nothing() -> None:
    """The message names those that there are."""
    with pytest.raises(StackError, match=f"no optional component 'loki'; there is: {', '.join(sorted(OPTIONAL))}"):
        Stack.create(extras=["loki"])

    assert list(Roster.all()) == []


def test_a_small_disk_for_nobody_is_refused() -> None:
    """The message names those that there are; the others of the table stay what they are."""
    table = table_of([])

    assert with_small_disks(table, ["tempo"]) == table | {"tempo": replace(TEMPO, disk_mb=SMALL_DISK_MB)}
    with pytest.raises(StackError, match=r"no component 'loki' that could have a small disk; there is: sink, tempo, "):
        with_small_disks(table, ["loki"])


def test_a_port_that_nobody_has_is_refused_and_leaves_nothing() -> None:
    """The message names all that there are."""
    with pytest.raises(StackError, match=r"--port loki.http=3100: no such port; known: .*prometheus\.http"):
        Stack.create(fixed_ports={"loki.http": 3100})

    assert list(Roster.all()) == []


def test_without_a_standing_stack_there_is_none_to_find() -> None:
    """Rosters of drills are none, and neither is a stack that was not ready yet."""
    drill, unready = Roster.create("drill"), Roster.create("stack")
    drill.release()

    assert Stack.standing() is None
    drill.disband()
    unready.disband()
