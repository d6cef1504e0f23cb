"""Alert: attributed to its fault, or told what is wrong, where, when, and what to try."""

from collections.abc import Sequence
from typing import Any

import pytest

from assertions import alert as judge_of
from assertions.evidence import Delays
from scenarios.history import AlertChange, Event, History
from scenarios.record import Outcome, Rung, Verdict
from tests.unit.assertions.builders import (
    CHECK,
    NAMESPACE,
    OF_CATALOG,
    T0,
    alert,
    blinded,
    change,
    evidence,
    fault,
    fault_on,
    felt,
    history,
    life,
    rule,
    service,
    told,
    traffic,
)

WHEN = "after the fault at 5 s, healed at 15 s"


def judged(*events: Event | Sequence[Event], proof: Verdict = Verdict.PASS, found: Any = None, **given: Any) -> Outcome:
    """What becomes of the usual expectation when this happened; the fault was on from 5 s to 15 s."""
    return judge_of.judge(
        alert(**given),
        CHECK,
        history(traffic(-10, 5), traffic(5, 15, failed=5), traffic(15, 30), fault_on(), *events),
        found or evidence(services={"catalog": service(failed=4)}),
        namespace=NAMESPACE,
        fault=fault(),
        felt=felt(proof),
    )


def parts(outcome: Outcome) -> tuple[str, ...]:
    """The five parts of a failure."""
    return outcome.expected, outcome.observed, outcome.where, outcome.when, outcome.hint


def test_an_alert_that_does_all_it_should_passes() -> None:
    """The words tell each time, and how much of its bound it took."""
    outcome = judged(life())

    assert (outcome.verdict, outcome.rung) == (Verdict.PASS, None)
    assert outcome.expected == "silence before, then it fires and is notified within 5 s, resolves within 10 s"
    assert outcome.observed == (
        "fired after 2 s (47.6 % of its bound of 4.2 s), notified after 2.5 s, resolved 5 s after the healing"
    )


def test_the_figures_are_in_the_facts() -> None:
    """Reports draw them: times of the epoch, seconds since the fault or its healing, and the limits."""
    facts = dict(judged(life()).facts)

    assert facts.pop("detect_to_bound") == pytest.approx(2 / 4.2)
    assert facts.pop("bound_s") == pytest.approx(4.2)
    assert facts.pop("bound_t") == pytest.approx(T0 + 9.2)
    assert facts == {
        "labels": OF_CATALOG,
        "service": "catalog",
        "active_t": T0 + 7,
        "fired_t": T0 + 7,
        "resolved_t": T0 + 20,
        "notified_t": T0 + 7.5,
        "resolved_notified_t": T0 + 20.5,
        "name": "Burn",
        "source": "prometheus",
        "state": "firing",
        "severity": "page",
        "fault_t": T0 + 5,
        "healed_t": T0 + 15,
        "within_s": 5.0,
        "resolves_within_s": 10.0,
        "time_to_detect_s": 2.0,
        "notified_after_s": 2.5,
        "resolved_after_s": 5.0,
    }


def test_what_is_not_asked_is_not_judged() -> None:
    """Neither the notification nor the resolution, when the drill does not ask for them."""
    outcome = judged(change(7, "firing"), notified=False, resolves_within=None)

    assert outcome.verdict is Verdict.PASS
    assert outcome.expected == "silence before, then it fires within 5 s"
    assert outcome.observed == "fired after 2 s (47.6 % of its bound of 4.2 s)"


def test_the_limits_themselves_are_within() -> None:
    """At most so long means that exactly so long is right."""
    assert judged(change(10, "firing"), told(10), change(25, "inactive"), told(25, "resolved")).verdict is Verdict.PASS


@pytest.mark.parametrize(("proof", "verdict"), [(Verdict.FAIL, Verdict.FAIL), (Verdict.UNKNOWN, Verdict.UNKNOWN)])
def test_without_a_fault_that_was_felt_no_alert_counts(proof: Verdict, verdict: Verdict) -> None:
    """It is the fault that failed then; and where nobody knows about the fault, nobody knows about the alert."""
    outcome = judged(life(), proof=proof)

    assert outcome.verdict is verdict
    assert (outcome.expected, outcome.observed) == ("its fault to be felt first", "60 % failed")
    assert outcome.rung is (Rung.FAULT_NOT_APPLIED if verdict is Verdict.FAIL else None)


