"""Loading: whoever reads a file loads it without what is missing, says so if it will not, and the file is whole again."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from stack.mutations import Mutation
from tocsin.mutation.loading import Loader


class World:
    """A stack that only pretends, with one file of each kind."""

    def __init__(self, path: Path, status: int = 200) -> None:
        self.asked: list[httpx.Request] = []
        self.seen: list[str] = []
        self.path, self._status = path, status
        stack: Any = SimpleNamespace(
            roster=SimpleNamespace(path=path),
            secrets={"grafana_admin_password": "secret"},
            url=lambda port: f"http://{port}",
        )
        self.loader = Loader(stack, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.seen += [path.read_text() for path in self.path.rglob("*.*") if path.is_file()]
        return httpx.Response(self._status, text="no\n such receiver")

    def without(self, file: str) -> Mutation:
        """A file with one key, and that key to be deleted."""
        path = self.loader.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"a": 1, "b": 2}')
        return Mutation(kind="panel", source="grafana", subject="x", name="x", file=file, places=(("a",),))


@pytest.mark.parametrize(
    ("file", "url", "admin"),
    [
        ("rules/slo.rules.yaml", "http://prometheus.http/-/reload", False),
        ("alertmanager.yaml", "http://alertmanager.http/-/reload", False),
        ("grafana/dashboards/slo.json", "http://grafana.http/api/admin/provisioning/dashboards/reload", True),
        ("grafana/provisioning/alerting/a.yaml", "http://grafana.http/api/admin/provisioning/alerting/reload", True),
        (
            "grafana/provisioning/datasources/a.yaml",
            "http://grafana.http/api/admin/provisioning/datasources/reload",
            True,
        ),
    ],
)
def test_who_reads_a_file_is_asked_to_load_it(tmp_path: Path, file: str, url: str, admin: bool) -> None:
    """As the admin where only he may."""
    world = World(tmp_path)
    mutation = world.without(file)

    with world.loader.without([mutation]) as refusal:
        assert refusal == ""

    (request,) = world.asked
    assert (str(request.url), request.method) == (url, "POST")
    assert ("authorization" in request.headers) is admin


def test_the_file_lacks_it_while_it_is_loaded_and_is_whole_afterwards(tmp_path: Path) -> None:
    """Also when the block fails."""
    world = World(tmp_path)
    mutation = world.without("alertmanager.yaml")

    with pytest.raises(RuntimeError), world.loader.without([mutation]):
        raise RuntimeError

    assert '"a"' not in world.seen[0]
    assert "b" in world.seen[0]
    assert (world.loader.root / "alertmanager.yaml").read_text() == '{"a": 1, "b": 2}'


def test_a_refusal_is_told_in_the_words_of_whoever_refuses(tmp_path: Path) -> None:
    """On one line."""
    world = World(tmp_path, status=400)

    with world.loader.without([world.without("alertmanager.yaml")]) as refusal:
        assert refusal == "400: no such receiver"
