"""LinkAct: each fault of a link is applied in every proxy of it, read back, proved by a connection, and healed."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from pydantic import TypeAdapter

from scenarios import linkact
from scenarios.act import FaultError
from scenarios.faults import act_of
from scenarios.linkact import LinkAct, Wanted
from scenarios.model import Fault, NetworkFault
from scenarios.probe import Ending, Probe
from scenarios.toxiproxy import Toxiproxy

READ: TypeAdapter[Fault] = TypeAdapter(Fault)
PROXIES = {"prometheus:collector.prometheus": "127.0.0.1:1", "prometheus:collector.metrics": "127.0.0.1:2"}
SLOW = {"kind": "slow_link", "delay": "500ms", "jitter": "100ms"}

FAULTS: list[tuple[dict[str, Any], list[dict[str, Any]], Probe]] = [
    (
        SLOW,
        [{"type": "latency", "stream": "upstream", "attributes": {"latency": 500, "jitter": 100}}],
        Probe(ending="answered", after_s=0.4),
    ),
    (
        {"kind": "throttled_link", "rate": 8},
        [{"type": "bandwidth", "stream": s, "attributes": {"rate": 8}} for s in ("upstream", "downstream")],
        Probe(ending="answered", after_s=0.5),
    ),
    (
        {"kind": "hung_link"},
        [{"type": "timeout", "stream": s, "attributes": {"timeout": 0}} for s in ("upstream", "downstream")],
        Probe(ending="silent", after_s=1),
    ),
    (
        {"kind": "reset_link"},
        [{"type": "reset_peer", "stream": "upstream", "attributes": {"timeout": 0}}],
        Probe(ending="reset", after_s=0),
    ),
    ({"kind": "cut_link"}, [], Probe(ending="refused", after_s=0)),
]
KINDS = [str(body["kind"]) for body, _, _ in FAULTS]


def made(body: Mapping[str, Any]) -> NetworkFault:
    """A fault as a drill would hold it."""
    fault = READ.validate_python({"at": "1s", "for": "5s", "target": "prometheus -> collector", **body})
    return cast("NetworkFault", fault)


class FakeToxiproxy:
    """Keeps the state of two proxies, by the rules of the real API."""

    def __init__(self) -> None:
        self.state: dict[str, dict[str, Any]] = {name: {"enabled": True, "toxics": []} for name in PROXIES}
        self.forgets = False

    @property
    def client(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        _, _, proxy, *rest = request.url.path.split("/")
        if proxy not in self.state:
            return httpx.Response(404, json={"error": "proxy not found", "status": 404})
        state, body = self.state[proxy], json.loads(request.content or b"null")
        match request.method, rest:
            case "GET", []:
                return httpx.Response(200, json={"name": proxy, **state})
            case "PATCH", []:
                state["enabled"] = body["enabled"]
                return httpx.Response(200, json=state)
            case "POST", ["toxics"]:
                return self._add(state["toxics"], body)
            case _:
                return self._remove(state["toxics"], rest[1])

    def _add(self, toxics: list[dict[str, Any]], body: dict[str, Any]) -> httpx.Response:
        if body["name"] in [toxic["name"] for toxic in toxics]:
            return httpx.Response(409, json={"error": "toxic already exists", "status": 409})
        if not self.forgets:
            toxics.append(body)
        return httpx.Response(200, json=body)

    def _remove(self, toxics: list[dict[str, Any]], name: str) -> httpx.Response:
        found = next((toxic for toxic in toxics if toxic["name"] == name), None)
        if found is None:
            return httpx.Response(404, json={"error": "toxic not found", "status": 404})
        toxics.remove(found)
        return httpx.Response(204)


class FakeServices:
    """A stack whose scrapes go through two proxies."""

    def __init__(self, proxies: Mapping[str, str] = PROXIES) -> None:
        self._proxies = proxies

    def toxiproxy(self) -> str:
        return "http://toxiproxy"

    def proxies(self, link: str) -> Mapping[str, str]:
        assert link == "prometheus -> collector"
        return self._proxies


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeToxiproxy:
    """A Toxiproxy that answers whoever asks one."""
    proxy = FakeToxiproxy()
    monkeypatch.setattr(linkact, "Toxiproxy", lambda url: Toxiproxy(url, transport=proxy.client))
    return proxy


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch, fake: FakeToxiproxy, tmp_path: Path) -> Callable[..., LinkAct]:
    """Makes an act, of which every probe sees the same."""

    def act(body: Mapping[str, Any], seen: Probe, proxies: Mapping[str, str] = PROXIES) -> LinkAct:
        monkeypatch.setattr(linkact, "probe", lambda place, *, within_s, size: seen)
        services: Any = FakeServices(proxies)
        found = act_of("faults/1", made(body), services=services, run_dir=tmp_path)
        assert isinstance(found, LinkAct)
        return found

    return act


@pytest.mark.parametrize(("body", "toxics", "seen"), FAULTS, ids=KINDS)
def test_each_fault_is_applied_to_all_proxies_of_its_link_kept_and_healed(
    link: Callable[..., LinkAct],
    fake: FakeToxiproxy,
    body: dict[str, Any],
    toxics: list[dict[str, Any]],
    seen: Probe,
) -> None:
    """In Toxiproxy's words; a cut switches the proxies off. Healed twice, nothing is left and nothing complains."""
    act = link(body, seen)
    whole = {"enabled": True, "toxics": []}
    named = [toxic | {"name": f"faults-1-{number}", "toxicity": 1.0} for number, toxic in enumerate(toxics, 1)]
    broken = {"enabled": body["kind"] != "cut_link", "toxics": named}

    assert act.apply() == {"proof": f"a connection over it {seen}, another one {seen}"}
    assert [broken, broken] == list(fake.state.values())
    assert act.apply()["proof"], "a second try finds the first one's work, and is content with it"
    assert [broken, broken] == list(fake.state.values())
    assert act.renew() == {}
    for _ in range(2):
        assert act.heal() == {}
        assert [whole, whole] == list(fake.state.values())