def test_a_fault_that_was_never_applied_fails_the_alert() -> None:
    """Even when something fired."""
    outcome = judge_of.judge(
        alert(), CHECK, history(life()), evidence(), namespace=NAMESPACE, fault=fault(), felt=felt(Verdict.PASS)
    )

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.FAULT_NOT_APPLIED)
    assert (outcome.where, outcome.hint) == ("the clients", "the clients never felt the fault")


@pytest.mark.parametrize(
    ("earlier", "state"),
    [
        ([change(-8, "firing"), change(-5, "inactive")], "firing"),
        ([told(-8)], "firing"),
        ([change(4, "pending")], "pending"),
    ],
)
def test_an_alert_that_was_not_silent_before_proves_nothing(earlier: list[Event], state: str) -> None:
    """The fault may not have caused it."""
    outcome = judged(earlier, life())

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert parts(outcome) == (
        "silence before the fault",
        f"it was {state} already, so nothing shows that the fault caused it",
        "prometheus",
        WHEN,
        "what was it about? find out in the report, or let the warm-up be longer",
    )


def test_an_alert_that_only_was_pending_for_a_while_before_was_silent() -> None:
    """That is what a rule's `for` is for."""
    assert judged(change(-8, "pending"), change(-7, "inactive"), life()).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("happened", "observed"),
    [
        ([], "it never fired"),
        ([change(6, "pending"), change(12, "inactive")], "it got no further than pending"),
    ],
)
def test_an_alert_that_did_not_fire_fails_with_its_rung(happened: list[Event], observed: str) -> None:
    """All data was there, so it is the rule that did not see it; the hint shows what the rule asks for."""
    outcome = judged(happened)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_EVALUATED)
    assert parts(outcome) == (
        "it fires within 5 s",
        observed,
        "prometheus",
        WHEN,
        "the data is there; does the rule ask for it? sum(errors) > 1",
    )


def test_an_alert_that_fires_too_late_is_compared_with_its_bound() -> None:
    """So that people see whether the limit is too short or the path too slow."""
    outcome = judged(life(fires=10.5))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert parts(outcome) == (
        "it fires within 5 s",
        "after 5.5 s, 500 ms too late",
        "prometheus",
        WHEN,
        "its bound by formula and configuration is 4.2 s: is `within` too short, or the path slow?",
    )


def test_an_alert_without_a_bound_that_fires_too_late_says_why_there_is_none() -> None:
    """A rule of somebody else's carries no formula."""
    outcome = judged(life(fires=10.5), found=evidence(rules={"Burn": rule(formula=None)}))

    assert outcome.hint == "there is no bound to compare with: its rule carries no formula"
    assert (outcome.facts["bound_s"], outcome.facts["bound_t"], outcome.facts["detect_to_bound"]) == (None, None, None)


def test_an_alert_of_which_nobody_was_told_fails_at_its_rung() -> None:
    """It fired, so it is the way from Prometheus to the receiver that is broken."""
    outcome = judged(change(7, "firing"), change(20, "inactive"))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_NOTIFIED)
    assert parts(outcome) == (
        "it is notified within 5 s",
        "it fired, but no notification arrived",
        "alertmanager and its receivers",
        WHEN,
        "alertmanager never had it: is its address right in prometheus' configuration?",
    )


def test_a_late_notification_fails() -> None:
    """The page counts, not the rule."""
    outcome = judged(change(7, "firing"), told(11), change(20, "inactive"), told(21, "resolved"))

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert parts(outcome) == (
        "it is notified within 5 s",
        "after 6 s, 1 s too late",
        "alertmanager and its receivers",
        WHEN,
        "is `group_wait` of its route long, or did the receiver refuse the first try?",
    )


