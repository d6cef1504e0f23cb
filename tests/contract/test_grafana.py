"""The Grafana stand-in against recorded exchanges with a real Grafana: the same state must give the same answers."""

from pathlib import Path

import pytest

from stack.standins.grafana.standin import Standin
from tests.contract.grafana.comparison import comparable, frames
from tests.contract.grafana.differences import EDITED, FOLLOWS_13, NOT_REPLAYED
from tests.contract.grafana.stages import STAGED
from tests.contract.grafana.world import RECORDED, World, ask, provision, recorded, standin

NAMES = sorted(path.stem for path in RECORDED.glob("*.json"))
NOW_S = 1_795_517_210.5
PLAIN = [name for name in NAMES if name not in NOT_REPLAYED and name not in STAGED and name not in FOLLOWS_13]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Standin:
    """A stand-in provisioned as the recorded Grafana was, at the time of the recording."""
    return standin(provision(tmp_path_factory.mktemp("grafana")), World(NOW_S))


@pytest.mark.parametrize("name", PLAIN)
def test_answers_as_the_real_one_did(name: str, made: Standin) -> None:
    """
    Status, content type and body are those of the recording, but for what differs from run to run.
    """
    exchange = recorded(name)

    answer = ask(made, exchange)

    assert exchange["status"] == answer.status_code, answer.text
    kind = (exchange["response_content_type"] or "").partition(";")[0]
    assert kind == answer.headers.get("content-type", "").partition(";")[0]
    if isinstance(exchange["response_body"], dict | list):
        edit = EDITED[name][1] if name in EDITED else lambda body: body
        expected, found = edit(exchange["response_body"]), edit(answer.json())
        assert comparable(frames(expected)) == comparable(frames(found))
    elif kind != "text/html" and exchange["method"] != "HEAD":
        assert (exchange["response_body"] or "") == answer.text


@pytest.mark.parametrize("name", sorted(set(FOLLOWS_13) & set(NAMES)))
def test_answers_as_13_where_that_differs(name: str, made: Standin, tmp_path: Path) -> None:
    """
    Where Grafana 13 is known to answer otherwise than the recorded one, the stand-in answers as 13 does.
    """
    _, status, words = FOLLOWS_13[name]
    if name == "fast-query-prometheus-stopped":
        stopped = World(NOW_S)
        stopped.prometheus_is_up = lambda at_s: False
        made = standin(provision(tmp_path), stopped)

    answer = ask(made, recorded(name))

    assert status == answer.status_code, answer.text
    assert str(words) in answer.text


def test_no_recording_is_left_out_silently() -> None:
    """
    Each recording is replayed here or as a stage of an alert, or a table says why not; the tables name only recordings.
    """
    tables = [set(PLAIN), set(NOT_REPLAYED), set(FOLLOWS_13) & set(NAMES), set(STAGED)]

    assert sum(map(len, tables)) == len(set().union(*tables)) == len(NAMES)
