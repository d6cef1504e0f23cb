"""The stand-in as a process: Grafana's command line, real sockets, clean ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "stack.standins.grafana"]
WITHIN_S = 60


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The variables of a Grafana with a folder of its own and a free port."""
    own = {"GF_PATHS_PROVISIONING": str(folder), "GF_PATHS_DATA": str(folder / "data"), "GF_SERVER_HTTP_PORT": "0"}
    return {**os.environ, **own, **more}


def run(folder: Path, *flags: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    env = environment(folder, **more)
    return subprocess.run([*COMMAND, *flags], capture_output=True, text=True, timeout=WITHIN_S, env=env, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_starts_answers_and_ends_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    """
    `server --homepath --config` as Grafana is started; a signal ends it with status 0 and its state saved.
    """
    config = tmp_path / "grafana.ini"
    config.write_text("[auth.anonymous]\nenabled = true\n")
    command = [*COMMAND, "server", "--homepath", str(tmp_path), "--config", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment(tmp_path))
    assert process.stderr is not None
    with process, process.stderr as stderr:
        try:
            address = re.search(r"http=(\S+)", stderr.readline())
            assert address is not None
            assert address[1].startswith("127.0.0.1:")
            answer = httpx.get(f"http://{address[1]}/api/search", timeout=WITHIN_S)
            process.send_signal(number)
            assert (answer.status_code, process.wait(WITHIN_S)) == (200, 0)
        finally:
            process.kill()

    assert (tmp_path / "data" / "grafana-standin.json").exists()


def test_prints_its_version(tmp_path: Path) -> None:
    """
    It cannot be taken for the real one's.
    """
    done = run(tmp_path, "-v")

    assert done.returncode == 0
    assert "standin" in done.stdout
    assert "not Grafana" in done.stdout


def test_a_bad_file_ends_the_start(tmp_path: Path) -> None:
    """
    With status 1, Grafana's mark, and the place.
    """
    (tmp_path / "alerting").mkdir()
    (tmp_path / "alerting" / "r.yaml").write_text("groups:\n  - {name: g, interval: 10s}\n")
    done = run(tmp_path, "server")

    assert done.returncode == 1
    assert f"Error: ✗ {tmp_path}/alerting/r.yaml:2: rule group has no folder set" in done.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """
    With the address; status 1.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(tmp_path, "server", GF_SERVER_HTTP_PORT=str(port))

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_a_wrong_flag_is_named(tmp_path: Path) -> None:
    """
    With status 2.
    """
    done = run(tmp_path, "--nonsense")

    assert done.returncode == 2
    assert "unrecognized arguments: --nonsense" in done.stderr
