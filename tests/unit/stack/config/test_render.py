"""Rendering: whole, valid and safe configuration files, or an error that says what is missing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from stack.config import COMPONENTS, DRILL, PROFILES, ConfigError, Profile, render

ADDRESS = {
    name: f"127.0.0.1:{21000 + index}"
    for index, name in enumerate(
        [
            "collector.otlp_grpc",
            "collector.otlp_http",
            "collector.prometheus",
            "collector.metrics",
            "collector.health",
            "prometheus.http",
            "alertmanager.http",
            "tempo.http",
            "tempo.otlp_grpc",
            "tempo.otlp_http",
            "tempo.grpc",
            "sink.http",
        ]
    )
}
SECRETS = {"sink_token": "0123456789abcdefXYZ_-"}


def text(component: str, *, profile: str | Profile = "drill", address: Mapping[str, str] = ADDRESS, **more: Any) -> str:
    """The component's one file."""
    given: dict[str, Any] = {"data_dir": "/data", "rules_dir": "/rules", "secrets": SECRETS} | more
    # Only a stack that has the detector renders it.
    own = {"detector.http": "127.0.0.1:21099"} if component == "detector" and address else {}
    chosen = PROFILES[profile] if isinstance(profile, str) else profile
    files = render(component, profile=chosen, address={**own, **address}, **given)
    assert [f"{component}.yaml"] == list(files)
    return files[f"{component}.yaml"]


def loaded(component: str, **more: Any) -> Any:
    """The component's one file, as its engine reads it."""
    return yaml.safe_load(text(component, **more))


