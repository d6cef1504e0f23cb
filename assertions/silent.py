"""Silent: nothing else screamed, and the silence can be trusted. Pure."""

from collections.abc import Iterator, Mapping

from assertions.evidence import Evidence
from scenarios.history import AlertChange, Blind, History, Notification
from scenarios.model import Silent
from scenarios.record import Outcome, Rung, Verdict

WATCHDOG = "Watchdog"
"""The alert that always fires: as long as it arrives, a silent path is silent and not dead."""


def judge(silent: Silent, check_id: str, history: History, evidence: Evidence, *, namespace: str) -> Outcome:
    """
    FAIL for any alert of this drill or of the pipeline that is not excepted, and for a path that is dead;
    UNKNOWN when the watcher was blind.
    """
    title = "silent" + (f" except {', '.join(silent.except_)}" if silent.except_ else "")
    since = history.phase("drive")
    loud = sorted(set(_loud(silent, history, since or 0.0, namespace)))
    if loud:
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.FAIL,
            expected="no other alert",
            observed="; ".join(loud),
            where="prometheus, alertmanager and the notifications",
            when="from the end of the warm-up",
            hint="is the alert right and the drill's `except` too short, or is the alert too nervous?",
            facts={"unexpected": loud},
        )
    blind = next(iter(history.of(Blind)), None)
    if blind or since is None:
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.UNKNOWN,
            expected="to see every alert",
            observed=f"{blind.watcher} could not look: {blind.reason}" if blind else "the drive never began",
            hint="see the logs of the stack",
        )
    return _trusted(check_id, title, history, evidence, since)


def _loud(silent: Silent, history: History, since: float, namespace: str) -> Iterator[str]:
    def unexpected(event: AlertChange | Notification) -> bool:
        return event.name not in {*silent.except_, WATCHDOG} and _concerns(event.labels, namespace)

    for change in filter(unexpected, _firing_after(history, since)):
        yield f"{change.name} of {_whose(change.labels)} fired"
    for told in filter(unexpected, history.of(Notification)):
        if told.status == "firing" and told.t >= since:
            yield f"{told.name} of {_whose(told.labels)} was notified"


def _firing_after(history: History, since: float) -> Iterator[AlertChange]:
    """Alerts that fired at any moment from `since` on, those that had begun before and went on included."""
    latest: dict[tuple[str, frozenset[tuple[str, str]]], AlertChange] = {}
    for change in history.of(AlertChange):
        if change.t >= since:
            break
        latest[change.source, frozenset(change.labels.items())] = change
    for change in (*latest.values(), *(change for change in history.of(AlertChange) if change.t >= since)):
        if change.state == "firing":
            yield change


def _trusted(check_id: str, title: str, history: History, evidence: Evidence, since: float) -> Outcome:
    """Nothing was heard: worth something only if the watchdog was, where there is one."""
    heard = sum(1 for told in history.of(Notification) if told.name == WATCHDOG and told.t >= since)
    if heard or (WATCHDOG not in evidence.rules and "prometheus" not in evidence.problems):
        observed = f"none; the watchdog arrived {heard} times" if heard else "none; this stack has no watchdog"
        return Outcome(
            id=check_id,
            title=title,
            verdict=Verdict.PASS,
            expected="no other alert",
            observed=observed,
            facts={"watchdog": heard},
        )
    return Outcome(
        id=check_id,
        title=title,
        verdict=Verdict.FAIL,
        expected="no other alert, and the watchdog's notification",
        observed="no alert, but no watchdog either: the path to the receiver is dead, so its silence proves nothing",
        where="alertmanager and its receivers",
        when="from the end of the warm-up",
        rung=Rung.NOT_NOTIFIED,
        hint="see alertmanager's log: is the receiver's address right?",
    )


def _concerns(labels: Mapping[str, str], namespace: str) -> bool:
    """Whether an alert is of this drill's services, or of nobody's: the pipeline's own."""
    return labels.get("service_namespace", namespace) == namespace


def _whose(labels: Mapping[str, str]) -> str:
    return labels.get("service_name") or labels.get("component") or labels.get("job") or "the pipeline"