def test_every_fault_of_a_link_is_among_those_tried_above() -> None:
    """A new kind cannot be forgotten."""
    assert {type(made(body)) for body, _, _ in FAULTS} == set(NetworkFault.__args__)


@pytest.mark.parametrize(
    ("body", "ending", "after_s"),
    [
        (SLOW, "answered", 0.3),
        (SLOW, "silent", 5.6),
        ({"kind": "throttled_link", "rate": 8}, "answered", 0.05),
        ({"kind": "hung_link"}, "answered", 0.1),
        ({"kind": "reset_link"}, "answered", 0.1),
        ({"kind": "cut_link"}, "answered", 0.1),
    ],
)
def test_a_fault_that_a_connection_does_not_show_was_not_applied(
    link: Callable[..., LinkAct], body: dict[str, Any], ending: Ending, after_s: float
) -> None:
    """Toxiproxy may say that it is there; what counts is what comes through."""
    act = link(body, Probe(ending=ending, after_s=after_s))

    with pytest.raises(FaultError, match=r"a connection over prometheus -> collector .*; expected: it ") as caught:
        act.apply()

    assert not caught.value.final


@pytest.mark.parametrize(("kind", "ending"), [("cut_link", "reset"), ("cut_link", "closed"), ("reset_link", "closed")])
def test_a_connection_may_be_taken_by_another_proxy_first(
    link: Callable[..., LinkAct], kind: str, ending: Ending
) -> None:
    """A container engine publishes ports by one of its own: what it finds behind is told by how it ends the connection."""
    assert link({"kind": kind}, Probe(ending=ending, after_s=0)).apply()["proof"]


