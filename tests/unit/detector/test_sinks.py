"""Sinks: what is sent, sent again, kept, refused and recognised."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from detector import sinks
from detector.alerts import Alert
from detector.config import AlertmanagerPeer
from detector.sinks import Alertmanager, Delivery, Webhook


class Receiver:
    """The other side: remembers what came, and can refuse."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.status: Callable[[Any], int] = lambda _: 200

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        status = self.status(body)
        if status == 0:
            raise httpx.ConnectError("refused")
        if status == 200:
            self.bodies.append(body)
        return httpx.Response(status)


class Desk:
    """A delivery with a clock that is set by hand."""

    def __init__(self, kind: str = "alertmanager") -> None:
        self.now_s = 1000.0
        self.receiver = Receiver()
        self.counts: Counter[str] = Counter()
        self.emptied = 0
        http = httpx.AsyncClient(base_url="http://sink/hook", transport=httpx.MockTransport(self.receiver.answer))
        peer = AlertmanagerPeer.model_validate({"url": "http://sink", "resend": "30s"})
        sink = Alertmanager(http, peer, "am") if kind == "alertmanager" else Webhook(http, "hook")
        self.delivery = Delivery(sink, lambda: self.now_s, self._count, self._note)

    def _count(self, _sink: str, result: str, number: int) -> None:
        self.counts[result] += number

    def _note(self) -> None:
        self.emptied += 1

    def attempt(self) -> bool:
        return asyncio.run(self.delivery.attempt())


def alert(name: str = "a", ends_s: float | None = None, grade: str = "warning") -> Alert:
    """An alert of a series."""
    return Alert(
        labels={"alertname": "A", "n": name},
        annotations={"grade": grade},
        starts_s=990.0,
        ends_s=ends_s,
        generator="http://g",
    )


def test_alertmanager_gets_its_own_format() -> None:
    """RFC 3339, an end four resends ahead while active, the true end when over."""
    desk = Desk()
    desk.delivery.put([alert("a"), alert("b", ends_s=995.0)])
    assert desk.attempt()
    first, second = desk.receiver.bodies[0]
    assert first["labels"] == {"alertname": "A", "n": "a"}
    assert (first["startsAt"], first["endsAt"]) == ("1970-01-01T00:16:30.000Z", "1970-01-01T00:18:40.000Z")
    assert second["endsAt"] == "1970-01-01T00:16:35.000Z"
    assert first["generatorURL"] == "http://g"
    assert desk.counts == {"ok": 2}
    assert desk.emptied == 1


def test_an_active_alert_is_sent_again_every_resend() -> None:
    """Alertmanager forgets what is not repeated."""
    desk = Desk()
    desk.delivery.put([alert()])
    desk.attempt()
    assert desk.delivery.due() == []
    assert desk.delivery.wait_s() == pytest.approx(sinks.LONGEST_PAUSE_S)
    desk.now_s += 29.0
    assert desk.delivery.wait_s() == pytest.approx(1.0)
    desk.now_s += 1.0
    assert [one.labels["n"] for one in desk.delivery.due()] == ["a"]
    desk.attempt()
    assert len(desk.receiver.bodies) == 2


def test_the_latest_words_are_repeated_and_ended_alerts_are_not() -> None:
    """A resend carries the values of now; what is no longer active is no longer sent."""
    desk = Desk()
    desk.delivery.put([alert()])
    desk.attempt()
    newer = alert(grade="critical")
    desk.delivery.keep({newer.fingerprint: newer})
    desk.now_s += 30.0
    assert desk.delivery.due()[0].grade == "critical"
    desk.delivery.keep({})
    assert desk.delivery.due() == []


def test_a_resolution_is_kept_until_it_has_arrived() -> None:
    """While the receiver is down nothing is lost, and only the latest state is sent."""
    desk = Desk()
    desk.delivery.put([alert()])
    desk.receiver.status = lambda _: 0
    assert not desk.attempt()
    desk.delivery.put([alert(ends_s=999.0)])
    desk.receiver.status = lambda _: 503
    assert not desk.attempt()
    assert desk.emptied == 0
    desk.receiver.status = lambda _: 200
    assert desk.attempt()
    assert [[one["endsAt"] for one in body] for body in desk.receiver.bodies] == [["1970-01-01T00:16:39.000Z"]]
    assert desk.delivery.waiting == {}
    assert desk.delivery.told == {}
    assert desk.counts == {"failed": 2, "ok": 1}