def test_an_alert_that_resolves_while_its_fault_is_on_fails() -> None:
    """What it is about goes on, so whoever was called is told wrongly that all is well."""
    outcome = judged(life(resolves=12), resolves_within=None)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert parts(outcome) == (
        "it fires as long as the fault lasts",
        "it resolved 3 s before the healing",
        "prometheus",
        WHEN,
        "did its data have gaps? is its window shorter than the pauses between what it counts?",
    )


@pytest.mark.parametrize("between", ["inactive", "pending"])
def test_an_alert_that_flaps_while_its_fault_is_on_fails(between: str) -> None:
    """Even if it resolves in the end as it should."""
    outcome = judged(life(), change(10, between), change(11.5, "firing"))

    assert outcome.verdict is Verdict.FAIL
    assert outcome.observed == "it resolved 5 s before the healing, and fired again 1.5 s later"


def test_an_alert_may_resolve_with_the_healing() -> None:
    """Healing takes a while; from its beginning on nothing holds the alert any more."""
    slow = fault_on(until=18)
    happened = history(traffic(-10, 5), traffic(5, 15, failed=5), slow, life(resolves=15))
    outcome = judge_of.judge(
        alert(), CHECK, happened, evidence(), namespace=NAMESPACE, fault=fault(), felt=felt(Verdict.PASS)
    )

    assert outcome.verdict is Verdict.PASS
    assert outcome.observed.endswith("resolved during the healing")


@pytest.mark.parametrize(("resolves", "words"), [(15, "0 s"), (15.5, "500 ms")])
def test_a_resolution_at_once_is_after_the_healing(resolves: float, words: str) -> None:
    """Fast is no reason to doubt it."""
    assert judged(life(resolves=resolves)).observed.endswith(f"resolved {words} after the healing")


def test_the_bound_counts_from_the_beginning_of_the_fault() -> None:
    """Clients met it only 3 s later, and the way takes 3.2 s."""
    happened = history(traffic(-10, 7), traffic(7, 15, failed=5), fault_on(), life())
    outcome = judge_of.judge(
        alert(), CHECK, happened, evidence(), namespace=NAMESPACE, fault=fault(), felt=felt(Verdict.PASS)
    )

    assert outcome.facts["bound_s"] == pytest.approx(2 + 1 + 3.2)


def test_a_fault_that_is_healed_early_lets_its_alert_resolve() -> None:
    """Then it was on for a shorter time than planned."""
    happened = history(traffic(-10, 5), traffic(5, 15, failed=5), fault_on(until=10), life(resolves=11))
    outcome = judge_of.judge(
        alert(), CHECK, happened, evidence(), namespace=NAMESPACE, fault=fault(), felt=felt(Verdict.PASS)
    )

    assert outcome.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("happened", "expected", "observed", "where"),
    [
        (life(resolves=None), "it resolves within 10 s of the healing", "it did not", "prometheus"),
        (life(resolves=26), "it resolves within 10 s of the healing", "after 11 s, 1 s too late", "prometheus"),
        (
            [*life(resolves=None), change(20, "inactive")],
            "it is notified as resolved within 10 s of the healing",
            "it did not",
            "alertmanager and its receivers",
        ),
        (
            [*life(resolves=None), change(20, "inactive"), told(25.5, "resolved")],
            "it is notified as resolved within 10 s of the healing",
            "after 10.5 s, 500 ms too late",
            "alertmanager and its receivers",
        ),
    ],
)
def test_an_alert_must_resolve_in_time(happened: list[Event], expected: str, observed: str, where: str) -> None:
    """And so must its notification, for somebody waits for it."""
    outcome = judged(happened)

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
    assert parts(outcome) == (
        expected,
        observed,
        where,
        WHEN,
        "compare with the shortest window of its rule: so long at least it remembers the fault",
    )


