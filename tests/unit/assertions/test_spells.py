"""Spells: when something was down, by what was noted of it."""

from assertions.spells import Spell, restarts, spells, watched
from scenarios.history import ComponentChange
from tests.unit.assertions.builders import T0, found, history


def seen(*changes: ComponentChange) -> list[tuple[float, float | None]]:
    """The spells of Tempo, in seconds of the drill."""
    return [(one.down_t - T0, None if one.up_t is None else one.up_t - T0) for one in spells(history(changes), "tempo")]


def test_down_until_it_is_ready_again() -> None:
    """A start that takes time belongs to it, and others do not matter."""
    changes = [found(-9, "ready"), found(5, "down"), found(12, "unready", started=12), found(13, "ready", started=12)]

    assert seen(*changes, found(6, "down", "users")) == [(5, 13)]


def test_one_that_hangs_is_down_though_it_runs() -> None:
    """Nothing answers."""
    assert seen(found(-9, "ready"), found(5, "unready"), found(9, "ready")) == [(5, 9)]


def test_one_that_does_not_come_back_is_down_to_the_end() -> None:
    """Without an end."""
    assert seen(found(-9, "ready"), found(5, "down")) == [(5, None)]


def test_a_restart_that_nobody_saw_is_a_spell_without_length() -> None:
    """It began when its new process did, or when that was seen, by whichever clock is behind."""
    assert seen(found(-9, "ready"), found(5.5, "ready", started=5)) == [(5, 5.5)]
    assert seen(found(-9, "ready"), found(5.5, "ready", started=7)) == [(5.5, 5.5)]


def test_what_was_ready_all_the_time_has_none() -> None:
    """And so has what nobody looked at."""
    assert seen(found(-9, "ready")) == []
    assert seen() == []


def test_restarts_are_known_by_the_start_of_the_process() -> None:
    """A thaw is none, and the first process was there before."""
    changes = [
        found(-9, "ready"),
        found(5, "unready"),
        found(7, "ready"),
        found(9, "down"),
        found(10, "ready", started=9),
    ]

    assert restarts(history(changes), "tempo") == (T0 + 9,)
    assert restarts(history(changes), "users") == ()


def test_everybody_who_was_looked_after_is_named_once() -> None:
    """In the order in which they were first seen."""
    assert watched(history(found(-9, "ready"), found(-8, "ready", "users"), found(5, "down"))) == ("tempo", "users")


def test_a_spell_overlaps_what_it_shares_a_moment_with() -> None:
    """One without an end overlaps all that comes later."""
    spell = Spell(down_t=5, up_t=9)

    assert [spell.overlaps(*stretch) for stretch in ((0, 5), (0, 6), (6, 7), (8, 20), (9, 20))] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert Spell(down_t=5).overlaps(100, 101)
