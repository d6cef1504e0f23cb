"""The state machine of an alert instance."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from stack.standins.grafana.alerting.evaluation import outcomes
from stack.standins.grafana.alerting.manager import Manager, Transition
from stack.standins.grafana.alerting.states import Instance, Outcome, State, advance, ends_after
from stack.standins.grafana.expressions.values import Values
from stack.standins.grafana.provisioning.rules import Rule
from tests.unit.stack.standins.grafana.made import instance, numbers, outcome, rule, series

N, A, D, E = State.NORMAL, State.ALERTING, State.NO_DATA, State.ERROR


def live(made: Rule, said: Sequence[State]) -> list[str]:
    """What an instance shows after each of several evaluations, one interval apart."""
    found, shown = instance(), []
    for number, state in enumerate(said):
        found = advance(made, found, outcome(state), 1000 + number * made.interval_s)
        shown.append(found.shown)
    return shown


@pytest.mark.parametrize(
    ("changes", "said", "expected"),
    [
        ({}, [N, A, A, N], ["Normal", "Alerting", "Alerting", "Normal"]),
        ({"for_s": 10}, [A, A, N], ["Pending", "Alerting", "Normal"]),
        ({"for_s": 20}, [A, A, A], ["Pending", "Pending", "Alerting"]),
        ({"for_s": 15}, [A, A, A], ["Pending", "Pending", "Alerting"]),
        ({"for_s": 10}, [A, N, A], ["Pending", "Normal", "Pending"]),
        ({"keep_firing_s": 20}, [A, N, N, N], ["Alerting", "Recovering", "Recovering", "Normal"]),
        ({"keep_firing_s": 20}, [A, N, A, N], ["Alerting", "Recovering", "Alerting", "Recovering"]),
        (
            {"keep_firing_s": 20, "for_s": 30},
            [A, A, A, A, N, A],
            ["Pending"] * 3 + ["Alerting", "Recovering", "Alerting"],
        ),
        ({"for_s": 20}, [D, E, N], ["NoData", "Error", "Normal"]),
        ({"no_data_state": "OK", "error_state": "OK"}, [D, E, N], ["Normal (NoData)", "Normal (Error)", "Normal"]),
        ({"no_data_state": "Alerting"}, [D, D, N], ["Alerting (NoData)", "Alerting (NoData)", "Normal"]),
        ({"error_state": "Alerting", "for_s": 10}, [E, E], ["Pending (Error)", "Alerting (Error)"]),
        (
            {"no_data_state": "KeepLast"},
            [A, D, N, D],
            ["Alerting", "Alerting (NoData, KeepLast)", "Normal", "Normal (NoData, KeepLast)"],
        ),
        ({"error_state": "KeepLast", "for_s": 10}, [A, E], ["Pending", "Alerting (Error, KeepLast)"]),
        (
            {"error_state": "KeepLast", "keep_firing_s": 90},
            [A, N, E],
            ["Alerting", "Recovering", "Recovering (Error, KeepLast)"],
        ),
        ({}, [A, D, A], ["Alerting", "NoData", "Alerting"]),
    ],
)
def test_states_follow_the_evaluations(changes: dict[str, Any], said: Sequence[State], expected: list[str]) -> None:
    """
    `for` counts from the first true evaluation, keepFiringFor from the first false one; no data and errors do as they are told.
    """
    assert expected == live(rule(**changes), said)


def test_times_of_a_life() -> None:
    """
    Each change of state begins anew; an active state ends four intervals (at least 30 s each) after it was last seen.
    """
    made = rule(for_s=10)
    pending = advance(made, instance(), outcome(A), 1000)
    alerting = advance(made, pending, outcome(A), 1010)
    normal = advance(made, alerting, outcome(N), 1020)

    assert [(one.starts_s, one.ends_s) for one in (pending, alerting, normal)] == [
        (1000, 1120),
        (1010, 1130),
        (1020, 1020),
    ]
    assert ends_after(rule(interval_s=60.0), 0) == 240
    assert [one.resolved for one in (pending, alerting, normal)] == [False, False, True]


def test_what_is_told_and_when() -> None:
    """
    Pending never, an active one at once and then every 30 s, a resolution at once.
    """
    alerting = advance(rule(), instance(), outcome(A), 1000)
    sent = replace(alerting, sent_s=1000.0)

    assert not advance(rule(for_s=10), instance(), outcome(A), 1000).must_be_sent
    assert alerting.must_be_sent
    assert [replace(sent, evaluated_s=at).must_be_sent for at in (1010.0, 1029.0, 1030.0)] == [False, False, True]
    assert advance(rule(), sent, outcome(N), 1010).must_be_sent
    assert not advance(rule(), instance(), outcome(N), 1010).must_be_sent


class Heard:
    """A manager, and what it told."""

    def __init__(self) -> None:
        self.sent: list[Instance] = []
        self.changes: list[Transition] = []
        self.manager = Manager("http://localhost/", lambda rule, one: self.sent.append(one), self.changes.append)

    def say(self, made: Rule, at_s: float, *said: Outcome) -> list[str]:
        """Process one evaluation; the states that there are then."""
        self.manager.process(made, said, at_s, 0.01)
        return [one.shown for one in self.manager.instances(made.uid)]


def test_a_vanished_series_resolves_after_two_missed_evaluations() -> None:
    """
    Until then it stays; then it is gone, and its resolution is told with the reason.
    """
    heard, made = Heard(), rule()
    heard.say(made, 1000, outcome(A, {"shard": "a"}), outcome(A, {"shard": "b"}))

    assert heard.say(made, 1010, outcome(A, {"shard": "a"})) == ["Alerting", "Alerting"]
    assert heard.say(made, 1020, outcome(A, {"shard": "a"})) == ["Alerting"]
    assert [(one.shown, one.outcome.labels, one.ends_s) for one in heard.sent if one.resolved] == [
        ("Normal (MissingSeries)", {"shard": "b"}, 1020)
    ]


def test_how_many_evaluations_may_miss_is_the_rules_choice() -> None:
    """
    With 4, the series stays for three.
    """
    heard, made = Heard(), rule(missing_evaluations=4)
    heard.say(made, 1000, outcome(A, {"shard": "a"}))

    assert [
        [state for state in heard.say(made, 1000 + 10 * n, outcome(N, {"shard": "b"})) if state != "Normal"]
        for n in (1, 2, 3, 4)
    ] == [["Alerting"], ["Alerting"], ["Alerting"], []]


def test_keep_last_speaks_for_every_instance() -> None:
    """
    An error keeps each series as it was, and makes none of its own.
    """
    heard, made = Heard(), rule(error_state="KeepLast")
    heard.say(made, 1000, outcome(A, {"shard": "a"}), outcome(N, {"shard": "b"}))

    assert heard.say(made, 1010, outcome(E)) == ["Alerting (Error, KeepLast)", "Normal (Error, KeepLast)"]
    assert [one.labels["shard"] for one in heard.manager.instances("r")] == ["a", "b"]


def test_an_error_is_an_instance_of_its_own_that_names_the_query() -> None:
    """
    With refId and datasource in its labels and the error in its annotations; health tells it too.
    """
    heard = Heard()
    failed = Outcome(labels={}, state=E, error="parse error", failed_ref="A")

    assert heard.say(rule(), 1000, failed) == ["Error"]
    (one,) = heard.manager.instances("r")
    assert (one.labels["ref_id"], one.labels["datasource_uid"]) == ("A", "p")
    assert one.annotations["Error"] == "parse error"
    assert heard.manager.evaluated["r"].health == "error"


def test_a_reload_resolves_what_is_active() -> None:
    """
    As a real Grafana does, also when no file has changed; then all begin anew.
    """
    heard, made = Heard(), rule()
    heard.say(made, 1000, outcome(A), outcome(N, {"a": "b"}))
    heard.manager.reset([made], 1005)

    assert [one.resolved for one in heard.sent] == [False, True]
    assert list(heard.manager.all()) == []


def test_the_rules_labels_win_and_empty_ones_are_left_out() -> None:
    """
    Templates are rendered; alertname and folder are Grafana's own.
    """
    heard = Heard()
    made = rule(labels={"job": "mine", "shard": "{{ $labels.shard }}!"}, annotations={"v": "{{ $values.A }}"})
    heard.say(made, 1000, outcome(A, {"job": "theirs", "shard": "a", "empty": ""}, value=0.5))

    (one,) = heard.manager.instances("r")
    assert one.labels == {"job": "mine", "shard": "a!", "alertname": "Rule", "grafana_folder": "F"}
    assert one.annotations == {"v": "0.5"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (numbers(1, 0), ["Alerting", "Normal"]),
        (numbers(None), ["NoData"]),
        (numbers(float("nan")), ["Alerting"]),
        (numbers(-3), ["Alerting"]),
        (Values(), ["NoData"]),
    ],
)
def test_a_condition_is_a_verdict_per_number(values: Values, expected: list[str]) -> None:
    """
    Zero is normal, null is no data, anything else fires.
    """
    assert expected == [str(one.state) for one in outcomes(rule(), {"A": values})]


def test_a_condition_must_be_reduced_and_exist() -> None:
    """
    Both mistakes are named as Grafana names them.
    """
    with pytest.raises(Exception, match="looks like time series data, only reduced data can be alerted on"):
        outcomes(rule(), {"A": series(1, 2)})
    with pytest.raises(Exception, match="condition Z does not exist, must be one of \\[A\\]"):
        outcomes(rule(condition="Z"), {"A": numbers(1)})