def test_a_resolution_need_not_be_notified_when_no_notification_is_asked() -> None:
    """The rule alone counts then."""
    assert judged(change(7, "firing"), change(20, "inactive"), notified=False).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("happened", "watcher", "observed"),
    [
        ([], "prometheus", "it never fired"),
        ([], "sink", "it never fired"),
        (life(fires=10.5), "prometheus", "after 5.5 s, 500 ms too late"),
        ([change(7, "firing")], "sink", "it fired, but no notification arrived"),
        (life(resolves=None), "prometheus", "it did not"),
        ([*life(resolves=None), change(20, "inactive")], "sink", "it did not"),
    ],
)
def test_what_a_blind_watcher_did_not_see_is_unknown(happened: list[Event], watcher: str, observed: str) -> None:
    """It may have happened all the same."""
    outcome = judged(happened, blinded(watcher, 6))

    assert (outcome.verdict, outcome.rung) == (Verdict.UNKNOWN, None)
    assert outcome.observed == f"{observed}; but {watcher} could not be watched: connection refused"
    assert outcome.hint == "see the logs of the stack"
    assert outcome.facts["name"] == "Burn"


@pytest.mark.parametrize("watcher", ["alertmanager", "traffic"])
def test_watchers_who_would_have_seen_nothing_of_it_excuse_nothing(watcher: str) -> None:
    """Only those count who look for what is missing."""
    assert judged(blinded(watcher, 6)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("happened", "given"),
    [([change(4, "firing")], {}), (life(resolves=12), {}), ([change(7, "firing"), told(11)], {})],
)
def test_what_was_seen_counts_though_a_watcher_went_blind(happened: list[Event], given: dict[str, Any]) -> None:
    """That it had fired before, resolved too early, or was notified late is no matter of not having looked."""
    assert judged(happened, blinded("prometheus", 6), **given).verdict is Verdict.FAIL


def test_a_baseline_that_nobody_watched_is_unknown() -> None:
    """Silence before the fault is a part of the proof."""
    outcome = judged(life(), blinded("prometheus", -3))

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.observed.startswith("fired after 2 s")
    assert outcome.observed.endswith(
        "; but it may have fired before, too, for prometheus could not be watched: connection refused"
    )


def test_a_watcher_that_goes_blind_after_the_fault_does_not_spoil_what_was_seen() -> None:
    """All that had to be seen was seen."""
    assert judged(life(), blinded("prometheus", 5)).verdict is Verdict.PASS


class TestWithinBound:
    """The option `within_bound` holds an alert to its bound, 4.2 s after this fault."""

    def test_an_alert_within_it_passes(self) -> None:
        """The expectation names the limit."""
        outcome = judged(life(), within_bound="150%")

        assert outcome.verdict is Verdict.PASS
        assert outcome.expected == (
            "silence before, then it fires and is notified within 5 s and 150 % of its bound, resolves within 10 s"
        )

    def test_exactly_the_bound_is_within_it(self) -> None:
        """At most so much."""
        found = evidence(services={"catalog": service(failed=4)}, delays=Delays(batch_s=1))

        assert judged(life(fires=10), within_bound="100%", found=found, notified=False).verdict is Verdict.PASS

    def test_a_later_alert_fails(self) -> None:
        """The words tell the bound, and how much of it the alert took."""
        outcome = judged(life(fires=9), within_bound="80%")

        assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, None)
        assert parts(outcome) == (
            "it fires within 80 % of its bound of 4.2 s",
            "after 4 s, 95.24 % of it",
            "prometheus",
            WHEN,
            "which hop is slower than its configuration says? is the machine busy?",
        )

    @pytest.mark.parametrize(
        ("rules", "why"),
        [
            ({}, "no rule of this name is loaded"),
            ({"Burn": rule(formula=None)}, "its rule carries no formula"),
            (
                {"Burn": rule(for_s=60)},
                "what clients saw never met the rule's formula, or not for long enough",
            ),
        ],
    )
    def test_without_a_bound_it_is_unknown(self, rules: dict[str, Any], why: str) -> None:
        """No data is never a pass; the words say why there is none, and what to do."""
        outcome = judged(life(), within_bound="150%", found=evidence(rules=rules))

        assert outcome.verdict is Verdict.UNKNOWN
        assert outcome.observed.endswith(f"; but there is no bound to compare with: {why}")
        assert outcome.hint == "leave `within_bound` out, or give the rule a formula that the clients' truth can meet"
        assert outcome.facts["bound_s"] is None

    def test_an_alert_that_fails_otherwise_fails(self) -> None:
        """With or without a bound."""
        assert judged(within_bound="150%", found=evidence(rules={})).verdict is Verdict.FAIL

    def test_a_blind_watcher_makes_a_late_alert_unknown(self) -> None:
        """It may have fired earlier than anybody saw."""
        assert judged(life(fires=9), blinded("prometheus", 6), within_bound="80%").verdict is Verdict.UNKNOWN