def shape(value: Any) -> Any:
    """A configuration without its numbers, durations and texts: what is left must not depend on the profile."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("component", COMPONENTS)
def test_profiles_differ_in_values_only(component: str) -> None:
    """
    What is drilled is what is deployed: the same parts, wired in the same way.
    """
    assert shape(loaded(component, profile="production")) == shape(loaded(component, profile="drill"))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("component", COMPONENTS)
def test_nothing_listens_beyond_the_given_addresses(component: str, profile: str) -> None:
    """
    On loopback addresses every endpoint that is written is on loopback.
    """
    written = text(component, profile=profile)
    assert "0.0.0.0" not in written
    assert "localhost" not in written


def test_listening_may_differ_from_being_reached() -> None:
    """
    A container listens on all of its own interfaces, while others reach it by its name.
    """
    listen = {"tempo.otlp_grpc": "0.0.0.0:4317"}
    address = ADDRESS | {"tempo.otlp_grpc": "tempo:4317"}

    receivers = loaded("tempo", address=address, listen=listen)["distributor"]["receivers"]
    assert receivers["otlp"]["protocols"]["grpc"]["endpoint"] == "0.0.0.0:4317"
    assert (
        loaded("collector", address=address, listen=listen)["exporters"]["otlp_grpc/tempo"]["endpoint"] == "tempo:4317"
    )


def test_collector_gets_each_signal_to_its_place() -> None:
    """
    Traces to Tempo and to span metrics, metrics to the exporter that Prometheus reads, logs to be counted.
    """
    pipelines = loaded("collector")["service"]["pipelines"]
    assert {name: pipeline["exporters"] for name, pipeline in pipelines.items()} == {
        "traces": ["otlp_grpc/tempo", "span_metrics"],
        "metrics": ["prometheus"],
        "metrics/spans": ["prometheus"],
        "logs": ["debug"],
    }


def test_collector_limits_memory_before_all_else() -> None:
    """
    A processor before the limiter would hold data that the limiter then refuses.
    """
    pipelines = loaded("collector")["service"]["pipelines"]
    received = [pipeline for pipeline in pipelines.values() if pipeline["receivers"] == ["otlp"]]
    assert received
    assert {"memory_limiter"} == {pipeline["processors"][0] for pipeline in received}


def test_prometheus_keeps_the_labels_that_apps_gave() -> None:
    """
    Otherwise `job` and `instance` of the apps would be those of the exporter.
    """
    jobs = {job["job_name"]: job for job in loaded("prometheus")["scrape_configs"]}
    assert jobs["collector-exporter"]["honor_labels"] is True
    assert [name for name, job in jobs.items() if job.get("honor_labels") and name != "collector-exporter"] == []


def test_prometheus_scrapes_optional_components_only_where_they_are() -> None:
    """
    A target that does not exist would be an alert that never ends.
    """

    def jobs(address: Mapping[str, str]) -> set[str]:
        return {job["job_name"] for job in loaded("prometheus", address=address)["scrape_configs"]}

    usual = {"collector-exporter", "collector", "prometheus", "alertmanager", "tempo"}
    assert usual == jobs(ADDRESS)
    assert usual | {"grafana", "detector"} == jobs(
        ADDRESS | {"grafana.http": "127.0.0.1:3000", "detector.http": "127.0.0.1:3001"}
    )


def test_prometheus_reads_rules_from_the_given_folder() -> None:
    """
    With or without a slash at its end.
    """
    for folder in ("/some/rules", "/some/rules/"):
        assert loaded("prometheus", rules_dir=folder)["rule_files"] == ["/some/rules/*.rules.yaml"]


def test_labels_are_dropped_from_all_metrics_and_what_they_told_apart_is_added_up() -> None:
    """
    From the apps' own metrics and from those of spans; without a label to drop there is no such step.
    """
    treated = loaded("collector", profile=replace(DRILL, dropped_labels=("http.route", "server.address")))

    deleted, added = treated["processors"]["transform/dropped"]["metric_statements"]
    assert deleted == {
        "context": "datapoint",
        "statements": ['delete_key(attributes, "http.route")', 'delete_key(attributes, "server.address")'],
    }
    assert added == {"context": "metric", "statements": ['aggregate_on_attributes("sum")']}
    pipelines = treated["service"]["pipelines"]
    assert pipelines["metrics"]["processors"][-1] == pipelines["metrics/spans"]["processors"][0] == "transform/dropped"
    assert "transform/dropped" not in text("collector")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_scrape_ends_before_the_next_begins(profile: Profile) -> None:
    """
    Prometheus refuses a timeout that is longer than the interval.
    """
    settings = loaded("prometheus", profile=profile.name)["global"]
    assert settings["scrape_timeout"] == settings["scrape_interval"] == f"{profile.scrape_interval_s}s"


def test_alertmanager_tells_the_sink_under_its_token() -> None:
    """
    One receiver per severity, each at a path of its own, resolutions included.
    """
    receivers = loaded("alertmanager")["receivers"]
    hooks = {receiver["name"]: receiver["webhook_configs"] for receiver in receivers}
    sink, token = ADDRESS["sink.http"], SECRETS["sink_token"]
    assert {name: [f"http://{sink}/hook/{token}/{name}"] for name in ("page", "ticket", "watchdog")} == {
        name: [hook["url"] for hook in found] for name, found in hooks.items()
    }
    assert all(hook["send_resolved"] for found in hooks.values() for hook in found)


def test_the_watchdog_comes_more_often_than_anything_else() -> None:
    """
    Its silence must be noticed soon, while other alerts must not nag.
    """
    route = loaded("alertmanager")["route"]
    watchdog = next(inner for inner in route["routes"] if inner["receiver"] == "watchdog")
    assert (watchdog["repeat_interval"], route["repeat_interval"]) == ("5s", "3600s")


@pytest.mark.parametrize("component", sorted(set(COMPONENTS) - {"alertmanager"}))
def test_only_alertmanager_knows_the_token(component: str) -> None:
    """
    A secret is written where it is needed and nowhere else.
    """
    assert SECRETS["sink_token"] not in text(component)
    assert text(component) == text(component, secrets={})


def test_tempo_has_no_field_that_version_3_refuses() -> None:
    """
    It would not start.
    """
    config = loaded("tempo")
    assert not {"ingester", "ingester_client", "compactor", "ingest"} & set(config)
    assert list(config["overrides"]) == ["defaults"]
    assert not {"local_blocks"} & set(config["metrics_generator"]["processor"])


def test_tempo_keeps_everything_in_its_own_folder() -> None:
    """
    Its defaults are below /var/tempo, where a process of ours may not write.
    """
    written = text("tempo", data_dir="/some/where/")
    assert "/var/tempo" not in written
    config = loaded("tempo", data_dir="/some/where/")
    paths = [
        config["storage"]["trace"]["wal"]["path"],
        config["storage"]["trace"]["local"]["path"],
        config["live_store"]["wal"]["path"],
        config["live_store"]["shutdown_marker_dir"],
        config["backend_scheduler"]["local_work_path"],
        config["metrics_generator"]["storage"]["path"],
    ]
    assert len(paths) == len({path for path in paths if path.startswith("/some/where/") and "//" not in path})


def test_a_drill_finds_its_traces_at_once() -> None:
    """
    By default Tempo hides the last 30 seconds from searches.
    """
    assert loaded("tempo")["query_frontend"]["query_end_cutoff"] == "0s"


def test_unknown_component_is_named_with_the_known_ones() -> None:
    """
    A typing error is found at once.
    """
    with pytest.raises(ConfigError, match="no configuration for component 'colector'; known: collector, prometheus"):
        render("colector", profile=PROFILES["drill"], address={}, data_dir="", rules_dir="", secrets={})


@pytest.mark.parametrize("component", COMPONENTS)
def test_missing_address_is_named_with_the_given_ones(component: str) -> None:
    """
    Nothing is rendered with a hole in it.
    """
    with pytest.raises(ConfigError, match=rf"{component}: needs the address of '[a-z_.]+' as 'host:port'; given: none"):
        text(component, address={})


@pytest.mark.parametrize("place", ["4317", "host:", ":80", "http://host:80", "host:port", 'a"b:1', "host:123456"])
def test_malformed_address_is_shown(place: str) -> None:
    """
    What would break the file, or the engine that reads it, is refused before.
    """
    with pytest.raises(ConfigError, match=r"collector: the address of 'collector.otlp_grpc' is .* must be 'host:port'"):
        text("collector", address=ADDRESS | {"collector.otlp_grpc": place})


@pytest.mark.parametrize("secrets", [{}, {"sink_token": "short"}, {"sink_token": "with/slash/and/so/on/forever"}])
def test_missing_or_weak_secret_is_refused_without_showing_it(secrets: Mapping[str, str]) -> None:
    """
    An error message ends in logs; a secret must not.
    """
    with pytest.raises(ConfigError, match="alertmanager: needs the secret 'sink_token'") as caught:
        text("alertmanager", secrets=secrets)
    assert all(value not in str(caught.value) for value in secrets.values())


def test_ipv6_addresses_are_split_at_their_last_colon() -> None:
    """
    Brackets stay with the host.
    """
    server = loaded("tempo", address=ADDRESS | {"tempo.http": "[::1]:3200"})["server"]
    assert (server["http_listen_address"], server["http_listen_port"]) == ("[::1]", 3200)
