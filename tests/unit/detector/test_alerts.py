"""Alerts: their identity, their words, and the book of those that are active."""

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

from detector import Severity, Status, Verdict
from detector.alerts import Alert, AlertBook, absent, anomaly, blind, explore, identity, iso
from detector.config import Config

LABELS = (("service_name", "catalog"), ("service_namespace", "run-1"))
VERDICT = Verdict(
    at_s=1000.0, status=Status.LEVEL, value=0.412, expected=0.095, lower=0.08, upper=0.118, z=11.2, slow_z=3.0, score=0.71,
    firing=True, severity=Severity.WARNING, since_s=985.0, reason="latency 412 ms, expected 95 ms",
)  # fmt: skip


def alert(name: str, grade: str = "warning", starts_s: float = 1.0) -> Alert:
    """An alert of a series."""
    return Alert(labels={"alertname": "AnomalyDetected", "name": name}, annotations={"grade": grade}, starts_s=starts_s)


def book(*alerts: Alert) -> dict[str, Alert]:
    """Alerts by fingerprint."""
    return {one.fingerprint: one for one in alerts}


def test_the_identity_is_made_of_labels_that_do_not_change(configured: Callable[..., Config]) -> None:
    """Labels of the series, of the watch, and signal; the grade may change and is an annotation."""
    config = configured()
    watch = config.series[0].model_copy(update={"labels": {"severity": "page", "team": "shop"}})
    one = anomaly(config, watch, LABELS, VERDICT)
    assert one.labels == {
        "alertname": "AnomalyDetected", "signal": "latency", "watch": "latency", "severity": "page", "team": "shop",
        "service_name": "catalog", "service_namespace": "run-1",
    }  # fmt: skip
    worse = anomaly(config, watch, LABELS, replace(VERDICT, severity=Severity.CRITICAL, z=40.0))
    assert worse.fingerprint == one.fingerprint
    assert (one.grade, worse.grade) == ("warning", "critical")
    assert one.starts_s == 985.0


def test_severity_is_warning_unless_the_watch_says_otherwise(configured: Callable[..., Config]) -> None:
    """Alertmanager routes by it, so it must not change while the alert lasts."""
    assert identity("AnomalyDetected", configured().series[0], LABELS)["severity"] == "warning"


def test_annotations_hold_what_people_need(configured: Callable[..., Config]) -> None:
    """Value, expectation, band, z, since, a link to Grafana and the watch's own notes."""
    config = configured(explore_url="http://grafana/explore")
    watch = config.series[0].model_copy(update={"annotations": {"runbook_url": "http://wiki/latency"}})
    notes = anomaly(config, watch, LABELS, VERDICT).annotations
    assert notes["description"] == "latency 412 ms, expected 95 ms"
    assert (notes["value"], notes["expected"], notes["band"]) == ("412 ms", "95 ms", "80 ms to 118 ms")
    assert (notes["z"], notes["since"]) == ("11.2", "1970-01-01T00:16:25.000Z")
    assert notes["runbook_url"] == "http://wiki/latency"
    pane = json.loads(parse_qs(urlsplit(notes["explore"]).query)["panes"][0])["a"]
    assert pane["queries"][0]["expr"] == "latency"
    assert "explore" not in anomaly(configured(), watch, LABELS, VERDICT).annotations


def test_links_are_quoted(configured: Callable[..., Config]) -> None:
    """PromQL is full of characters that addresses do not like."""
    config = configured(series=[{"name": "a", "query": 'sum(rate(x{a="b c"}[5m]))', "kind": "traffic"}])
    generator = anomaly(config, config.series[0], (), VERDICT).generator
    assert unquote(generator) == 'http://prometheus/graph?g0.expr=sum(rate(x{a="b c"}[5m]))'
    assert " " not in explore("http://grafana/explore", 'x{a="b c"}', 5000.0)


def test_alerts_about_absence_and_blindness_have_names_of_their_own(configured: Callable[..., Config]) -> None:
    """A series that is gone and a query that fails are not anomalies of a value."""
    watch = configured().series[0]
    assert absent(watch, LABELS, since_s=5.0).labels["alertname"] == "AnomalySeriesAbsent"
    lost = blind(watch, "Prometheus did not answer", since_s=5.0)
    assert lost.labels["alertname"] == "AnomalyDetectorBlind"
    assert lost.annotations["description"] == "Prometheus did not answer"


def test_the_book_tells_what_is_new_graver_or_over() -> None:
    """Nothing is told twice; the start of an alert stays; the end says why."""
    one = AlertBook()
    assert [a.labels["name"] for a in one.sync("w", book(alert("a"), alert("b")), {}, 10.0)] == ["a", "b"]
    assert one.sync("w", book(alert("a", starts_s=99.0), alert("b")), {}, 11.0) == []
    assert one.active[alert("a").fingerprint].starts_s == 1.0
    graver = one.sync("w", book(alert("a", "critical"), alert("b")), {}, 12.0)
    assert [(a.labels["name"], a.grade, a.ends_s) for a in graver] == [("a", "critical", None)]
    over = one.sync("w", book(alert("b")), {alert("a").fingerprint: "rebaselined"}, 13.0)
    assert [(a.labels["name"], a.ends_s, a.annotations["ended"]) for a in over] == [("a", 13.0, "rebaselined")]
    assert [a.annotations["ended"] for a in one.sync("w", {}, {}, 14.0, "removed")] == ["removed"]
    assert one.active == {}


def test_scopes_do_not_touch_each_other() -> None:
    """What one watch no longer sees says nothing about another watch."""
    one = AlertBook()
    one.sync("w", book(alert("a")), {}, 10.0)
    assert one.sync("v", {}, {}, 11.0) == []
    assert len(one.active) == 1


def test_moments_are_written_in_utc() -> None:
    """As Alertmanager reads them."""
    assert iso(1_795_000_000.125) == "2026-11-18T11:06:40.125Z"