def test_a_drill_without_a_drive_is_judged_by_what_there_is() -> None:
    """An early end does not crash the judge: the fault's own time stands in for time nought."""
    happened = History([*fault_on(), *life(resolves=18)])
    outcome = judge_of.judge(
        alert(), CHECK, happened, evidence(), namespace=NAMESPACE, fault=fault(), felt=felt(Verdict.PASS)
    )

    assert outcome.verdict is Verdict.PASS


def of_grafana(*events: Event | Sequence[Event]) -> list[Event]:
    """The same as Grafana and its contact points saw it."""
    flat = [one for event in events for one in (event if isinstance(event, Sequence) else [event])]
    return [
        event.model_copy(update={"source": "grafana"} if isinstance(event, AlertChange) else {"receiver": "grafana-x"})
        for event in flat
    ]


def both_rules(**given: Any) -> Any:
    """Evidence in which both sources have the rule."""
    return evidence(services={"catalog": service(failed=4)}, grafana_rules={"Burn": rule()}, **given)


def test_both_sources_are_judged_each_for_itself() -> None:
    """With the times and the bound of each, side by side."""
    outcome = judged(life(), of_grafana(life(fires=8)), found=both_rules(), source="both")

    assert outcome.verdict is Verdict.PASS
    assert outcome.expected.startswith("by prometheus and grafana: silence before, then it fires")
    assert outcome.observed == (
        "prometheus: fired after 2 s (47.6 % of its bound of 4.2 s), notified after 2.5 s, resolved 5 s after the healing; "
        "grafana: fired after 3 s (71.4 % of its bound of 4.2 s), notified after 3.5 s, resolved 5 s after the healing"
    )
    assert [(path["source"], path["time_to_detect_s"]) for path in outcome.facts["paths"]] == [
        ("prometheus", 2.0),
        ("grafana", 3.0),
    ]
    assert judge_of.paths_of(outcome.facts) == outcome.facts["paths"]


@pytest.mark.parametrize(
    ("events", "rung", "where"),
    [
        (life(), Rung.NOT_EVALUATED, "grafana"),
        (of_grafana(life()), Rung.NOT_EVALUATED, "prometheus"),
        ([*life(), *of_grafana(change(7, "firing"), change(20, "inactive"))], Rung.NOT_NOTIFIED, "grafana and its"),
    ],
)
def test_the_path_that_died_is_named_with_its_rung(events: list[Event], rung: Rung, where: str) -> None:
    """And what became of the other is told as well."""
    outcome = judged(events, found=both_rules(), source="both")

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, rung)
    assert outcome.where.startswith(where)
    assert outcome.observed.startswith("prometheus: ")
    assert "; grafana: " in outcome.observed


def test_a_failure_outweighs_a_path_that_nobody_saw() -> None:
    """It is known that one is dead."""
    outcome = judged(life(resolves=None), blinded("grafana"), found=both_rules(), source="both")

    assert (outcome.verdict, outcome.where) == (Verdict.FAIL, "prometheus")


def test_the_path_of_one_source_is_itself() -> None:
    """And outcomes of other things have none."""
    facts = judged(life()).facts

    assert judge_of.paths_of(facts) == (facts,)
    assert judge_of.paths_of({"found": 3}) == ()


def test_an_alert_that_must_be_pending_need_not_fire() -> None:
    """It is judged by when it began to wait; its bound leaves the waiting out."""
    found = evidence(rules={"Burn": rule(for_s=4)})
    outcome = judged(
        change(7, "pending"), change(16, "inactive"), found=found, state="pending", notified=False, within="5s"
    )

    assert outcome.verdict is Verdict.PASS, outcome.message()
    assert outcome.expected == "silence before, then it is pending within 5 s, resolves within 10 s"
    assert outcome.observed == "pending after 2 s (47.6 % of its bound of 4.2 s), resolved 1 s after the healing"


