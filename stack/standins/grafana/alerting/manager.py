"""All alert instances: what became of them, what must be told, and what the history keeps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stack.standins.grafana.alerting.rendering import instance_annotations, instance_labels
from stack.standins.grafana.alerting.states import ACTIVE, Instance, Outcome, State, advance, gone, is_stale
from stack.standins.grafana.labels import Labels, fingerprint
from stack.standins.grafana.provisioning.rules import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """An instance before and after one evaluation; `before` is None when it is new."""

    rule: Rule
    before: Instance | None
    after: Instance

    @property
    def previous(self) -> str:
        """
        State and reason before.
        """
        return self.before.shown if self.before else str(State.NORMAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The last evaluation of a rule."""

    at_s: float
    took_s: float
    health: str
    error: str = ""


class Manager:
    """Keeps the instances of all rules; each change is handed to `record`, what must be told to `send`."""

    def __init__(
        self,
        external_url: str,
        send: Callable[[Rule, Instance], None],
        record: Callable[[Transition], None],
    ) -> None:
        self._external_url = external_url
        self._send = send
        self._record = record
        self._instances: dict[str, dict[str, Instance]] = {}
        self.evaluated: dict[str, Evaluated] = {}

    def process(self, rule: Rule, outcomes: Sequence[Outcome], at_s: float, took_s: float) -> None:
        """
        Take in one evaluation of a rule.
        """
        known = self._instances.setdefault(rule.uid, {})
        for outcome in self._spread(rule, outcomes):
            self._take(rule, known, outcome, at_s)
        for key, instance in list(known.items()):
            if instance.evaluated_s < at_s and is_stale(rule, instance, at_s):
                del known[key]
                self._changed(Transition(rule=rule, before=instance, after=gone(instance, at_s)))
        self.evaluated[rule.uid] = Evaluated(
            at_s=at_s, took_s=took_s, health=_health(rule, outcomes), error=_error(rule, outcomes)
        )

    def instances(self, rule_uid: str) -> Sequence[Instance]:
        """
        The instances of a rule, sorted by labels.
        """
        return [self._instances.get(rule_uid, {})[key] for key in sorted(self._instances.get(rule_uid, {}))]

    def all(self) -> Iterator[Instance]:
        """
        The instances of all rules.
        """
        for rule_uid in self._instances:
            yield from self.instances(rule_uid)

    def active(self, rule: Rule) -> Sequence[str]:
        """
        The fingerprints (of the result's labels) that a threshold with hysteresis has to know.
        """
        on = (State.ALERTING, State.PENDING, State.RECOVERING)
        return [fingerprint(one.outcome.labels) for one in self.instances(rule.uid) if one.state in on]

    def reset(self, rules: Sequence[Rule], at_s: float) -> None:
        """
        Forget all instances, resolving those that are active: what Grafana does when its rules are provisioned again.
        """
        for rule in rules:
            for instance in self.instances(rule.uid):
                if instance.state in ACTIVE:
                    ended = replace(instance, state=State.NORMAL, reason="Updated", ends_s=at_s, resolved=True)
                    self._changed(Transition(rule=rule, before=instance, after=ended))
        self._instances.clear()
        self.evaluated.clear()

    def restore(self, instances: Sequence[Instance]) -> None:
        """
        Take back the instances of an earlier run.
        """
        for instance in instances:
            self._instances.setdefault(instance.rule_uid, {})[instance.key] = instance

    def _spread(self, rule: Rule, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        # Under KeepLast a result without labels speaks for every instance that there is.
        if len(outcomes) != 1 or not self._instances.get(rule.uid):
            return outcomes
        choice = {State.NO_DATA: rule.no_data_state, State.ERROR: rule.error_state}.get(outcomes[0].state)
        if choice != "KeepLast":
            return outcomes
        known = self._instances[rule.uid].values()
        return [replace(one.outcome, state=outcomes[0].state, error=outcomes[0].error) for one in known]

    def _take(self, rule: Rule, known: dict[str, Instance], outcome: Outcome, at_s: float) -> None:
        labels = instance_labels(rule, outcome, self._external_url)
        key = _key(labels)
        before = known.get(key)
        fresh = before or Instance(rule_uid=rule.uid, key=key, labels=labels, annotations={}, outcome=outcome)
        if outcome.state is State.ERROR and rule.error_state == "Error" and outcome.failed_ref:
            # The query to blame becomes part of the labels (and stays, should the next error be another's).
            fresh = replace(fresh, labels={**fresh.labels, **_blamed(rule, outcome)})
        annotations = instance_annotations(rule, outcome, self._external_url)
        if outcome.error:
            annotations = {**annotations, "Error": outcome.error}
        after = advance(rule, replace(fresh, annotations=annotations), outcome, at_s)
        known[key] = self._changed(Transition(rule=rule, before=before, after=after))

    def _changed(self, transition: Transition) -> Instance:
        after = transition.after
        if transition.previous != after.shown:
            self._record(transition)
        if after.must_be_sent:
            after = replace(after, sent_s=after.evaluated_s)
            self._send(transition.rule, after)
        return after


def _key(labels: Labels) -> str:
    return "\xff".join(f"{name}\xfe{labels[name]}" for name in sorted(labels))


def _blamed(rule: Rule, outcome: Outcome) -> Mapping[str, str]:
    uid = next(query.datasource_uid for query in rule.queries if query.ref == outcome.failed_ref)
    return {"datasource_uid": uid, "ref_id": outcome.failed_ref}


def _health(rule: Rule, outcomes: Sequence[Outcome]) -> str:
    for outcome in outcomes:
        if outcome.state is State.ERROR and rule.error_state != "OK":
            return "error"
        if outcome.state is State.NO_DATA and rule.no_data_state == "NoData":
            return "nodata"
    return "ok"


def _error(rule: Rule, outcomes: Sequence[Outcome]) -> str:
    return next((outcome.error for outcome in outcomes if outcome.error and rule.error_state != "OK"), "")
