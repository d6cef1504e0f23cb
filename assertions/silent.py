"""Silent: nothing else screamed, and the silence can be trusted. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from assertions.check import Check
from assertions.evidence import Evidence
from assertions.life import is_of_drill
from assertions.sight import blind
from assertions.watchdog import WATCHDOG
from assertions.wording import listed, seconds
from scenarios.history import AlertChange, History, Notification
from scenarios.model import Silent
from scenarios.record import Outcome, Rung

OVERDUE = 2.0
"""A watchdog is overdue when it was not heard for so many times its longest pause before."""

GRACE_S = 2.0
"""What a watchdog may be late on top: polls, and a busy machine."""

_WATCHERS = ("prometheus", "alertmanager", "grafana", "sink")


def judge(silent: Silent, check: Check, history: History, evidence: Evidence, *, namespace: str) -> Outcome:
    """
    FAIL for any alert of this drill or of the pipeline that is not excepted, and for a path that is dead;
    UNKNOWN when a watcher was blind, or nothing could have screamed.
    """
    expected = f"no alert but {listed(silent.except_)}" if silent.except_ else "no alert"
    since = history.phase("drive")
    loud = _loud(silent, history, since or 0.0, namespace)
    if loud:
        return check.failed(
            expected=expected,
            observed="; ".join(loud),
            where="the alerts of prometheus, alertmanager and grafana, and the notifications",
            when="from the end of the warm-up",
            hint="is the alert right and the drill's `except` too short, or is the alert too nervous?",
            facts={"unexpected": loud},
        )
    if since is None:
        return check.unknown(expected=expected, observed="the drive never began")
    sightless = blind(history, *_WATCHERS, since=since)
    if sightless:
        return check.unknown(expected=expected, observed=f"none was seen; but {sightless}")
    return _trusted(check, expected, history, evidence, since)


def _loud(silent: Silent, history: History, since: float, namespace: str) -> list[str]:
    """What screamed and should not have, in words and in order of time."""
    found: dict[tuple[str, str], list[str]] = {}

    def note(event: AlertChange | Notification, what: str) -> None:
        if event.name in {*silent.except_, WATCHDOG} or not is_of_drill(event.labels, namespace):
            return
        words = found.setdefault((event.name, _whose(event.labels)), [])
        if not any(word.startswith(what) for word in words):
            words.append(f"{what} {_when(event.t - since)}")

    for change in _firing_from(history, since):
        note(change, "fired")
    for told in history.of(Notification):
        if told.status == "firing" and told.t >= since:
            note(told, "was notified")
    return [f"{name} of {whose} {' and '.join(words)}" for (name, whose), words in found.items()]


def _when(after_s: float) -> str:
    return f"{seconds(after_s)} after the warm-up" if after_s >= 0 else "before the end of the warm-up and went on"


def _firing_from(history: History, since: float) -> Iterator[AlertChange]:
    """Alerts that fired at any moment from `since` on, those that had begun before and went on included."""
    latest: dict[tuple[str, frozenset[tuple[str, str]]], AlertChange] = {}
    later: list[AlertChange] = []
    for change in history.of(AlertChange):
        if change.t < since:
            latest[change.source, frozenset(change.labels.items())] = change
        else:
            later.append(change)
    return (change for change in (*latest.values(), *later) if change.alarming)


def _trusted(check: Check, expected: str, history: History, evidence: Evidence, since: float) -> Outcome:
    """Nothing was heard: worth something only if the watchdog was, where there is one."""
    arrivals = [told.t for told in history.of(Notification) if told.name == WATCHDOG and told.status == "firing"]
    heard = sum(1 for t in arrivals if t >= since)
    facts = {"watchdog": heard}
    if not heard and "prometheus" in evidence.problems:
        return check.unknown(
            expected=f"{expected}, and to know whether there is a watchdog",
            observed=f"no alert; but {evidence.problems['prometheus']}",
        )
    if not heard and not evidence.rules:
        return check.unknown(
            expected=f"{expected}, of rules that could fire",
            observed="no alert; but prometheus has no alerting rules at all, so its silence proves nothing",
            hint="is the rule file loaded?",
        )
    if not heard and WATCHDOG not in evidence.rules:
        return check.passed(expected=expected, observed="none; this stack has no watchdog", facts=facts)
    flaw = _flaw(arrivals, heard, history.events[-1].t)
    if not flaw:
        return check.passed(expected=expected, observed=f"none; the watchdog arrived {_times(heard)}", facts=facts)
    return check.failed(
        expected=f"{expected}, and the watchdog's notification again and again",
        observed=f"no alert, but {flaw}: the path to the receiver is dead, so its silence proves nothing",
        where="alertmanager and its receivers",
        when="from the end of the warm-up",
        rung=Rung.NOT_NOTIFIED,
        hint="see alertmanager's log: is the receiver's address right?",
        facts=facts,
    )


def _flaw(arrivals: Sequence[float], heard: int, end_t: float) -> str:
    """Why a watchdog cannot be trusted, in words; empty when it can."""
    if not heard:
        return "no watchdog either"
    pauses = [after - before for before, after in pairwise(arrivals)]
    quiet_s = end_t - arrivals[-1]
    if pauses and quiet_s > OVERDUE * max(pauses) + GRACE_S:
        return f"the watchdog, which came at least every {seconds(max(pauses))}, was not heard in the last {seconds(quiet_s)}"
    return ""


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _whose(labels: Mapping[str, str]) -> str:
    return labels.get("service_name") or labels.get("component") or labels.get("job") or "the pipeline"
