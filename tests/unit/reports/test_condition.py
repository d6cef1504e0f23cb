"""How parts fared: when one was not ready, what it used, and who could not be watched."""

from reports.condition import Unwatched, Upkeep, Used, unwatched, upkeep, used
from reports.lifecycle import Stretch
from scenarios.history import Blind, ComponentChange, Event, History, Phase, Sighted, Usage

END = 100.0


def seen(t: float, state: str, started_t: float | None = 1.0, name: str = "tempo") -> ComponentChange:
    """
    A part was found in a state.
    """
    return ComponentChange.model_validate({"t": t, "name": name, "state": state, "started_t": started_t})


def kept(*events: Event) -> tuple[Upkeep, ...]:
    """
    What is told of a drill whose first request was at 10 s.
    """
    return upkeep(History([Phase(t=10, name="warm_up"), *events]), END)


def test_what_was_ready_all_the_time_is_not_told() -> None:
    """
    Nor is what was starting before the first request.
    """
    assert kept(seen(5, "ready"), seen(5, "unready", name="users"), seen(6, "ready", name="users")) == ()


def test_what_was_down_is_told_with_its_new_beginning() -> None:
    """
    From state to state, and the first process began nothing anew.
    """
    (one,) = kept(seen(5, "ready"), seen(20, "down", None), seen(30, "unready", 30.0), seen(31, "ready", 30.0))

    assert one == Upkeep(
        name="tempo",
        spells=(Stretch(start=20, end=30, state="down"), Stretch(start=30, end=31, state="unready")),
        starts=(30.0,),
    )


def test_what_never_came_back_is_down_to_the_end() -> None:
    """
    And who went down first is told first.
    """
    found = kept(seen(30, "down", None), seen(5, "ready", name="users"), seen(20, "unready", name="users"))

    assert [one.name for one in found] == ["users", "tempo"]
    assert [one.spells[-1].end for one in found] == [END, END]


def test_a_restart_that_nobody_saw_is_told() -> None:
    """
    By the start of its process alone.
    """
    (one,) = kept(seen(5, "ready"), seen(20, "ready", 19.5))

    assert (one.spells, one.starts) == ((), (19.5,))


def test_what_was_used_goes_on_with_a_new_process() -> None:
    """
    Its CPU time begins at nought again; a part that was measured once tells nothing.
    """
    taken = [(0.0, 2.0, 10), (10.0, 5.0, 30), (20.0, 1.0, 20)]
    events = [Usage(t=t, name="tempo", cpu_s=cpu_s, memory_bytes=size) for t, cpu_s, size in taken]

    assert used(History([*events, Usage(t=1, name="users", cpu_s=1, memory_bytes=1)])) == (
        Used(name="tempo", cpu_s=4.0, cores=0.2, memory_bytes=30),
    )


def test_who_could_look_again_was_unwatched_for_a_while() -> None:
    """
    Another's eyes do not help, and without an end it is for good.
    """
    events: list[Event] = [
        Blind(t=1, watcher="sink", reason="no answer"),
        Sighted(t=2, watcher="prometheus"),
        Sighted(t=3, watcher="sink"),
        Blind(t=4, watcher="sink", reason="refused"),
    ]

    assert unwatched(History(events)) == (
        Unwatched(watcher="sink", since=1, until=3, reason="no answer"),
        Unwatched(watcher="sink", since=4, until=None, reason="refused"),
    )
