"""Annotations: a drill and each of its faults as marked regions on Grafana's dashboards, for people who look there later."""

from collections.abc import Iterator
from dataclasses import dataclass

from assertions.grafana import Grafana
from scenarios.history import History
from scenarios.model import Fault, Scenario

TAG = "tocsin"
"""All annotations of drills carry it; dashboards show what has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One annotation; times in seconds since the epoch."""

    start_t: float
    end_t: float
    text: str
    tags: tuple[str, ...]


def regions(scenario: Scenario, history: History, *, run_id: str) -> Iterator[Region]:
    """The whole drill from its first to its last request, and every fault that was on. Pure."""
    start_t, end_t = history.phase("warm_up"), history.phase("stopped") or history.phase("aborted")
    if start_t is not None and end_t is not None:
        text = f"drill {scenario.name}: {' '.join(scenario.why.split())}"
        yield Region(start_t=start_t, end_t=end_t, text=text, tags=(TAG, run_id, "drill"))
    for where, faults in (("faults", scenario.faults), ("noise", scenario.noise)):
        for number, fault in enumerate(faults, 1):
            on = history.fault_window(f"{where}/{number}")
            if on is not None:
                yield Region(start_t=on[0], end_t=on[1], text=_words(fault), tags=(TAG, run_id, "fault", fault.kind))


def annotate(grafana: Grafana, scenario: Scenario, history: History, *, run_id: str) -> int:
    """Write them all, and say how many. Raises BackendError when Grafana does not take one."""
    count = 0
    for region in regions(scenario, history, run_id=run_id):
        grafana.annotate(region.text, tags=region.tags, start_t=region.start_t, end_t=region.end_t)
        count += 1
    return count


def _words(fault: Fault) -> str:
    target = getattr(fault, "target", "")
    return f"fault {fault.kind}" + (f" in {target}" if target else "")
