"""Consistency: whether the parts of a scenario fit together; a drill that could never pass is refused before it runs."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from scenarios.model.alert import Alert
from scenarios.model.basefault import BaseFault
from scenarios.model.expectations import Anomaly, Silent, Traces
from scenarios.model.faults import (
    BaseAppFault,
    ComponentFault,
    DiskFullFault,
    Fault,
    RequestFault,
    SlowDatabaseFault,
)
from scenarios.model.judgeable import misfits_of_outages, no_such_fault
from scenarios.model.links import LinkFault
from scenarios.model.topology import CHECKOUT_PARTS, ROUTES
from scenarios.model.treatments import DropLabelTreatment
from scenarios.model.value import Misfit

if TYPE_CHECKING:
    from scenarios.model import Scenario

LEARNING_S = 25.0
"""A detector that looks once a second needs 20 samples, and the first ones are late."""

Place = tuple[str, int]
"""Where a fault stands: its list, and its index there."""


def misfits(scenario: "Scenario") -> Iterator[Misfit]:
    """
    Everything in a scenario that contradicts something else in it, each with the place to change.
    """
    yield from _faults_outside_the_drive(scenario)
    yield from _faults_without_traffic(scenario)
    yield from _faults_in_each_others_way(scenario)
    yield from _faults_that_break_a_shared_stack(scenario)
    yield from _treatments_of_a_shared_stack(scenario)
    yield from _treatments_of_one_kind(scenario)
    for index, item in enumerate(scenario.expect):
        if isinstance(item, Alert):
            yield from _alert_that_cannot_be_judged(scenario, item, index)
        if isinstance(item, Anomaly):
            yield from _anomaly_that_cannot_be_judged(scenario, item, index)
        if isinstance(item, Traces) and (item.fault or 0) > len(scenario.faults):
            yield no_such_fault(scenario, f"traces of {item.where}", item.fault or 0, ("expect", index, "traces"))
        yield from misfits_of_outages(scenario, item, index)
        if isinstance(item, Silent):
            yield from _alert_both_wanted_and_unwanted(scenario, item, index)
    yield from _expectations_written_twice(scenario)


def _placed(scenario: "Scenario") -> list[tuple[Place, Fault]]:
    lists: tuple[tuple[str, Sequence[Fault]], ...] = (("faults", scenario.faults), ("noise", scenario.noise))
    return [((name, index), fault) for name, faults in lists for index, fault in enumerate(faults)]


def _id(place: Place) -> str:
    return f"{place[0]}/{place[1] + 1}"


def _faults_outside_the_drive(scenario: "Scenario") -> Iterator[Misfit]:
    for place, fault in _placed(scenario):
        if fault.end_s > scenario.load.for_s:
            yield Misfit(
                f"{_id(place)} ({fault.kind}) ends {fault.end_s:g}s after the warm-up, but the drive lasts "
                f"{scenario.load.for_s:g}s; let `load.for` be at least {fault.end_s:g}s, or end the fault sooner",
                *place,
                "for",
            )


def _faults_without_traffic(scenario: "Scenario") -> Iterator[Misfit]:
    """A fault that no client would ever meet could not be proved."""
    for place, fault in _placed(scenario):
        if not isinstance(fault, RequestFault | SlowDatabaseFault):
            continue
        route = getattr(fault, "route", None)
        if route is None:
            through = [known for known, roles in ROUTES.items() if fault.target in roles]
        else:
            through = ["/api/checkout"] if route in CHECKOUT_PARTS else [route]
        if not any(scenario.load.uses(known) for known in through):
            yield Misfit(
                f"{_id(place)} ({fault.kind}) breaks {route or fault.target}, which no client calls; "
                f"give a weight to one of {', '.join(through)} in `load.routes`, or break what is called",
                *place,
                "route" if route else "target",
            )


def _faults_in_each_others_way(scenario: "Scenario") -> Iterator[Misfit]:
    for (place, fault), (other_place, other) in combinations(_placed(scenario), 2):
        if _overlap(fault, other) and _collide(fault, other, same_list=place[0] == other_place[0]):
            yield Misfit(
                f"{_id(other_place)} ({other.kind}) hits the same target at the same time as {_id(place)} "
                f"({fault.kind}, from {fault.at:g}s to {fault.end_s:g}s), so nobody could tell which one was seen; "
                f"begin it at {fault.end_s:g}s or later, or change its target",
                *other_place,
                "at",
            )


def _overlap(one: BaseFault, other: BaseFault) -> bool:
    return one.at < other.end_s and other.at < one.end_s


def _collide(one: Fault, other: Fault, *, same_list: bool) -> bool:
    """Whether two faults at the same time undo or hide each other. Noise may well be of the kind of a fault."""
    for whole in (ComponentFault, LinkFault, DiskFullFault):
        if isinstance(one, whole) and isinstance(other, whole):
            return one.target == other.target
    if not same_list or one.kind != other.kind:
        return False
    if isinstance(one, BaseAppFault) and isinstance(other, BaseAppFault):
        routes = {getattr(one, "route", None), getattr(other, "route", None)}
        return getattr(one, "target", None) == getattr(other, "target", None) and (len(routes) == 1 or None in routes)
    return False


def _faults_that_break_a_shared_stack(scenario: "Scenario") -> Iterator[Misfit]:
    for place, fault in _placed(scenario):
        if (
            isinstance(fault, ComponentFault | LinkFault | DiskFullFault)
            and fault.breaks_the_stack
            and not scenario.exclusive
        ):
            yield Misfit(
                f"{_id(place)}: a {fault.kind} of {fault.target} breaks the stack for all drills that share it; "
                "add `exclusive: true` to the drill",
                *place,
                "target",
            )


def _treatments_of_a_shared_stack(scenario: "Scenario") -> Iterator[Misfit]:
    for index, treatment in enumerate(scenario.treatments):
        if treatment.OF_THE_STACK and not scenario.exclusive:
            yield Misfit(
                f"treatments/{index + 1}: another {treatment.kind} changes the stack for all drills that share it; "
                "add `exclusive: true` to the drill",
                "treatments",
                index,
                "kind",
            )


def _treatments_of_one_kind(scenario: "Scenario") -> Iterator[Misfit]:
    """A label may be dropped beside another one; anything else can be set only once."""
    for (_, one), (index, other) in combinations(enumerate(scenario.treatments), 2):
        twice = one == other if isinstance(one, DropLabelTreatment) else one.kind == other.kind
        if twice:
            yield Misfit(f"{other.kind} is set here for the second time; keep one of them", "treatments", index, "kind")


def _alert_that_cannot_be_judged(scenario: "Scenario", alert: Alert, index: int) -> Iterator[Misfit]:
    place = ("expect", index, "alert")
    if alert.fault > len(scenario.faults):
        yield no_such_fault(scenario, f"alert {alert.name}", alert.fault, place)
        return
    load, fault = scenario.load, scenario.faults[alert.fault - 1]
    if load.warm_up + fault.at <= 0:
        yield Misfit(
            f"alert {alert.name}: its fault begins with the first request, so there is no baseline in which the alert "
            "is silent; add a `load.warm_up`, such as 10s",
            *place,
            "fault",
        )
    end_s = load.for_s + load.cool_down
    for key, wanted_s, since_s, event in (
        ("within", alert.within, fault.at, "begins"),
        ("resolves_within", alert.resolves_within or 0.0, fault.end_s, "is healed"),
    ):
        if wanted_s > end_s - since_s:
            missing_s = wanted_s - (end_s - since_s)
            yield Misfit(
                f"alert {alert.name}: `{key}` is {wanted_s:g}s, but the traffic ends {end_s - since_s:g}s after its "
                f"fault {event}; lengthen `load.cool_down` by {missing_s:g}s to {load.cool_down + missing_s:g}s, "
                f"or let `{key}` be shorter",
                *place,
                key,
            )


def _anomaly_that_cannot_be_judged(scenario: "Scenario", anomaly: Anomaly, index: int) -> Iterator[Misfit]:
    place = ("expect", index, "anomaly")
    if anomaly.fault > len(scenario.faults):
        yield no_such_fault(scenario, f"anomaly of {anomaly.signal}", anomaly.fault, place)
        return
    load, fault = scenario.load, scenario.faults[anomaly.fault - 1]
    if load.warm_up + fault.at < LEARNING_S:
        yield Misfit(
            f"anomaly of {anomaly.signal}: its fault begins {load.warm_up + fault.at:g}s after the first request, but the detector "
            f"learns from {LEARNING_S:g}s of traffic first; let `load.warm_up` be at least {LEARNING_S - fault.at:g}s",
            *place,
            "fault",
        )
    left_s = load.for_s + load.cool_down - fault.at
    if anomaly.within > left_s:
        yield Misfit(
            f"anomaly of {anomaly.signal}: `within` is {anomaly.within:g}s, but the traffic ends {left_s:g}s after its fault "
            "begins; lengthen `load.cool_down`, or let `within` be shorter",
            *place,
            "within",
        )


def _alert_both_wanted_and_unwanted(scenario: "Scenario", silent: Silent, index: int) -> Iterator[Misfit]:
    for item in scenario.expect:
        if isinstance(item, Alert) and item.state != "pending" and item.told_as not in silent.except_:
            yield Misfit(
                f"alert {item.told_as} is expected to fire and to be silent, so the drill can never pass; "
                f"add {item.told_as} to `silent.except`",
                "expect",
                index,
                "silent",
                "except",
            )


def _expectations_written_twice(scenario: "Scenario") -> Iterator[Misfit]:
    for (_, one), (index, other) in combinations(enumerate(scenario.expect), 2):
        if one == other:
            yield Misfit("the same expectation stands here twice; remove one of them", "expect", index, other.KEY)
