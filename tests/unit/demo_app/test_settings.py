"""Settings: what is read from the environment, and what is said when it cannot be used."""

import os
import re
from pathlib import Path

import pytest

from demo_app.__main__ import main
from demo_app.settings import VARIABLES, Settings, SettingsError, from_environment, usage

FRONTEND = {
    "DEMO_ROLE": "frontend",
    "DEMO_CATALOG_URL": "http://127.0.0.1:8001",
    "DEMO_USERS_URL": "http://127.0.0.1:8002",
}


def test_a_service_needs_nothing_but_its_role() -> None:
    """
    All else has a default: loopback only, no fault API, a database of its own.
    """
    settings = from_environment({"DEMO_ROLE": "catalog"})

    assert settings == Settings(role="catalog", host="127.0.0.1", port=8000, threads=8, upstreams={})
    assert settings.faults is None


def test_everything_can_be_set() -> None:
    """
    Each variable reaches its setting.
    """
    settings = from_environment(
        FRONTEND
        | {
            "DEMO_HOST": "127.0.0.2",
            "DEMO_PORT": "0",
            "DEMO_THREADS": "3",
            "DEMO_UPSTREAM_TIMEOUT_S": "0.5",
            "DEMO_DATABASE": "/data/shop.sqlite",
            "DEMO_FAULT_TOKEN": "open-sesame",
            "DEMO_FAULT_PORT": "9",
        }
    )

    assert (settings.host, settings.port, settings.threads) == ("127.0.0.2", 0, 3)
    assert settings.upstreams == {"catalog": "http://127.0.0.1:8001", "users": "http://127.0.0.1:8002"}
    assert settings.upstream_timeout_s == 0.5
    assert settings.database == Path("/data/shop.sqlite")
    assert settings.faults is not None
    assert (settings.faults.host, settings.faults.port, settings.faults.token) == ("127.0.0.1", 9, "open-sesame")


WRONG = [
    ({}, "DEMO_ROLE: is not set; allowed: one of frontend, catalog, users"),
    ({"DEMO_ROLE": "shop"}, "DEMO_ROLE: 'shop' cannot be used; allowed: one of frontend, catalog, users"),
    ({"DEMO_PORT": "http"}, "DEMO_PORT: 'http' cannot be used; allowed: a whole number from 0 to 65535"),
    ({"DEMO_PORT": "65536"}, "DEMO_PORT: '65536' cannot be used; allowed: a whole number from 0 to 65535"),
    ({"DEMO_PORT": "80.5"}, "DEMO_PORT: '80.5' cannot be used; allowed: a whole number from 0 to 65535"),
    ({"DEMO_THREADS": "0"}, "DEMO_THREADS: '0' cannot be used; allowed: a whole number from 1 to 256"),
    (
        {"DEMO_UPSTREAM_TIMEOUT_S": "nan"},
        "DEMO_UPSTREAM_TIMEOUT_S: 'nan' cannot be used; allowed: a number from 0.05 to 60 seconds",
    ),
    (
        {"DEMO_ROLE": "frontend", "DEMO_CATALOG_URL": "http://127.0.0.1:1"},
        "DEMO_USERS_URL: is not set; the frontend needs it; allowed: a URL such as http://127.0.0.1:8001",
    ),
    (
        FRONTEND | {"DEMO_CATALOG_URL": "127.0.0.1:8001"},
        "DEMO_CATALOG_URL: '127.0.0.1:8001' cannot be used; allowed: a URL such as http://127.0.0.1:4318",
    ),
    (
        FRONTEND | {"DEMO_USERS_URL": "http://127.0.0.1:99999"},
        "DEMO_USERS_URL: 'http://127.0.0.1:99999' cannot be used; allowed: a URL such as http://127.0.0.1:4318",
    ),
    ({"DEMO_FAULT_PORT": "-1"}, "DEMO_FAULT_PORT: '-1' cannot be used; allowed: a whole number from 0 to 65535"),
    (
        {"OTEL_METRIC_EXPORT_INTERVAL": "1s"},
        "OTEL_METRIC_EXPORT_INTERVAL: '1s' cannot be used; allowed: a number from 1 to 3600000 milliseconds",
    ),
    (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
        "OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' cannot be used; allowed: a URL such as http://127.0.0.1:4318",
    ),
    (
        {"OTEL_RESOURCE_ATTRIBUTES": "service.namespace"},
        "OTEL_RESOURCE_ATTRIBUTES: 'service.namespace' cannot be used; allowed: key=value pairs with a comma between them",
    ),
    (
        {"OTEL_TRACES_SAMPLER_ARG": "2"},
        "OTEL_TRACES_SAMPLER_ARG: '2' cannot be used; allowed: a number from 0 to 1",
    ),
    (
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' cannot be used; allowed: one of http/protobuf",
    ),
    ({"OTEL_SDK_DISABLED": "yes"}, "OTEL_SDK_DISABLED: 'yes' cannot be used; allowed: one of true, false"),
]


@pytest.mark.parametrize(("wrong", "error"), WRONG, ids=[error.split(";")[0] for _, error in WRONG])
def test_a_wrong_value_is_named_with_what_is_allowed(wrong: dict[str, str], error: str) -> None:
    """
    One sentence: which variable, what it holds, what it may hold.
    """
    environ = ({"DEMO_ROLE": "catalog"} if wrong else {}) | wrong

    with pytest.raises(SettingsError, match=f"^{re.escape(error)}$"):
        from_environment(environ)


def test_a_weak_token_is_refused_without_being_shown() -> None:
    """
    A token is a secret, also a bad one.
    """
    with pytest.raises(SettingsError) as caught:
        from_environment({"DEMO_ROLE": "catalog", "DEMO_FAULT_TOKEN": "hunter2"})

    assert str(caught.value) == (
        "DEMO_FAULT_TOKEN: it cannot be used; allowed: at least 8 printable ASCII characters without a space"
    )


def test_a_token_does_not_show_in_a_log() -> None:
    """
    Settings that are printed by accident keep the token to themselves.
    """
    settings = from_environment({"DEMO_ROLE": "catalog", "DEMO_FAULT_TOKEN": "open-sesame"})

    assert "open-sesame" not in repr(settings)


def test_help_names_every_variable() -> None:
    """
    What can be set is listed, with its default.
    """
    lines = usage().splitlines()

    for variable in VARIABLES:
        line = next(line for line in lines if line.split()[:1] == [variable.name])
        assert variable.meaning in line
        assert variable.default in line


def test_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """
    `--help` answers and starts nothing.
    """
    assert main(["--help"]) == 0
    assert capsys.readouterr().out == usage() + "\n"


@pytest.mark.parametrize(
    ("arguments", "environ", "error"),
    [
        (["--port"], {}, "demo_app: unknown argument '--port'; all settings are environment variables: see --help\n"),
        ([], {"DEMO_ROLE": "x"}, "demo_app: DEMO_ROLE: 'x' cannot be used; allowed: one of frontend, catalog, users\n"),
    ],
)
def test_a_wrong_start_is_one_line_and_code_2(
    arguments: list[str],
    environ: dict[str, str],
    error: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Nothing starts, nothing is printed but the error.
    """
    monkeypatch.setattr(os, "environ", environ)

    assert main(arguments) == 2
    assert capsys.readouterr().err == error
