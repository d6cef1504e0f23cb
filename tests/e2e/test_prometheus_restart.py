"""What a restart of the real Prometheus, started as the stack starts it, does to an alert that fires."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assertions.backend import BackendError, eventually
from assertions.prometheus import ActiveAlert, Prometheus
from stack.components import COMPONENTS
from stack.engines import locate
from stack.runtimes.ports import allocate
from stack.runtimes.roster import Roster

pytestmark = pytest.mark.e2e

WITHIN_S = 60
CONFIG = """
global: {scrape_interval: 200ms, evaluation_interval: 200ms}
rule_files: [rules.yaml]
scrape_configs: [{job_name: nobody, static_configs: [{targets: ["127.0.0.1:9"]}]}]
"""
RULES = """
groups: [{name: pipeline, rules: [{alert: TargetDown, expr: up == 0, for: 2s}]}]
"""


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A port of loopback."""
    monkeypatch.setenv("TOCSIN_STATE", str(tmp_path / "state"))
    roster = Roster.create("test")
    yield allocate(["prometheus.http"], roster=roster)["prometheus.http"]
    roster.disband()


@contextmanager
def running(folder: Path, address: str) -> Iterator[Prometheus]:
    """Prometheus with the arguments of the component table, on the data that the last one left in the folder."""
    binary = locate("prometheus")
    assert binary is not None, "prometheus is not there; build it with `python -m stack.engines build`"
    values = {"config": str(folder / "prometheus.yaml"), "data": str(folder / "data")}
    values |= {"http": address, "http_url": f"http://{address}"}
    arguments = [argument.format(**values) for argument in COMPONENTS["prometheus"].args]
    with (folder / "log").open("ab") as log, subprocess.Popen([binary, *arguments], stdout=log, stderr=log) as process:
        client = Prometheus(f"http://{address}")
        try:
            yield client
        finally:
            client.close()
            process.terminate()


def firing(prometheus: Prometheus) -> ActiveAlert:
    """The alert, once it fires."""

    def look() -> list[ActiveAlert]:
        try:
            return [alert for alert in prometheus.alerts() if alert.state == "firing"]
        except BackendError:
            return []

    (alert,) = eventually(look, bool, within_s=WITHIN_S)
    return alert


def test_an_alert_that_fires_does_not_begin_to_wait_anew(tmp_path: Path, address: str) -> None:
    """
    Else Alertmanager hears nothing of it for as long as its rule waits, and tells people that it is over.
    """
    (tmp_path / "prometheus.yaml").write_text(CONFIG)
    (tmp_path / "rules.yaml").write_text(RULES)
    with running(tmp_path, address) as prometheus:
        before = firing(prometheus)
    restarted_t = time.time()
    with running(tmp_path, address) as prometheus:
        after = firing(prometheus)

    assert before.active_at is not None
    assert after.active_at is not None
    assert after.active_at < restarted_t
    assert after.active_at == pytest.approx(before.active_at, abs=2)