def test_the_message_of_a_fault_that_does_not_show_has_both_figures(link: Callable[..., LinkAct]) -> None:
    """What was seen, and what should have been."""
    with pytest.raises(FaultError) as caught:
        link(SLOW, Probe(ending="answered", after_s=0.01)).apply()

    assert str(caught.value) == (
        "a connection over prometheus -> collector came back after 0.01 s; "
        "expected: it came back or was closed without an answer or was reset after 0.40 s at the earliest"
    )


def test_a_fault_that_vanished_is_told_when_it_is_renewed(link: Callable[..., LinkAct], fake: FakeToxiproxy) -> None:
    """As when somebody restarts Toxiproxy in the middle of a drill."""
    act = link(SLOW, Probe(ending="answered", after_s=0.5))
    act.apply()
    fake.state["prometheus:collector.metrics"]["toxics"].clear()

    with pytest.raises(
        FaultError, match=r"does not do slow_link to prometheus:collector\.metrics: it lacks faults-1-1"
    ):
        act.renew()


def test_a_cut_that_was_undone_is_told_when_it_is_renewed(link: Callable[..., LinkAct], fake: FakeToxiproxy) -> None:
    """Somebody else switched the proxy on again."""
    act = link({"kind": "cut_link"}, Probe(ending="refused", after_s=0))
    act.apply()
    fake.state["prometheus:collector.metrics"]["enabled"] = True

    with pytest.raises(FaultError, match=r"still serves prometheus:collector\.metrics, which should be cut"):
        act.renew()


def test_what_toxiproxy_did_not_keep_was_not_applied(link: Callable[..., LinkAct], fake: FakeToxiproxy) -> None:
    """It said yes, and did nothing."""
    fake.forgets = True

    with pytest.raises(FaultError, match="it lacks faults-1-1"):
        link(SLOW, Probe(ending="answered", after_s=0.5)).apply()


def test_a_stack_without_the_link_is_told_and_not_tried_again(link: Callable[..., LinkAct]) -> None:
    """No try could help."""
    with pytest.raises(FaultError, match="nothing of this stack goes over prometheus -> collector") as caught:
        link(SLOW, Probe(ending="answered", after_s=0.5), {}).apply()

    assert caught.value.final


def test_what_is_asked_of_a_throttled_link_never_exceeds_what_a_throttle_does() -> None:
    """The other side may close after the first slice; at high rates there is nothing to be seen but the state."""
    slow, middle, fast = (Wanted.of(made({"kind": "throttled_link", "rate": rate})) for rate in (1, 50, 100_000))

    assert slow.at_least_s == pytest.approx(0.098)
    assert slow.within_s == 9
    assert middle.at_least_s == pytest.approx(0.078)
    assert fast.at_least_s == 0


def api(answer: Callable[[httpx.Request], httpx.Response]) -> Toxiproxy:
    """An API that answers in a certain way."""
    return Toxiproxy("http://toxiproxy", transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(("status", "final"), [(400, True), (404, True), (500, False)])
def test_what_toxiproxy_refuses_is_told_in_its_words(status: int, final: bool) -> None:
    """With what was asked of it; a proxy that does not exist will not come by waiting."""
    toxiproxy = api(lambda _: httpx.Response(status, text='{"error":"invalid toxic type"}\n'))

    with pytest.raises(FaultError) as caught:
        toxiproxy.add_toxic("a:b.c", "faults-1", {"type": "x"})

    assert (
        str(caught.value)
        == f'POST /proxies/a:b.c/toxics at toxiproxy: status {status}: {{"error":"invalid toxic type"}}'
    )
    assert caught.value.final is final


def test_a_toxiproxy_that_is_away_is_told() -> None:
    """It may come back."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(FaultError, match=r"GET /proxies/a:b\.c at toxiproxy: no answer: ConnectError: refused"):
        api(refuse).serves("a:b.c")


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"enabled": true}'])
def test_an_answer_that_makes_no_sense_is_quoted(text: str) -> None:
    """Something else listens at that address."""
    with pytest.raises(FaultError, match="toxiproxy answered what makes no sense: "):
        api(lambda _: httpx.Response(200, text=text)).serves("a:b.c")
