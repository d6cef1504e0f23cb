"""Judgeable: whether the drill leaves each expectation of an outage the time and the faults without which none could be judged."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

from scenarios.model.expectations import Expectation
from scenarios.model.faults import Fault
from scenarios.model.outages import Budget, ComponentState, Recovered, Watchdog
from scenarios.model.topology import Component
from scenarios.model.value import Misfit

if TYPE_CHECKING:
    from scenarios.model import Scenario

Place = tuple[str, int, str]
"""Where an expectation stands, as far as its key."""


def misfits_of_outages(scenario: "Scenario", item: Expectation, index: int) -> Iterator[Misfit]:
    """
    What keeps one expectation of an outage from ever being judged; nothing for expectations of another kind.
    """
    place = ("expect", index, item.KEY)
    match item:
        case ComponentState():
            yield from _component(scenario, item, place)
        case Recovered():
            yield from _recovered(scenario, item, place)
        case Watchdog():
            yield from _watchdog(scenario, item, place)
        case Budget() if item.component in get_args(Component) and not scenario.exclusive:
            yield Misfit(
                f"budget of {item.component}: other drills that share the stack would be charged to it, too; "
                "add `exclusive: true` to the drill, or give a budget to a role of the app",
                *place,
                "component",
            )


def no_such_fault(scenario: "Scenario", what: str, number: int, place: Place) -> Misfit:
    """
    An expectation names a fault that the drill does not have.
    """
    return Misfit(
        f"{what}: there is no fault number {number}; the drill has {len(scenario.faults)}; "
        "`fault` is the number of one of the `faults`",
        *place,
        "fault",
    )


def _component(scenario: "Scenario", item: ComponentState, place: Place) -> Iterator[Misfit]:
    if not item.goes_down:
        return
    what = f"component {item.name}"
    if item.fault > len(scenario.faults):
        yield no_such_fault(scenario, what, item.fault, place)
        return
    fault = scenario.faults[item.fault - 1]
    if item.down_within is not None and item.down_within > fault.for_s:
        yield Misfit(
            f"{what}: `down_within` is {item.down_within:g}s, but its fault is healed after {fault.for_s:g}s; "
            f"let `down_within` be at most {fault.for_s:g}s, or the fault last longer",
            *place,
            "down_within",
        )
    yield from _in_time(scenario, what, item.back_within or 0.0, fault.end_s, (*place, "back_within"))


def _recovered(scenario: "Scenario", item: Recovered, place: Place) -> Iterator[Misfit]:
    what = f"recovered {item.signal}"
    if not scenario.faults:
        yield Misfit(f"{what}: the drill has no fault to recover from; add one to `faults`", *place)
        return
    yield from _in_time(scenario, what, item.within, max(map(_end_s, scenario.faults)), (*place, "within"))


def _watchdog(scenario: "Scenario", item: Watchdog, place: Place) -> Iterator[Misfit]:
    if item.fault > len(scenario.faults):
        yield no_such_fault(scenario, "watchdog", item.fault, place)
        return
    fault = scenario.faults[item.fault - 1]
    if item.missing_within > fault.for_s:
        yield Misfit(
            f"watchdog: `missing_within` is {item.missing_within:g}s, but its fault is healed after {fault.for_s:g}s; "
            f"let `missing_within` be at most {fault.for_s:g}s, or the fault last longer",
            *place,
            "missing_within",
        )
    yield from _in_time(scenario, "watchdog", item.back_within, fault.end_s, (*place, "back_within"))


def _end_s(fault: Fault) -> float:
    return fault.end_s


def _in_time(
    scenario: "Scenario", what: str, wanted_s: float, since_s: float, place: tuple[str, int, str, str]
) -> Iterator[Misfit]:
    """What has to happen after the healing must have the time to, while clients are there to see it."""
    load, key = scenario.load, place[-1]
    left_s = load.for_s + load.cool_down - since_s
    if wanted_s > left_s:
        yield Misfit(
            f"{what}: `{key}` is {wanted_s:g}s, but the traffic ends {left_s:g}s after the healing; lengthen `load.cool_down` "
            f"by {wanted_s - left_s:g}s to {load.cool_down + wanted_s - left_s:g}s, or let `{key}` be shorter",
            *place,
        )