def test_what_fires_has_been_pending() -> None:
    """And goes on to be what was expected."""
    events = [change(7, "pending"), change(9, "firing"), change(16, "inactive")]

    assert judged(events, state="pending", notified=False).verdict is Verdict.PASS


def test_an_alert_that_was_pending_before_shows_nothing_by_being_pending() -> None:
    """However short it was."""
    events = [change(-8, "pending"), change(-7, "inactive"), change(7, "pending"), change(16, "inactive")]

    outcome = judged(events, state="pending", notified=False)
    assert outcome.observed == "it was pending already, so nothing shows that the fault caused it"


def test_an_alert_that_never_was_pending_fails() -> None:
    """In its own words."""
    outcome = judged(state="pending", notified=False)

    assert (outcome.expected, outcome.observed) == ("it is pending within 5 s", "it never was pending")


def synthetic(name: str, rulename: str = "Burn") -> dict[str, str]:
    """The labels of what Grafana raises in place of a rule's own alert."""
    return {"alertname": name, "rulename": rulename, "datasource_uid": "prometheus", "severity": "page"}


def in_trouble(state: str, name: str, **labels: str) -> list[Event]:
    """A rule of Grafana's that gets into a state, is told, and recovers."""
    mine = synthetic(name, **labels)
    return of_grafana(change(7, state, mine), told(7.5, labels=mine), change(17, "inactive", mine))


@pytest.mark.parametrize(
    ("state", "name", "words"),
    [("nodata", "DatasourceNoData", "no data after 2 s"), ("error", "DatasourceError", "an error after 2 s")],
)
def test_a_rule_of_grafanas_without_data_or_in_error(state: str, name: str, words: str) -> None:
    """It is told under a name of its own, and known by the rule's; that it is over Grafana tells much later."""
    outcome = judged(in_trouble(state, name), found=both_rules(), source="grafana", state=state, labels={})

    assert outcome.verdict is Verdict.PASS, outcome.message()
    assert outcome.observed.startswith(words)
    assert outcome.facts["labels"]["rulename"] == "Burn"
    assert (outcome.facts["bound_s"] is None) == (state == "error")


@pytest.mark.parametrize(
    ("events", "hint"),
    [
        (in_trouble("nodata", "DatasourceNoData"), "does the rule say what becomes of it then"),
        (of_grafana(life()), "does the rule say what becomes of it then (noDataState, execErrState)? sum(errors) > 1"),
        (in_trouble("error", "DatasourceError", rulename="Another"), "it fired with rulename=Another: are the labels"),
    ],
)
def test_another_state_or_rule_is_no_error_of_this_one(events: list[Event], hint: str) -> None:
    """The hint asks for what the rule says about it, or for what did fire."""
    outcome = judged(events, found=both_rules(), source="grafana", state="error", labels={})

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_EVALUATED)
    assert outcome.expected == "it fires as its rule cannot be evaluated within 5 s"
    assert outcome.hint.startswith(hint)


def test_a_notification_that_went_astray_is_told_with_where_it_went() -> None:
    """The alert is told to somebody, and that does not help whoever should have been."""
    outcome = judged(life(), receiver="page")

    assert (outcome.verdict, outcome.rung) == (Verdict.FAIL, Rung.NOT_NOTIFIED)
    assert parts(outcome) == (
        "it is notified to 'page' within 5 s",
        "it fired, but was notified to pager instead",
        "alertmanager and its receivers",
        WHEN,
        "does a route match the alert's labels, and does it lead to this receiver?",
    )


def test_a_notification_at_its_receiver_passes() -> None:
    """And the expectation says which one it was."""
    outcome = judged(life(), receiver="pager")

    assert Verdict.PASS is outcome.verdict
    assert "it fires and is notified to 'pager' within 5 s" in outcome.expected
