"""The sink takes notifications from those who know its token, stamps them, and keeps them."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack import sink
from stack.sink import Sink

TOKEN = "t0ken"


class Client:
    """Asks a sink without a network."""

    def __init__(self, arrivals: Path) -> None:
        self.sink = Sink(TOKEN, arrivals)
        self._transport = httpx.ASGITransport(self.sink.app())

    def ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One request."""

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://sink") as client:
                return await client.request(method, path, **content)

        return asyncio.run(send())

    def get(self, path: str) -> httpx.Response:
        """A GET."""
        return self.ask("GET", path)

    def post(self, path: str, **content: Any) -> httpx.Response:
        """A POST."""
        return self.ask("POST", path, **content)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A client of a sink that writes to a file."""
    made = Client(tmp_path / "arrivals.jsonl")
    yield made
    made.sink.close()


def test_an_arrival_is_stamped_kept_and_listed(client: Client, tmp_path: Path) -> None:
    """In memory for who asks, and on disk."""
    client.post(f"/hook/{TOKEN}/page", json={"alerts": []})
    client.post(f"/hook/{TOKEN}/ticket", json={"alerts": [1]})

    answer = client.get(f"/arrivals/{TOKEN}").json()
    assert [(one["n"], one["receiver"], one["body"]) for one in answer["arrivals"]] == [
        (1, "page", {"alerts": []}),
        (2, "ticket", {"alerts": [1]}),
    ]
    assert answer["arrivals"][0]["t"] <= answer["arrivals"][1]["t"] <= answer["now"]
    lines = (tmp_path / "arrivals.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == answer["arrivals"]


def test_only_what_is_new_is_asked_for(client: Client) -> None:
    """`after` is the number of the last one that was seen."""
    for _ in range(3):
        client.post(f"/hook/{TOKEN}/page", json={})

    assert [one["n"] for one in client.get(f"/arrivals/{TOKEN}?after=2").json()["arrivals"]] == [3]
    assert client.get(f"/arrivals/{TOKEN}?after=x").status_code == 400


def test_a_sink_that_is_started_again_goes_on_where_it_was(client: Client, tmp_path: Path) -> None:
    """Numbers go on, so nobody misses anything; a line that its killed forerunner tore is dropped."""
    for number in range(2):
        client.post(f"/hook/{TOKEN}/page", json={"number": number})
    with (tmp_path / "arrivals.jsonl").open("ab") as file:
        file.write(b'{"n": 3, "t"')

    second = Client(tmp_path / "arrivals.jsonl")
    second.post(f"/hook/{TOKEN}/page", json={"number": 2})
    found = second.get(f"/arrivals/{TOKEN}?after=1").json()["arrivals"]
    second.sink.close()

    assert [(one["n"], one["body"]["number"]) for one in found] == [(2, 1), (3, 2)]
    assert [json.loads(line)["n"] for line in (tmp_path / "arrivals.jsonl").read_text().splitlines()] == [1, 2, 3]


def test_a_wrong_token_is_refused_and_nothing_is_kept(client: Client) -> None:
    """Neither to write nor to read."""
    assert client.post("/hook/wrong/page", json={}).status_code == 401
    assert client.get("/arrivals/wrong").status_code == 401
    assert client.get(f"/arrivals/{TOKEN}").json()["arrivals"] == []


def test_what_is_no_json_is_refused(client: Client) -> None:
    """With the reason."""
    answer = client.post(f"/hook/{TOKEN}/page", content=b"{")

    assert (answer.status_code, answer.text[:9]) == (400, "not JSON:")


def test_a_body_without_end_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it fills the memory."""
    monkeypatch.setattr(sink, "MOST_BYTES", 100)

    assert client.post(f"/hook/{TOKEN}/page", content=b"x" * 101).status_code == 413


def test_a_full_disk_is_not_acknowledged() -> None:
    """So the sender tries again, and nothing is lost."""
    client = Client(Path("/dev/full"))
    answer = client.post(f"/hook/{TOKEN}/page", json={})
    client.sink.close()

    assert answer.status_code == 507
    assert "No space left" in answer.text


def test_half_a_line_is_never_left_on_a_nearly_full_disk(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would damage the file for the sink that is started next."""

    class Nearly:
        """A file that takes ten bytes of each line."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, line: bytes) -> int:
            return int(self.file.write(line[:10]))

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    monkeypatch.setattr(client.sink, "_file", Nearly(client.sink._file))

    assert client.post(f"/hook/{TOKEN}/page", json={}).status_code == 507
    assert client.post(f"/hook/{TOKEN}/page", json={}).status_code == 507
    assert (tmp_path / "arrivals.jsonl").read_bytes() == b""
    assert client.get(f"/arrivals/{TOKEN}").json()["arrivals"] == []


def test_it_is_ready_without_a_token(client: Client) -> None:
    """For whoever waits for it."""
    assert client.get("/ready").text == "ready\n"


@pytest.mark.parametrize("listen", ["127.0.0.1:9099", "nowhere"])
def test_it_does_not_start_without_token_or_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], listen: str
) -> None:
    """Exit code 2 and one line."""
    monkeypatch.setenv("TOCSIN_SINK_TOKEN", "" if listen != "nowhere" else TOKEN)

    assert sink.main(["--listen", listen, "--arrivals", str(tmp_path / "a")]) == 2
    assert "needs TOCSIN_SINK_TOKEN in the environment and --listen HOST:PORT" in capsys.readouterr().err
