"""Course: what an alert must do from the baseline to its end, step by step, and what is wrong where it does not. Pure."""

from collections.abc import Callable, Iterator, Mapping

from assertions.bound import Bound
from assertions.content import said
from assertions.ordeal import Ordeal, Problem
from assertions.trail import why_not_evaluated, why_not_told
from assertions.wording import listed, percent, seconds
from scenarios.model import SYNTHETIC
from scenarios.record import Rung

DOES: Mapping[str, str] = {
    "firing": "it fires",
    "pending": "it is pending",
    "nodata": "it fires for want of data",
    "error": "it fires as its rule cannot be evaluated",
}
"""Each state as what the alert does."""

DID: Mapping[str, str] = {"firing": "fired", "pending": "pending", "nodata": "no data", "error": "an error"}
"""Each state as what was observed."""


def _before(ordeal: Ordeal) -> Iterator[Problem]:
    if ordeal.life.before:
        yield Problem(
            expected="silence before the fault",
            observed=f"it was {ordeal.life.before} already, so nothing shows that the fault caused it",
            where=ordeal.source,
            hint="what was it about? find out in the report, or let the warm-up be longer",
        )


def _fired(ordeal: Ordeal) -> Iterator[Problem]:
    alert, detect_s = ordeal.alert, ordeal.detect_s
    expected = f"{DOES[alert.state]} within {seconds(alert.within)}"
    if detect_s is None:
        rung, hint = why_not_evaluated(ordeal)
        yield Problem(
            expected=expected,
            observed="it got no further than pending" if ordeal.life.active_t else f"it never {_got_there(ordeal)}",
            where=ordeal.source,
            hint=hint,
            rung=rung,
            unless_blind=(ordeal.source, "sink"),
        )
    elif detect_s > alert.within:
        yield Problem(
            expected=expected,
            observed=_late(detect_s, alert.within),
            where=ordeal.source,
            hint=_compared(ordeal.bound),
            unless_blind=(ordeal.source,),
        )


def _told(ordeal: Ordeal) -> Iterator[Problem]:
    alert, life = ordeal.alert, ordeal.life
    if not alert.notified:
        return
    to = f" to {alert.receiver!r}" if alert.receiver else ""
    expected = f"it is notified{to} within {seconds(alert.within)}"
    if life.astray:
        yield Problem(
            expected=expected,
            observed=f"it fired, but was notified to {listed(life.astray)} instead",
            where=ordeal.teller,
            hint="does a route match the alert's labels, and does it lead to this receiver?",
            rung=Rung.NOT_NOTIFIED,
            unless_blind=("sink",),
        )
    elif life.notified_t is None:
        yield Problem(
            expected=expected,
            observed="it fired, but no notification arrived",
            where=ordeal.teller,
            hint=why_not_told(ordeal),
            rung=Rung.NOT_NOTIFIED,
            unless_blind=("sink",),
        )
    elif life.notified_t - ordeal.on_t > alert.within:
        yield Problem(
            expected=expected,
            observed=_late(life.notified_t - ordeal.on_t, alert.within),
            where=ordeal.teller,
            hint="is `group_wait` of its route long, or did the receiver refuse the first try?",
        )


def _lasted(ordeal: Ordeal) -> Iterator[Problem]:
    """As long as the fault is on, what the alert is about goes on."""
    lapsed_t, refired_t = ordeal.life.lapsed_t, ordeal.life.refired_t
    if lapsed_t is None or lapsed_t >= ordeal.healing_t:
        return
    observed = f"it resolved {seconds(ordeal.healing_t - lapsed_t)} before the healing"
    if refired_t is not None:
        observed += f", and fired again {seconds(refired_t - lapsed_t)} later"
    yield Problem(
        expected=f"{DOES[ordeal.alert.state]} as long as the fault lasts",
        observed=observed,
        where=ordeal.source,
        hint="did its data have gaps? is its window shorter than the pauses between what it counts?",
    )


def _over(ordeal: Ordeal) -> Iterator[Problem]:
    limit_s, life = ordeal.alert.resolves_within, ordeal.life
    if limit_s is None:
        return
    yield from _over_in_time(ordeal, "resolves", life.resolved_t, limit_s, ordeal.source)
    # Grafana lets these expire, minutes later, and tells nobody that they are over before.
    if ordeal.alert.notified and ordeal.alert.state not in SYNTHETIC:
        yield from _over_in_time(ordeal, "is notified as resolved", life.resolved_notified_t, limit_s, "sink")


def _over_in_time(ordeal: Ordeal, what: str, t: float | None, limit_s: float, watcher: str) -> Iterator[Problem]:
    if t is not None and t - ordeal.healed_t <= limit_s:
        return
    yield Problem(
        expected=f"it {what} within {seconds(limit_s)} of the healing",
        observed="it did not" if t is None else _late(t - ordeal.healed_t, limit_s),
        where=ordeal.teller if watcher == "sink" else watcher,
        hint="compare with the shortest window of its rule: so long at least it remembers the fault",
        unless_blind=(watcher,),
    )


def _in_its_bound(ordeal: Ordeal) -> Iterator[Problem]:
    share, bound_s, detect_s = ordeal.alert.within_bound, ordeal.bound.seconds, ordeal.detect_s
    if share is None or bound_s is None or detect_s is None or detect_s <= share * bound_s:
        return
    yield Problem(
        expected=f"{DOES[ordeal.alert.state]} within {percent(share)} of its bound of {seconds(bound_s)}",
        observed=f"after {seconds(detect_s)}, {percent(detect_s / bound_s)} of it",
        where=ordeal.source,
        hint="which hop is slower than its configuration says? is the machine busy?",
        unless_blind=(ordeal.source,),
    )


STEPS: tuple[Callable[[Ordeal], Iterator[Problem]], ...] = (
    _before,
    _fired,
    _told,
    said,
    _lasted,
    _over,
    _in_its_bound,
)
"""What can be wrong, in the order of an alert's life; the first problem is the one that is told."""


def _got_there(ordeal: Ordeal) -> str:
    return {"firing": "fired", "pending": "was pending"}.get(ordeal.alert.state, "fired as it should")


def _late(took_s: float, limit_s: float) -> str:
    return f"after {seconds(took_s)}, {seconds(took_s - limit_s)} too late"


def _compared(bound: Bound) -> str:
    if bound.seconds is None:
        return f"there is no bound to compare with: {bound.why}"
    return (
        f"its bound by formula and configuration is {seconds(bound.seconds)}: is `within` too short, or the path slow?"
    )
