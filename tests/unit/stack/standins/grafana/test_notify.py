"""From an alert to a notification: routes, groups, times, silences and mute timings."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from stack.standins.grafana.alerting.measure import Measures
from stack.standins.grafana.api.alertmanager import parse_matcher
from stack.standins.grafana.document import read_documents
from stack.standins.grafana.labels import fingerprint
from stack.standins.grafana.notify.alerts import Alert
from stack.standins.grafana.notify.dispatcher import Dispatcher
from stack.standins.grafana.notify.mute import read_mute_timings
from stack.standins.grafana.notify.routes import Matcher, Timing
from stack.standins.grafana.notify.sender import Sender
from stack.standins.grafana.notify.silences import BadSilence, Silences
from stack.standins.grafana.problems import ProvisioningError, Warnings
from stack.standins.grafana.provisioning.contact_points import read_contact_points
from stack.standins.grafana.provisioning.policies import read_policies
from stack.standins.grafana.provisioning.rules import Direct
from stack.standins.grafana.provisioning.world import Alerting
from stack.standins.grafana.times import parse_rfc3339

POINTS = """
contactPoints:
  - {name: all, receivers: [{uid: a, type: webhook, settings: {url: http://hook/all}}]}
  - {name: pages, receivers: [{uid: p, type: webhook, settings: {url: http://hook/pages}, disableResolveMessage: true}]}
  - {name: tickets, receivers: [{uid: t, type: webhook, settings: {url: http://hook/tickets, maxAlerts: 1}}]}
muteTimes: [{name: night, time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}]}]}]
"""
TIMES = "group_by: [alertname], group_wait: 1s, group_interval: 5s, repeat_interval: 60s"


class Desk:
    """A dispatcher with a clock that is moved by hand, and what arrived."""

    def __init__(self, folder: Path, policies: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "notify.yaml").write_text(f"{POINTS}\npolicies: [{policies}]\n")
        documents = read_documents(folder, {}, Warnings())
        points, mutes = read_contact_points(documents), read_mute_timings(documents)
        names = [point.name for point in points]
        route = read_policies(documents, names, tuple(mutes))
        self.now_s = 1_800_000_000.0
        self.arrived: list[tuple[float, str, dict[str, Any]]] = []
        self.status = 200
        alerting = Alerting(contact_points=points, route=route, mute_timings=mutes)
        self.silences = Silences()
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._take))
        sender = Sender(client, "http://g/", lambda: self.now_s)
        self.dispatcher = Dispatcher(lambda: alerting, self.silences, sender, Measures(lambda: ()), lambda: self.now_s)

    def _take(self, request: httpx.Request) -> httpx.Response:
        body = yaml.safe_load(request.content)
        self.arrived.append((self.now_s, request.url.path, body))
        return httpx.Response(self.status)

    def fire(self, ends_in_s: float = 3600.0, direct: Direct | None = None, **labels: Any) -> None:
        """Tell it of an alert that has just begun (or, with no time left, has just ended)."""
        self.dispatcher.put(
            Alert(
                labels=labels,
                annotations={},
                starts_s=self.now_s if ends_in_s > 0 else self.now_s - 10,
                ends_s=self.now_s + ends_in_s,
                updated_s=self.now_s,
                rule_uid="r",
                values={},
                value_string="",
                direct=direct,
                fingerprint=fingerprint(labels),
            )
        )

    def end(self, **labels: Any) -> None:
        """Tell it that an alert has ended."""
        self.fire(ends_in_s=0.0, **labels)

    def wait(self, seconds: float) -> Sequence[tuple[int, str, str]]:
        """Let time pass; what arrived meanwhile: tenths of a second, path and title's first word."""
        begin_s, known = self.now_s, len(self.arrived)
        asyncio.run(self._pass(seconds))
        return [
            (round((at - begin_s) * 10), path, body["title"].split("]")[0].strip("["))
            for at, path, body in self.arrived[known:]
        ]

    async def _pass(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        tidy_s = self.now_s
        while self.now_s < until_s - 1e-6:
            for group in self.dispatcher.due(self.now_s):
                await self.dispatcher.flush(group, self.now_s)
            if self.now_s - tidy_s >= 30:
                self.dispatcher.tidy(self.now_s)
                tidy_s = self.now_s
            self.now_s = round(self.now_s + 0.1, 1)


def desk(folder: Path, policy: str = f"{{receiver: all, {TIMES}}}") -> Desk:
    """A desk with one policy tree."""
    return Desk(folder, policy)


def test_a_group_waits_then_tells_then_tells_changes_at_intervals(tmp_path: Path) -> None:
    """
    1 s after the first alert; a second alert of the group at the next interval of 5 s; then silence.
    """
    made = desk(tmp_path)
    made.fire(alertname="X", n="1")
    assert made.wait(2) == [(10, "/all", "FIRING:1")]
    made.fire(alertname="X", n="2")

    assert made.wait(20) == [(40, "/all", "FIRING:2")]


def test_a_resolution_is_told_once(tmp_path: Path) -> None:
    """
    At the next interval, with what still fires; when all has ended, once more; then never again.
    """
    made = desk(tmp_path)
    made.fire(alertname="X", n="1")
    made.fire(alertname="X", n="2")
    made.wait(2)
    made.end(alertname="X", n="1")
    assert made.wait(5) == [(40, "/all", "FIRING:1, RESOLVED:1")]
    made.end(alertname="X", n="2")

    assert made.wait(30) == [(40, "/all", "RESOLVED")]


def test_groups_are_told_apart(tmp_path: Path) -> None:
    """
    Alerts with other group labels are other groups with other times.
    """
    made = desk(tmp_path)
    made.fire(alertname="X")
    made.wait(0.5)
    made.fire(alertname="Y")

    assert [(at, path) for at, path, _ in made.wait(2)] == [(5, "/all"), (10, "/all")]


def test_what_keeps_firing_is_repeated(tmp_path: Path) -> None:
    """
    After the repeat interval, at the next flush.
    """
    made = desk(tmp_path)
    made.fire(alertname="X")
    made.wait(2)

    assert len(made.wait(58)) == 0
    assert len(made.wait(10)) == 1


def test_a_short_firing_that_was_never_told_is_never_told_to_have_ended(tmp_path: Path) -> None:
    """
    It ended within the group's wait, so nobody needs to know.
    """
    made = desk(tmp_path)
    made.fire(alertname="X")
    made.wait(0.5)
    made.end(alertname="X")

    assert made.wait(20) == []


def test_an_emptied_group_lives_on_until_it_is_tidied_up(tmp_path: Path) -> None:
    """
    So what fires again soon waits for the group's next interval, later for the group's wait.
    """
    made = desk(tmp_path)
    made.fire(alertname="X")
    made.wait(2)
    made.end(alertname="X")
    made.wait(6)
    made.fire(alertname="X")
    again = made.wait(8)
    made.end(alertname="X")
    made.wait(60)
    made.fire(alertname="X")

    assert again == [(30, "/all", "FIRING:1")]
    assert made.wait(3) == [(10, "/all", "FIRING:1")]


def test_a_refused_notification_is_sent_again_at_the_next_interval(tmp_path: Path) -> None:
    """
    And what has ended meanwhile is not forgotten.
    """
    made = desk(tmp_path)
    made.status = 500
    made.fire(alertname="X", n="1")
    assert len(made.wait(2)) == 1
    made.status = 200

    assert made.wait(10) == [(40, "/all", "FIRING:1")]


TREE = f"""
  {{receiver: all, {TIMES}, routes: [
     {{receiver: pages, object_matchers: [[severity, =, page]], continue: true}},
     {{receiver: tickets, object_matchers: [[severity, =~, "page|ticket"]], group_by: [team], routes: [
        {{receiver: all, object_matchers: [[team, "!=", shop]]}}]}}]}}"""


def test_policies_are_followed_to_the_deepest_that_matches(tmp_path: Path) -> None:
    """
    `continue` goes on to the siblings; what matches nowhere is the root's; times are inherited, groups if not set.
    """
    made = desk(tmp_path, TREE)
    found = {}
    fired: dict[str, dict[str, Any]] = {
        "page": {"severity": "page", "team": "shop"},
        "ticket": {"severity": "ticket", "team": "ops"},
        "other": {"severity": "none"},
    }
    for name, labels in fired.items():
        made.fire(alertname=name, **labels)
        alert = next(one for one in made.dispatcher.alerts if one.labels["alertname"] == name)
        found[name] = [(key, receiver, dict(labels)) for key, receiver, _, labels in made.dispatcher.routes(alert)]

    assert found == {
        "page": [
            ('{}/{severity="page"}', "pages", {"alertname": "page"}),
            ('{}/{severity=~"page|ticket"}', "tickets", {"team": "shop"}),
        ],
        "ticket": [('{}/{severity=~"page|ticket"}/{team!="shop"}', "all", {"team": "ops"})],
        "other": [("{}", "all", {"alertname": "other"})],
    }


def test_a_receiver_can_leave_out_resolutions(tmp_path: Path) -> None:
    """
    It is told of each firing, also of the second, and of no end.
    """
    made = desk(tmp_path, f"{{receiver: pages, {TIMES}}}")
    for _ in range(2):
        made.fire(alertname="X")
        made.wait(7)
        made.end(alertname="X")
        made.wait(7)

    assert [body["status"] for _, _, body in made.arrived] == ["firing", "firing"]


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    """
    With how many were left out.
    """
    made = desk(tmp_path, f"{{receiver: tickets, {TIMES}}}")
    made.fire(alertname="X", n="1")
    made.fire(alertname="X", n="2")
    made.wait(2)

    (_, _, body) = made.arrived[0]
    assert (len(body["alerts"]), body["truncatedAlerts"]) == (1, 1)


def test_grouping_by_everything_is_a_group_per_alert(tmp_path: Path) -> None:
    """
    `...` takes all labels.
    """
    made = desk(tmp_path, "{receiver: all, group_by: ['...'], group_wait: 1s, group_interval: 5s}")
    made.fire(alertname="X", n="1")
    made.fire(alertname="X", n="2")

    assert len(made.wait(2)) == 2


def test_a_rule_can_send_past_the_policies(tmp_path: Path) -> None:
    """
    Its own receiver and times are used.
    """
    made = desk(tmp_path)
    made.fire(direct=Direct(receiver="tickets", timing=Timing(group_wait_s=2.0, group_interval_s=5.0)), alertname="X")

    assert made.wait(4) == [(20, "/tickets", "FIRING:1")]


def silence(made: Desk, seconds: float, **changes: Any) -> Mapping[str, Any]:
    """The body of a silence of alert X from now on."""

    def clock(at_s: float) -> str:
        return datetime.fromtimestamp(at_s, UTC).isoformat()

    matcher = {"name": "alertname", "value": "X", "isRegex": False, "isEqual": True}
    body = {"matchers": [matcher], "startsAt": clock(made.now_s), "endsAt": clock(made.now_s + seconds)}
    return {**body, "createdBy": "me", "comment": "drill", **changes}


def test_a_silenced_alert_is_told_when_the_silence_ends(tmp_path: Path) -> None:
    """
    At the group's next flush, not before; also when the silence is deleted.
    """
    made = desk(tmp_path)
    made.silences.set(silence(made, 7), made.now_s)
    made.fire(alertname="X")
    made.fire(alertname="Y")

    assert [
        (at, body["groupLabels"]["alertname"])
        for (at, _, _), (_, _, body) in zip(made.wait(20), made.arrived, strict=True)
    ] == [(10, "Y"), (110, "X")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"matchers": []}, "matchers in body should have at least 1 items"),
        ({"startsAt": "soon"}, "startsAt in body is required"),
        ({"createdBy": None}, "createdBy in body is required"),
        ({"endsAt": "2001-01-01T00:00:00Z"}, "end time can't be in the past"),
        ({"id": "nope"}, "silence not found"),
        ({"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, "not a regular expression"),
        ({"matchers": [{"value": "x"}]}, "invalid label name"),
    ],
)
def test_a_bad_silence_is_refused(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    """
    In Grafana's words.
    """
    made = desk(tmp_path)
    with pytest.raises(BadSilence) as caught:
        made.silences.set(silence(made, 60, **changes), made.now_s)

    assert words in str(caught.value)


def test_a_silence_can_be_changed_and_ended(tmp_path: Path) -> None:
    """
    With its id it keeps it as long as the matchers are the same, else it is replaced.
    """
    made = desk(tmp_path)
    first = made.silences.set(silence(made, 60), made.now_s)
    longer = made.silences.set(silence(made, 90, id=first.id), made.now_s)
    matcher = [{"name": "alertname", "value": "Y", "isRegex": False}]
    other = made.silences.set(silence(made, 90, id=first.id, matchers=matcher), made.now_s)

    assert first.id == longer.id != other.id
    assert [("expired", first.id), ("active", other.id)] == sorted(
        ((one.state(made.now_s), one.id) for one in made.silences), reverse=True
    )


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ({"times": [{"start_time": "09:00", "end_time": "17:00"}]}, "2026-11-24T09:00:00Z", "2026-11-24T17:00:00Z"),
        ({"weekdays": ["monday:wednesday"]}, "2026-11-24T12:00:00Z", "2026-11-26T12:00:00Z"),
        ({"days_of_month": ["-1"]}, "2026-11-30T12:00:00Z", "2026-11-29T12:00:00Z"),
        ({"months": ["november", "1"]}, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ({"years": ["2026:2027"]}, "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"),
        (
            {"times": [{"start_time": "00:00", "end_time": "01:00"}], "location": "Europe/Paris"},
            "2026-11-23T23:30:00Z",
            "2026-11-24T00:30:00Z",
        ),
    ],
)
def test_mute_timings(interval: dict[str, Any], inside: str, outside: str, tmp_path: Path) -> None:
    """
    Each part of an interval, in its time zone.
    """
    (tmp_path / "m.yaml").write_text(yaml.safe_dump({"muteTimes": [{"name": "m", "time_intervals": [interval]}]}))
    timing = read_mute_timings(read_documents(tmp_path, {}, Warnings()))["m"]

    assert timing.contains(parse_rfc3339(inside))
    assert not timing.contains(parse_rfc3339(outside))


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ({"times": [{"start_time": "9", "end_time": "17:00"}]}, "start_time must be HH:MM up to 24:00, found '9'"),
        ({"weekdays": ["someday"]}, "weekdays: 'someday' is not understood"),
        ({"location": "Mars/Base"}, "location 'Mars/Base' is no known time zone"),
    ],
)
def test_a_bad_mute_timing_is_refused(interval: dict[str, Any], words: str, tmp_path: Path) -> None:
    """
    With its place.
    """
    (tmp_path / "m.yaml").write_text(yaml.safe_dump({"muteTimes": [{"name": "m", "time_intervals": [interval]}]}))
    with pytest.raises(ProvisioningError) as caught:
        read_mute_timings(read_documents(tmp_path, {}, Warnings()))

    assert words in str(caught.value)
    assert "m.yaml:" in str(caught.value)


def test_a_muted_policy_tells_afterwards(tmp_path: Path) -> None:
    """
    During the mute timing nothing; after it, what still fires.
    """
    made = desk(tmp_path, f"{{receiver: all, {TIMES}, mute_time_intervals: [night]}}")
    made.now_s = parse_rfc3339("2026-11-24T23:59:50Z")
    made.fire(alertname="X")

    assert made.wait(20) == [(110, "/all", "FIRING:1")]


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ('a="b"', {"a": "b"}, True),
        ("a!=b", {}, True),
        ('a=~"b.*"', {"a": "bcd"}, True),
        ('a=~"b"', {"a": "bcd"}, False),
        ('a!~"b.*"', {"a": "bcd"}, False),
        ('"a" = "b\\"c"', {"a": 'b"c'}, True),
        ('a=""', {}, True),
    ],
)
def test_matchers(text: str, labels: Mapping[str, str], expected: bool) -> None:
    """
    Equal, not equal, and regular expressions over the whole value; an absent label is empty.
    """
    assert parse_matcher(text).matches(labels) is expected


@pytest.mark.parametrize("text", ["", "a", "{a=b}", "a=b c"])
def test_a_bad_matcher_is_refused(text: str) -> None:
    """
    With the text.
    """
    with pytest.raises(ValueError, match="bad matcher format"):
        parse_matcher(text)


def test_a_matchers_operator_is_checked() -> None:
    """
    With what is known.
    """
    with pytest.raises(ValueError, match='unsupported match type "==" in matcher; known: =, !=, =~, !~'):
        Matcher(name="a", operator="==", value="b")
