"""Annotations and silences in the Grafana stand-in: recorded sequences, each request answered as it was."""

import re
from pathlib import Path
from typing import Any

import pytest

from stack.standins.grafana.standin import Standin
from tests.contract.grafana.comparison import comparable
from tests.contract.grafana.stages import at
from tests.contract.grafana.world import World, ask, provision, recorded, standin

CREATED_S = 1_795_517_211.614
SECONDS = {"time": 1_795_518_012, "text": "seconds instead of ms", "tags": ["sec"]}
ANNOTATIONS = (
    "annotation-create-region",
    "annotation-create-point-dashboard",
    "annotation-create-no-time",
    "annotation-create-no-text",
    "annotation-get-one",
    "annotation-list-tag",
    "annotation-list-dashboard",
    "annotation-list-tags-any",
    "annotation-list-anonymous-viewer",
    "annotation-patch",
    "annotation-put",
    "annotation-delete",
    "annotation-delete-again",
    "annotation-create-two-dashboards-fields",
)
SILENCES = (
    "fast-silences-empty",
    "silence-create",
    "silence-get",
    "silences-list",
    "silences-filter",
    "silence-create-past",
    "fast-silence-create-bad",
    "silence-delete",
    "silence-get-deleted",
    "silences-after-delete",
    "silence-get-unknown",
    "silence-delete-unknown",
)


def test_annotations_are_made_changed_and_found_as_recorded(tmp_path: Path) -> None:
    """
    From the first to the last, with the same ids, and in the same order in lists.
    """
    world = World(CREATED_S)
    made = standin(provision(tmp_path), world)
    for name in ANNOTATIONS:
        if name == "annotation-create-no-time":
            world.now_s += 0.201
        replay(name, made)
    seconds = {**recorded("annotation-create-region"), "request_body": SECONDS}
    assert ask(made, seconds).json()["id"] == 5
    replay("annotation-time-seconds-list", made)
    replay("annotation-end-before-start", made)

    turned = made.annotations.get(6)
    assert turned is not None
    assert (turned.time_ms, turned.end_ms) == (1_795_518_008_128, 1_795_518_013_128)


@pytest.mark.parametrize("series", ["", "fast-"])
def test_silences_are_made_found_and_ended_as_recorded(series: str, tmp_path: Path) -> None:
    """
    Also those that are refused; the id of the recording stands for the one that is given.
    """
    world = World(at("10:48:31.318" if not series else "10:50:48.586"))
    made = standin(provision(tmp_path), world)
    ids: dict[str, str] = {}
    for name in SILENCES:
        full = name if name.startswith("fast-") else series + name
        if "delete" in name:
            world.now_s = at("10:48:32.779" if not series else "10:50:50.059")
        found = replay(full, made, ids)
        if name == "silence-create":
            ids[recorded(full)["response_body"]["silenceID"]] = found["silenceID"]


def replay(name: str, made: Standin, ids: dict[str, str] | None = None) -> Any:
    """
    Send one recorded request; its answer must be the recorded one.
    """
    exchange = recorded(name)
    for theirs, ours in (ids or {}).items():
        exchange["path"] = exchange["path"].replace(theirs, ours)
    answer = ask(made, exchange)
    assert exchange["status"] == answer.status_code, f"{name}: {answer.text}"
    expected, found = comparable(exchange["response_body"]), comparable(answer.json())
    assert without_ids(expected) == without_ids(found), name
    return answer.json()


def without_ids(body: Any) -> Any:
    """
    A body without the random ids of silences.
    """
    if isinstance(body, dict):
        return {key: without_ids(value) for key, value in body.items()}
    if isinstance(body, list):
        return [without_ids(value) for value in body]
    return (
        "<id>" if isinstance(body, str) and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body) else body
    )
