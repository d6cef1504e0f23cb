"""Links and disks of a whole stack: every fault of the network on every link, and full disks, on either runtime."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from pydantic import TypeAdapter

from scenarios.act import Act
from scenarios.faults import act_of
from scenarios.model import Fault, Link
from scenarios.probe import probe
from stack.config import DRILL
from stack.errors import StackError
from stack.runtimes.roster import Roster
from stack.runtimes.stack import Stack, running_stack
from tocsin.runtime import settle
from tocsin.services import DrillServices

pytestmark = pytest.mark.e2e

READ: TypeAdapter[Fault] = TypeAdapter(Fault)
KINDS: dict[str, dict[str, Any]] = {
    "slow_link": {"delay": "300ms", "jitter": "50ms"},
    "throttled_link": {"rate": 20},
    "hung_link": {},
    "reset_link": {},
    "cut_link": {},
}
DISKS = ("prometheus", "tempo")


@pytest.fixture(scope="module", params=["processes", "containers"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with Toxiproxy in all its links, and small disks; where its runtime is not to be had, these tests are skipped."""
    extras = ("grafana", "toxiproxy")
    try:
        settle(request.param, extras=extras)
    except StackError as error:
        pytest.skip(str(error).splitlines()[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOCSIN_STATE", str(tmp_path_factory.mktemp("state")))
        with running_stack(runtime=request.param, extras=extras, profile=replace(DRILL, small_disks=DISKS)) as made:
            yield made


def act(stack: Stack, kind: str, target: str, run: Path) -> Act:
    """A fault on its way to a stack; no app is needed for it."""
    fault = READ.validate_python({"kind": kind, "target": target, "at": "0s", "for": "1s", **KINDS.get(kind, {})})
    services = DrillServices(stack=stack, app=cast("Any", None), roster=Roster.called("nobody"))
    return act_of("faults/1", fault, services=services, run_dir=run)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("link", get_args(Link))
def test_every_link_can_be_broken_in_every_way(stack: Stack, link: str, kind: str, tmp_path: Path) -> None:
    """A connection over it shows that it is; healed, one comes back again."""
    fault = act(stack, kind, link, tmp_path)
    try:
        assert "a connection over it " in fault.apply()["proof"]
        assert fault.renew() == {}
    finally:
        fault.heal()
        fault.heal()

    for place in stack.proxies(link).values():
        assert probe(place, within_s=30).ending in ("answered", "closed")


@pytest.mark.parametrize("name", DISKS)
def test_a_disk_can_be_filled_and_freed(stack: Stack, name: str, tmp_path: Path) -> None:
    """Its component lives through it, and another one's disk is its own."""
    fault = act(stack, "disk_full", name, tmp_path)
    try:
        fault.apply()
    except StackError as error:
        if "needs the right to mount" in str(error):
            pytest.skip(str(error))
        raise
    finally:
        fault.heal()

    assert stack.unit(name).alive
    with pytest.raises(StackError, match="collector has no disk of its own"):
        stack.unit("collector").fill_disk()