def test_pauses_grow_and_are_jittered() -> None:
    """A receiver that is down is not hammered."""
    desk = Desk()
    desk.receiver.status = lambda _: 500
    desk.delivery.put([alert()])
    longest = []
    for _ in range(8):
        desk.attempt()
        longest.append(max(desk.delivery.wait_s() for _ in range(50)))
    assert longest[0] <= 0.5 < longest[2] <= 2.0
    assert longest[-1] <= sinks.LONGEST_PAUSE_S


def test_one_bad_alert_does_not_hold_up_the_others() -> None:
    """A batch that is refused as a whole is sent one by one; the bad one is dropped and counted."""
    desk = Desk()
    desk.receiver.status = lambda body: 400 if any(one["labels"]["n"] == "bad" for one in body) else 200
    desk.delivery.put([alert("a"), alert("bad"), alert("b")])
    assert desk.attempt()
    assert [one["labels"]["n"] for body in desk.receiver.bodies for one in body] == ["a", "b"]
    assert desk.counts == {"ok": 2, "refused": 1}
    assert desk.delivery.waiting == {}


@pytest.mark.parametrize("then", [0, 503])
def test_a_receiver_that_dies_while_alerts_are_sorted_out_gets_the_rest_later(then: int) -> None:
    """What was not sent one by one still waits."""
    desk = Desk()
    calls: list[int] = []

    def status(_: Any) -> int:
        calls.append(1)
        return 400 if len(calls) == 1 else then

    desk.receiver.status = status
    desk.delivery.put([alert("a"), alert("b")])
    assert not desk.attempt()
    assert len(desk.delivery.waiting) == 2


def test_a_webhook_is_told_once_of_each_change_with_a_key() -> None:
    """No resend; a repetition after a crash can be recognised by its key."""
    desk = Desk("webhook")
    desk.delivery.put([alert()])
    desk.attempt()
    desk.now_s += 3600.0
    assert desk.delivery.due() == []
    desk.delivery.put([alert(ends_s=4000.0)])
    desk.attempt()
    firing, resolved = (body["alerts"][0] for body in desk.receiver.bodies)
    assert (firing["status"], firing["endsAt"], resolved["status"]) == ("firing", None, "resolved")
    assert firing["key"] == f"{alert().fingerprint}:990.000:firing:warning"
    assert firing["key"] != resolved["key"]


def test_what_does_not_fit_is_refused_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is bounded; an alert that already waits may still change."""
    monkeypatch.setattr(sinks, "MOST_WAITING", 2)
    desk = Desk()
    desk.delivery.put([alert("a"), alert("b"), alert("c"), alert("a", ends_s=1.0)])
    assert desk.counts == {"dropped": 1}
    assert [one.ends_s for one in desk.delivery.waiting.values()] == [1.0, None]


def test_what_changed_while_it_was_on_its_way_waits_again() -> None:
    """An alert that ended during the delivery of its beginning is not forgotten."""
    desk = Desk()

    def status(_: Any) -> int:
        desk.delivery.put([alert(ends_s=1001.0)])
        return 200

    desk.receiver.status = status
    desk.delivery.put([alert()])
    desk.attempt()
    assert [one.ends_s for one in desk.delivery.waiting.values()] == [1001.0]


def test_the_delivery_loop_wakes_at_once_for_news() -> None:
    """News is not delayed by the pause between resends; and a failure is tried again."""
    desk = Desk()
    failures = iter([503])
    desk.receiver.status = lambda _: next(failures, 200)

    async def go() -> None:
        task: asyncio.Task[None] = asyncio.create_task(desk.delivery.run())
        await asyncio.sleep(0)
        desk.delivery.put([alert()])
        await within(lambda: bool(desk.receiver.bodies))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(go())
    assert desk.counts == {"failed": 1, "ok": 1}


async def within(done: Callable[[], bool], limit_s: float = 20.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(limit_s):
        while not done():
            await asyncio.sleep(0.01)
