"""Loading: the committed file means what it says, and a mistake in one is named with its place and what is allowed."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from stack.slo.errors import SloError
from stack.slo.generate import SOURCE
from stack.slo.loader import load, load_text
from stack.slo.model import Slo

GOOD = """\
apiVersion: openslo/v1
kind: Service
metadata: {name: shop}
spec: {description: A shop.}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: good-answers}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {type: Prometheus, spec: {query: 'requests_total{code=~"5.."}'}}}
    total: {metricSource: {type: Prometheus, spec: {query: requests_total}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability, annotations: {tocsin/alerting: prometheus}}
spec:
  service: shop
  indicatorRef: good-answers
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{targetPercent: 99.9}]
  alertPolicies:
    - alertPolicyRef: burning
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast, annotations: {tocsin/kind: burn-rate, tocsin/short-window: 5m}}
spec:
  severity: page
  condition: {kind: burnrate, threshold: 14.4, lookbackWindow: 1h, alertAfter: 0m}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: on-call}
spec: {target: webhook}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: burning, annotations: {tocsin/alert: BudgetBurns}}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: fast}]
  notificationTargets: [{targetRef: on-call}]
"""


def only(text: str) -> Slo:
    """The one service level of a text."""
    (level,) = load_text(text, source="slo.yaml")
    return level


def line(text: str, part: str) -> int:
    """The number of the line that holds the part."""
    return text[: text.index(part)].count("\n") + 1


# --- what is read -------------------------------------------------------------------------------------------------


def test_committed_file_promises_what_the_shop_promises() -> None:
    """
    99.9 % available, 99 % within 500 ms, over 30 days.
    """
    levels = {level.name: level for level in load(SOURCE)}
    assert {name: level.objective for name, level in levels.items()} == {
        "availability": Fraction(999, 1000),
        "latency": Fraction(99, 100),
    }
    assert levels["latency"].sli.threshold_s == Fraction(1, 2)
    assert {level.period_s for level in levels.values()} == {30 * 86400}


def test_committed_file_has_the_workbooks_windows() -> None:
    """
    Factor, long and short window of Google's SRE workbook, for each level.
    """
    pages = {("Fast", Fraction("14.4"), 3600, 300), ("Slow", Fraction(6), 21600, 1800)}
    tickets = {("Ticket", Fraction(3), 86400, 7200), ("Ticket", Fraction(1), 259200, 21600)}
    for level in load(SOURCE):
        found = {
            (alert.name.rpartition("Burn")[2], condition.factor, condition.window_s, condition.short_s)
            for alert in level.alerts
            if alert.kind == "burn-rate"
            for condition in alert.conditions
        }
        assert found == pages | tickets


def test_budgets_are_exact() -> None:
    """
    A budget of 0.1 % is 1/1000, and not 0.0009999999999999432.
    """
    assert only(GOOD).budget == Fraction(1, 1000)
    assert only(GOOD.replace("targetPercent: 99.9", "target: 0.9995")).budget == Fraction(1, 2000)


def test_policies_of_one_name_make_one_alert() -> None:
    """
    Two conditions, either of which fires it.
    """
    second = GOOD.split("---\n")[3].replace("name: fast", "name: slow").replace("14.4", "6").replace("1h", "6h")
    policy = GOOD.split("---\n")[5].replace("name: burning", "name: smouldering").replace("fast", "slow")
    text = (
        GOOD.replace("Ref: burning", "Ref: burning\n    - alertPolicyRef: smouldering") + f"---\n{second}---\n{policy}"
    )
    (alert,) = only(text).alerts
    assert [condition.window_s for condition in alert.conditions] == [3600, 21600]


def test_bad_requests_are_named_for_formulas() -> None:
    """
    Clients can tell a 5xx and a slow answer; what else a file calls bad they cannot.
    """
    names = {level.name: level.sli.bad_word for level in load(SOURCE)}
    assert names == {"availability": "5xx", "latency": "slow"}
    assert only(GOOD).sli.bad_word == "custom"


# --- what is refused ----------------------------------------------------------------------------------------------

Edit = Callable[[str], str]


def swap(old: str, new: str) -> Edit:
    """One change to the good text, which must be there to be changed."""

    def edit(text: str) -> str:
        assert old in text, old
        return text.replace(old, new, 1)

    return edit


MISTAKES: dict[str, tuple[Edit, str, str]] = {
    "unknown kind": (
        swap("kind: SLO\n", "kind: SLOO\n"),
        "SLOO",
        r"unknown kind 'SLOO'; known: Service, SLI, SLO, .*; did you mean 'SLO'\?",
    ),
    "unsupported kind": (swap("kind: Service", "kind: DataSource"), "DataSource", "unknown kind 'DataSource'; known: "),
    "no kind": (swap("kind: Service\n", ""), "apiVersion", "no kind; known: Service"),
    "other version": (
        swap("openslo/v1", "openslo/v2"),
        "openslo/v2",
        "apiVersion: found 'openslo/v2'; allowed: 'openslo/v1'",
    ),
    "unknown key": (
        swap("  service: shop", "  servise: shop"),
        "servise",
        r"spec.servise: unknown key; known: description, service, .*; did you mean 'service'\?",
    ),
    "unknown key within a list": (
        swap("isRolling: true", "rolling: true"),
        "rolling",
        r"spec.timeWindow.0.rolling: unknown key; known: duration, isRolling; did you mean 'isRolling'\?",
    ),
    "unknown annotation": (
        swap("tocsin/alerting", "tocsin/alert"),
        "tocsin/alert:",
        r"tocsin/alert: unknown key; known: tocsin/alerting, tocsin/min-requests; did you mean 'tocsin/alerting'\?",
    ),
    "missing key": (swap("  indicatorRef: good-answers\n", ""), "  service: shop", "spec.indicatorRef: is missing"),
    "missing name": (swap("{name: shop}", "{displayName: Shop}"), "{displayName", "metadata.name: is missing"),
    "upper-case name": (swap("name: shop", "name: Shop"), "name: Shop", "found 'Shop'; it must be a"),
    "key given twice": (
        swap("  service: shop\n", "  service: shop\n  service: shop\n"),
        "  service: shop\n  indicatorRef",
        r"'service' is given twice, first on line \d+",
    ),
    "objective of all": (swap("99.9", "100"), "100}", "targetPercent: found 100; it must be below 100"),
    "objective below nothing": (swap("99.9", "-1"), "-1}", "targetPercent: found -1; it must be above 0"),
    "objective in words": (swap("99.9", "'high'"), "'high'", "targetPercent: must be a number; found 'high'"),
    "objective twice": (
        swap("targetPercent: 99.9", "targetPercent: 99.9, target: 0.999"),
        "target: 0.999",
        "objectives.0: needs exactly one of target and targetPercent",
    ),
    "no objective": (
        swap("objectives: [{targetPercent: 99.9}]", "objectives: []"),
        "objectives: []",
        "spec.objectives: needs at least 1, has 0",
    ),
    "two windows": (
        swap(
            "[{duration: 30d, isRolling: true}]", "[{duration: 30d, isRolling: true}, {duration: 7d, isRolling: true}]"
        ),
        "duration: 30d",
        "spec.timeWindow: takes at most 1, has 2",
    ),
    "calendar window": (
        swap("isRolling: true", "isRolling: false"),
        "isRolling",
        "isRolling: found False; allowed: True",
    ),
    "month": (
        swap("duration: 30d", "duration: 1M"),
        "1M",
        "a duration is a whole number with one of m, h, d, w, such as 5m or 30d; found '1M'",
    ),
    "duration without unit": (swap("lookbackWindow: 1h", "lookbackWindow: 60"), "60", "a duration is .*; found 60"),
    "no window": (swap("lookbackWindow: 1h", "lookbackWindow: 0m"), "0m, alert", "found 0; it must be above 0"),
    "timeslices": (
        swap("Occurrences", "Timeslices"),
        "Timeslices",
        "budgetingMethod: found 'Timeslices'; allowed: 'Occurrences'",
    ),
    "other source": (swap("type: Prometheus", "type: Datadog"), "Datadog", "found 'Datadog'; allowed: 'Prometheus'"),
    "query with functions": (
        swap("query: requests_total}", "query: 'sum(rate(requests_total[5m]))'}"),
        "sum(rate",
        r"found 'sum\(rate\(requests_total\[5m\]\)\)'; it must be a",
    ),
    "good and bad": (
        swap(
            "    total:",
            "    good: {metricSource: {type: Prometheus, spec: {query: fine_total}}}\n    total:",
        ),
        "    counter",
        "ratioMetric: needs exactly one of good and bad",
    ),
    "gauge": (swap("counter: true", "counter: false"), "counter: false", "counter: found False; allowed: True"),
    "unknown severity": (
        swap("severity: page", "severity: critical"),
        "critical",
        "severity: found 'critical'; allowed: 'page', 'ticket' or 'info'",
    ),
    "unknown condition kind": (
        swap("tocsin/kind: burn-rate", "tocsin/kind: burnrate"),
        "tocsin/kind: burnrate",
        "tocsin/kind: found 'burnrate'; allowed: 'burn-rate', ",
    ),
    "no short window": (
        swap(", tocsin/short-window: 5m", ""),
        "tocsin/kind",
        "tocsin/short-window belongs to tocsin/kind: burn-rate",
    ),
    "short window too long": (
        swap("tocsin/short-window: 5m", "tocsin/short-window: 1h"),
        "tocsin/kind",
        "tocsin/short-window must be shorter than lookbackWindow",
    ),
    "alert name with blanks": (
        swap("BudgetBurns", "Budget burns"),
        "Budget burns",
        "tocsin/alert: found 'Budget burns'; it must be a",
    ),
    "number of requests in words": (
        swap("tocsin/alerting: prometheus", "tocsin/min-requests: ten"),
        "ten",
        "tocsin/min-requests: found 'ten'; it must be a",
    ),
    "alerting by nobody": (
        swap("tocsin/alerting: prometheus", "tocsin/alerting: nagios"),
        "nagios",
        "tocsin/alerting: found 'nagios'; allowed: 'prometheus', 'grafana' or",
    ),
    "service that is not there": (
        swap("  service: shop", "  service: shot"),
        "shot",
        r"no Service is named 'shot'; known: shop; did you mean 'shop'\?",
    ),
    "indicator that is not there": (
        swap("indicatorRef: good-answers", "indicatorRef: answers"),
        "indicatorRef",
        r"no SLI is named 'answers'; known: good-answers; did you mean 'good-answers'\?",
    ),
    "policy that is not there": (
        swap("alertPolicyRef: burning", "alertPolicyRef: burn"),
        "alertPolicyRef",
        r"no AlertPolicy is named 'burn'; known: burning; did you mean 'burning'\?",
    ),
    "condition that is not there": (
        swap("conditionRef: fast", "conditionRef: faster"),
        "conditionRef",
        r"no AlertCondition is named 'faster'; known: fast; did you mean 'fast'\?",
    ),
    "target that is not there": (
        swap("targetRef: on-call", "targetRef: nobody"),
        "targetRef",
        "no AlertNotificationTarget is named 'nobody'; known: on-call",
    ),
    "policy that tells nothing": (
        swap("alertWhenBreaching: true", "alertWhenBreaching: false"),
        "alertWhenBreaching",
        "needs alertWhenBreaching: true, since its condition is of kind 'burn-rate'",
    ),
    "absence without no-data": (
        swap("tocsin/kind: burn-rate, tocsin/short-window: 5m", "tocsin/kind: absent"),
        "alertWhenBreaching",
        "needs alertWhenNoData: true, since its condition is of kind 'absent'",
    ),
    "alert that can never fire": (
        swap("targetPercent: 99.9", "targetPercent: 90"),
        "- alertPolicyRef",
        "'BudgetBurns' can never fire: 14.4 times a budget of 0.1 is 144% of all; lower the factor or the budget",
    ),
    "quantile without a bucket": (
        swap("tocsin/kind: burn-rate, tocsin/short-window: 5m", "tocsin/kind: latency-quantile"),
        "- alertPolicyRef",
        "'BudgetBurns' is about latency, but SLI 'good-answers' has none: good must be a _bucket",
    ),
    "no service level": (
        lambda text: "---\n".join(text.split("---\n")[:2]),
        "apiVersion",
        "has no document of kind SLO, so there is nothing to generate",
    ),
    "same name twice": (
        lambda text: text + "---\n" + text.split("---\n")[0],
        "never",
        r"Service 'shop' is given twice, first at slo.yaml:3",
    ),
    "text that is a number": (
        swap("spec: {description: A shop.}", "spec: {description: 7}"),
        "7",
        "must be a text; found 7",
    ),
    "text that is too long": (
        swap("A shop.", "x" * 1051),
        "xxx",
        "spec.description: is longer than 1050 characters",
    ),
    "list that is a mapping": (
        swap("conditions: [{conditionRef: fast}]", "conditions: {conditionRef: fast}"),
        "{conditionRef",
        "spec.conditions: must be a list",
    ),
    "mapping that is a text": (
        swap("spec: {target: webhook}", "spec: webhook"),
        "webhook",
        "spec: must be a mapping; found",
    ),
    "truth in words": (swap("alertWhenBreaching: true", "alertWhenBreaching: 'yes'"), "'yes'", "must be true or false"),
    "no mapping": (lambda text: text + "---\n- a list\n", "- a list", "a document must be a mapping with apiVersion"),
    "no YAML": (
        swap("spec: {target: webhook}", "spec: {target: webhook"),
        "---\napiVersion: openslo/v1\nkind: AlertP",
        "is no YAML",
    ),
    "nothing at all": (lambda _: "", "", "is empty; it must hold documents with apiVersion"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_place(mistake: str) -> None:
    """
    One line: file:line, what was found, what is allowed.
    """
    edit, part, message = MISTAKES[mistake]
    text = edit(GOOD)
    with pytest.raises(SloError, match=message) as caught:
        load_text(text, source="slo.yaml")
    place = re.match(r"slo\.yaml:(\d+): ", str(caught.value))
    assert place, str(caught.value)
    assert "\n" not in str(caught.value)
    if part in text:
        assert int(place[1]) == line(text, part), str(caught.value)


def test_each_mistake_of_a_document_has_a_line_of_its_own() -> None:
    """
    People mend a file in one go.
    """
    text = GOOD.replace("severity: page", "severity: critical").replace("threshold: 14.4", "threshold: 0")
    with pytest.raises(SloError) as caught:
        load_text(text, source="slo.yaml")
    assert [message.split(": ")[1] for message in str(caught.value).splitlines()] == [
        "spec.severity",
        "spec.condition.threshold",
    ]


def test_policies_of_one_name_must_agree() -> None:
    """
    One alert cannot be a page and a ticket.
    """
    second = GOOD.split("---\n")[3].replace("name: fast", "name: slow").replace("page", "ticket")
    policy = GOOD.split("---\n")[5].replace("name: burning", "name: smouldering").replace("fast", "slow")
    text = (
        GOOD.replace("Ref: burning", "Ref: burning\n    - alertPolicyRef: smouldering") + f"---\n{second}---\n{policy}"
    )
    with pytest.raises(
        SloError, match=r"slo.yaml:\d+: 'BudgetBurns' has two conditions; they must agree in tocsin/kind"
    ):
        load_text(text, source="slo.yaml")


def test_an_alerts_name_belongs_to_one_service_level() -> None:
    """
    Otherwise nobody could tell which promise was broken.
    """
    second = GOOD.split("---\n")[2].replace("name: availability", "name: correctness")
    with pytest.raises(SloError, match="SLOs 'availability' and 'correctness' both raise 'BudgetBurns'"):
        load_text(GOOD + "---\n" + second, source="slo.yaml")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """
    Missing, or no text at all.
    """
    with pytest.raises(SloError, match=r"nowhere\.yaml: cannot be read: "):
        load(tmp_path / "nowhere.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SloError, match=r"binary\.yaml: cannot be read: "):
        load(binary)
