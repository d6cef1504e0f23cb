"""The state machine of one alert instance: what an evaluation makes of it. Pure; times in epoch seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from stack.standins.grafana.labels import Labels
from stack.standins.grafana.provisioning.rules import Rule

RESEND_DELAY_S = 30.0
MISSING_SERIES = "MissingSeries"


class State(StrEnum):
    """Grafana's states of an alert instance."""

    NORMAL = "Normal"
    PENDING = "Pending"
    ALERTING = "Alerting"
    RECOVERING = "Recovering"
    NO_DATA = "NoData"
    ERROR = "Error"


FIRING = (State.ALERTING, State.RECOVERING)
ACTIVE = (State.ALERTING, State.RECOVERING, State.NO_DATA, State.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one evaluation said about one instance; `error` is empty unless it failed."""

    labels: Labels
    state: State
    values: Mapping[str, float] = field(default_factory=dict)
    value_string: str = ""
    error: str = ""
    failed_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One alert instance; `starts_s` is None as long as it has never left Normal; `key` names it within its rule."""

    rule_uid: str
    key: str
    labels: Labels
    annotations: Mapping[str, str]
    state: State = State.NORMAL
    reason: str = ""
    starts_s: float | None = None
    ends_s: float = 0.0
    evaluated_s: float = 0.0
    sent_s: float | None = None
    resolved: bool = False
    outcome: Outcome

    @property
    def shown(self) -> str:
        """
        State and reason: `Alerting (NoData)`.
        """
        return f"{self.state} ({self.reason})" if self.reason else str(self.state)

    @property
    def must_be_sent(self) -> bool:
        """
        Whether the Alertmanager has to hear of it now: a resolution at once, an active one every 30 s.
        """
        if self.state is State.PENDING:
            return False
        if self.state is State.NORMAL:
            return self.resolved
        return self.sent_s is None or self.sent_s + RESEND_DELAY_S <= self.evaluated_s


def ends_after(rule: Rule, at_s: float) -> float:
    """
    How long an active alert counts as such without being heard of again.
    """
    return at_s + 4 * max(rule.interval_s, RESEND_DELAY_S)


def advance(rule: Rule, before: Instance, outcome: Outcome, at_s: float) -> Instance:
    """
    The instance after one evaluation.
    """
    now = replace(before, evaluated_s=at_s, outcome=outcome, resolved=False)
    match outcome.state:
        case State.NORMAL:
            after = _normal(rule, now, "")
        case State.ALERTING:
            after = _alerting(rule, now, "")
        case State.NO_DATA:
            after = _mapped(rule, now, rule.no_data_state, State.NO_DATA)
        case _:
            after = _mapped(rule, now, rule.error_state, State.ERROR)
    return replace(after, resolved=_was_resolved(before, after))


def gone(before: Instance, at_s: float) -> Instance:
    """
    An instance whose series has vanished: normal, and resolved if it was firing.
    """
    return replace(
        before,
        state=State.NORMAL,
        reason=MISSING_SERIES,
        ends_s=at_s,
        evaluated_s=at_s,
        resolved=before.state in FIRING,
    )


def is_stale(rule: Rule, instance: Instance, at_s: float) -> bool:
    """
    Whether the instance has been missing from as many evaluations as the rule allows.
    """
    return at_s - instance.evaluated_s >= rule.missing_evaluations * rule.interval_s


def _mapped(rule: Rule, now: Instance, choice: str, own: State) -> Instance:
    # What a rule makes of no data or an error: a state of its own (which does not wait for `for`), or another's.
    if choice == "Alerting":
        return _alerting(rule, now, str(own))
    if choice == "OK":
        return _normal(rule, now, str(own))
    if choice == "KeepLast":
        return _kept(rule, now, own)
    if now.state is own:
        return replace(now, ends_s=ends_after(rule, now.evaluated_s))
    return replace(now, state=own, reason="", starts_s=now.evaluated_s, ends_s=ends_after(rule, now.evaluated_s))


def _kept(rule: Rule, now: Instance, own: State) -> Instance:
    reason = f"{own}, KeepLast"
    if now.state in (State.ALERTING, State.PENDING):
        return _alerting(rule, now, reason)
    if now.state is State.RECOVERING:
        return replace(now, ends_s=ends_after(rule, now.evaluated_s), reason=reason)
    return _normal(rule, now, reason)


def _normal(rule: Rule, now: Instance, reason: str) -> Instance:
    at_s = now.evaluated_s
    if now.state is State.NORMAL:
        # No data that counts as normal has been so since it was first seen.
        starts_s = at_s if reason == State.NO_DATA and now.starts_s is None else now.starts_s
        return replace(now, reason=reason, starts_s=starts_s, ends_s=at_s)
    if now.state is State.ALERTING and rule.keep_firing_s > 0:
        return replace(now, state=State.RECOVERING, reason=reason, starts_s=at_s, ends_s=ends_after(rule, at_s))
    if now.state is State.RECOVERING and at_s - (now.starts_s or at_s) < rule.keep_firing_s:
        return replace(now, ends_s=ends_after(rule, at_s))
    return replace(now, state=State.NORMAL, reason=reason, starts_s=at_s, ends_s=at_s)


def _alerting(rule: Rule, now: Instance, reason: str) -> Instance:
    at_s = now.evaluated_s
    until_s = ends_after(rule, at_s)
    if now.state is State.ALERTING:
        return replace(now, reason=reason, ends_s=until_s)
    if now.state is State.PENDING:
        if at_s - (now.starts_s or at_s) < rule.for_s:
            return replace(now, reason=reason, ends_s=until_s)
    elif now.state is not State.RECOVERING and rule.for_s > 0:
        return replace(now, state=State.PENDING, reason=reason, starts_s=at_s, ends_s=until_s)
    return replace(now, state=State.ALERTING, reason=reason, starts_s=at_s, ends_s=until_s)


def _was_resolved(before: Instance, after: Instance) -> bool:
    return before.state in ACTIVE and after.state is State.NORMAL
