"""Provisioning: the files from which a Grafana starts, for both profiles."""

import configparser
from typing import Any

import pytest
import yaml

from stack.config import PROFILES, ConfigError, Profile
from stack.config.grafana import render_grafana
from stack.config.grafana.inspection import inspect

ADDRESS = {
    f"{name}.http": f"127.0.0.1:{port}"
    for name, port in {"grafana": 3000, "prometheus": 9090, "tempo": 3200, "alertmanager": 9093, "sink": 9099}.items()
}
SECRETS = {"sink_token": "a-token-for-the-sink", "grafana_admin_password": "a-password-of-a-length"}


def rendered(profile: Profile, **changes: Any) -> dict[str, str]:
    """All files, with some arguments changed."""
    usual: dict[str, Any] = {"address": ADDRESS, "secrets": SECRETS, "data_dir": "/data/", "config_dir": "/conf/"}
    return dict(render_grafana(profile=profile, **{**usual, **changes}))


def settings(profile: Profile, **changes: Any) -> configparser.ConfigParser:
    """Grafana's settings."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(rendered(profile, **changes)["grafana.ini"])
    return parser


@pytest.fixture(params=PROFILES.values(), ids=lambda profile: profile.name)
def profile(request: pytest.FixtureRequest) -> Profile:
    """Each profile in turn."""
    found: Profile = request.param
    return found


def test_there_is_all_that_a_grafana_starts_from(profile: Profile) -> None:
    """
    Settings, datasources, dashboards and their provider, rules, and who is told.
    """
    assert rendered(profile).keys() == {
        "grafana.ini",
        "provisioning/datasources/tocsin.yaml",
        "provisioning/dashboards/tocsin.yaml",
        "provisioning/alerting/rules.yaml",
        "provisioning/alerting/notify.yaml",
        *(f"dashboards/{uid}.json" for uid in ("slo", "application", "traces", "pipeline", "drill")),
    }


def test_it_is_without_mistakes(profile: Profile) -> None:
    """
    By our own inspection, which finds what Grafana does not say.
    """
    files = rendered(profile, address={**ADDRESS, "detector.http": "127.0.0.1:9098"})
    assert inspect(files, tick_s=profile.grafana_tick_s) == []


def test_the_rule_about_anomalies_comes_with_the_detector() -> None:
    """
    Without a detector it would never have data, so it could never fire.
    """
    drill = PROFILES["drill"]
    name = "provisioning/alerting/anomaly.yaml"
    assert name not in rendered(drill)
    assert name in rendered(drill, address={**ADDRESS, "detector.http": "127.0.0.1:9098"})


def test_a_drills_grafana_ticks_every_second() -> None:
    """
    With the switch that this needs, and it takes its policies into use within a second.
    """
    found = settings(PROFILES["drill"])
    assert found["unified_alerting"]["scheduler_tick_interval"] == "1s"
    assert found["unified_alerting"]["min_interval"] == "1s"
    assert found["unified_alerting"]["alertmanager_config_poll_interval"] == "1s"
    assert found["feature_toggles"]["enable"] == "configurableSchedulerTick"


def test_a_standing_grafana_keeps_its_own_tick() -> None:
    """
    No switch that is not documented as stable.
    """
    found = settings(PROFILES["production"])
    assert "feature_toggles" not in found
    assert "scheduler_tick_interval" not in found["unified_alerting"]
    assert found["unified_alerting"]["min_interval"] == "10s"


def test_a_grafana_that_cannot_tick_faster_gets_rules_that_know_it() -> None:
    """
    The fall-back: intervals of ten seconds, in the rules and in their formulas.
    """
    files = rendered(PROFILES["drill"], tick_s=10)
    assert inspect(files, tick_s=10) == []
    assert "configurableSchedulerTick" not in files["grafana.ini"]
    assert '"interval_s":10' in files["provisioning/alerting/rules.yaml"]


def test_anybody_may_look_and_only_the_admin_may_change(profile: Profile) -> None:
    """
    Anonymous visitors are viewers; the password is the secret that was given.
    """
    found = settings(profile)
    assert dict(found["auth.anonymous"]) == {"enabled": "true", "org_role": "Viewer"}
    assert found["security"]["admin_password"] == SECRETS["grafana_admin_password"]
    assert found["users"]["allow_sign_up"] == "false"


def test_it_listens_where_it_is_told_and_is_reached_where_it_says(profile: Profile) -> None:
    """
    A container listens on all of its own interfaces, while links name the address from outside.
    """
    found = settings(
        profile, listen={"grafana.http": "0.0.0.0:3000"}, address={**ADDRESS, "grafana.http": "127.0.0.1:4000"}
    )
    assert (found["server"]["http_addr"], found["server"]["http_port"]) == ("0.0.0.0", "3000")
    assert found["server"]["root_url"] == "http://127.0.0.1:4000/"


def test_it_calls_nobody_outside(profile: Profile) -> None:
    """
    No reports, no checks for updates, no news, no plugins from elsewhere.
    """
    found = settings(profile)
    off = [*found["analytics"].values(), *found["news"].values(), found["plugins"]["preinstall_auto_update"]]
    assert set(off) == {"false"}
    assert found["plugins"]["preinstall_disabled"] == "true"


def test_paths_are_those_that_were_given(profile: Profile) -> None:
    """
    Without a doubled slash, which people would copy.
    """
    files = rendered(profile)
    found = settings(profile)
    assert found["paths"]["provisioning"] == "/conf/provisioning"
    assert found["paths"]["data"] == "/data"
    provider = yaml.safe_load(files["provisioning/dashboards/tocsin.yaml"])["providers"][0]
    assert provider["options"]["path"] == "/conf/dashboards"


def test_datasources_lead_from_metrics_to_traces_and_back(profile: Profile) -> None:
    """
    Exemplars to Tempo, service graph and span metrics to Prometheus, alerts to Alertmanager.
    """
    text = rendered(profile)["provisioning/datasources/tocsin.yaml"]
    prometheus, tempo, alertmanager = yaml.safe_load(text)["datasources"]
    assert prometheus["jsonData"]["exemplarTraceIdDestinations"] == [{"name": "trace_id", "datasourceUid": "tempo"}]
    assert prometheus["jsonData"]["timeInterval"] == f"{profile.scrape_interval_s}s"
    assert tempo["jsonData"]["serviceMap"] == {"datasourceUid": "prometheus"}
    assert tempo["jsonData"]["tracesToMetrics"]["datasourceUid"] == "prometheus"
    assert "{$$__tags}" in tempo["jsonData"]["tracesToMetrics"]["queries"][0]["query"]
    assert alertmanager["url"] == "http://127.0.0.1:9093"


def test_notifications_go_by_severity_as_fast_as_the_profile_says(profile: Profile) -> None:
    """
    One contact point for each, all to the sink; what has no severity still reaches somebody.
    """
    file = yaml.safe_load(rendered(profile)["provisioning/alerting/notify.yaml"])
    (policy,) = file["policies"]
    urls = {point["name"]: point["receivers"][0]["settings"]["url"] for point in file["contactPoints"]}
    assert urls == {
        f"grafana-{severity}": f"http://127.0.0.1:9099/hook/a-token-for-the-sink/grafana-{severity}"
        for severity in ("page", "ticket")
    }
    assert policy["receiver"] == "grafana-ticket"
    assert [(route["receiver"], route["object_matchers"]) for route in policy["routes"]] == [
        ("grafana-page", [["severity", "=", "page"]]),
    ]
    assert {"service_namespace", "service_name", "alertname"} < set(policy["group_by"])
    assert policy["group_wait"] == f"{profile.group_wait_s}s"
    assert policy["group_interval"] == f"{profile.group_interval_s}s"


@pytest.mark.parametrize("missing", ["grafana.http", "prometheus.http", "tempo.http", "alertmanager.http", "sink.http"])
def test_a_missing_address_is_named(missing: str) -> None:
    """
    With what is wanted and what was given.
    """
    address = {name: place for name, place in ADDRESS.items() if name != missing}
    with pytest.raises(ConfigError, match=rf"grafana: needs the address of '{missing}' as 'host:port'; given: "):
        rendered(PROFILES["drill"], address=address)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_bad_secret_is_named_and_not_shown(secret: str) -> None:
    """
    Neither an empty one nor one that could break out of its line.
    """
    with pytest.raises(ConfigError) as caught:
        rendered(PROFILES["drill"], secrets={**SECRETS, secret: "bad value\n[server]"})
    assert f"needs the secret '{secret}'" in str(caught.value)
    assert "bad value" not in str(caught.value)
