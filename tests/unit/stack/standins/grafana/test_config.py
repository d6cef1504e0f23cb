"""Settings from grafana.ini and the environment."""

from pathlib import Path

import pytest

from stack.standins.grafana.config import read_settings
from stack.standins.grafana.problems import ProvisioningError

TICK = {
    "GF_FEATURE_TOGGLES_ENABLE": "other, configurableSchedulerTick",
    "GF_UNIFIED_ALERTING_SCHEDULER_TICK_INTERVAL": "1s",
    "GF_UNIFIED_ALERTING_MIN_INTERVAL": "1s",
}


def test_defaults_are_grafanas_but_for_the_address(tmp_path: Path) -> None:
    """
    Nothing configured listens on the loopback only, with Grafana's port, paths and 10 s tick.
    """
    found = read_settings(tmp_path, None, {})

    assert (found.host, found.port, found.root_url) == ("127.0.0.1", 3000, "http://localhost:3000/")
    assert (tmp_path / "conf/provisioning", tmp_path / "data") == (found.provisioning, found.data)
    assert (
        found.tick_s,
        found.min_interval_s,
        found.anonymous_role,
        found.admin_user,
    ) == (10.0, 10.0, None, "admin")


def test_the_file_counts_and_the_environment_wins(tmp_path: Path) -> None:
    """
    Sections, comments, quotes, `%(...)s` and variables as in a grafana.ini; GF_ variables over it.
    """
    file = tmp_path / "grafana.ini"
    file.write_text(
        "; a comment\n[server]\nhttp_port = 3100\ndomain = grafana.test\n"
        "root_url = %(protocol)s://%(domain)s:%(http_port)s/\n"
        '[security]\nadmin_user = "boss"\nadmin_password = $__env{SECRET}\n'
        "[auth.anonymous]\nenabled = true\norg_role = Editor\n[paths]\nprovisioning = conf/mine\n"
    )
    environment = {"SECRET": "hush", "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer", "GF_PATHS_DATA": "/elsewhere"}
    found = read_settings(tmp_path, file, environment)

    assert (
        found.root_url,
        found.admin_user,
        found.admin_password,
        found.anonymous_role,
    ) == ("http://grafana.test:3100/", "boss", "hush", "Viewer")
    assert (tmp_path / "conf/mine", Path("/elsewhere")) == (found.provisioning, found.data)


def test_the_tick_needs_its_toggle(tmp_path: Path) -> None:
    """
    With it the tick is what is set; without it Grafana keeps 10 s.
    """
    slow = {"GF_UNIFIED_ALERTING_SCHEDULER_TICK_INTERVAL": "1s"}

    assert read_settings(tmp_path, None, TICK).tick_s == 1.0
    assert read_settings(tmp_path, None, slow).tick_s == 10.0


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"GF_SERVER_HTTP_PORT": "high"}, "GF_SERVER_HTTP_PORT: must be a port from 0 to 65535, found 'high'"),
        ({"GF_AUTH_ANONYMOUS_ENABLED": "perhaps"}, "GF_AUTH_ANONYMOUS_ENABLED: must be true or false, found 'perhaps'"),
        (
            {"GF_AUTH_ANONYMOUS_ENABLED": "true", "GF_AUTH_ANONYMOUS_ORG_ROLE": "God"},
            "GF_AUTH_ANONYMOUS_ORG_ROLE: must be one of Viewer, Editor, Admin, found 'God'",
        ),
        ({"GF_UNIFIED_ALERTING_MIN_INTERVAL": "fast"}, 'not a valid duration string: "fast"'),
        ({"GF_UNIFIED_ALERTING_MIN_INTERVAL": "1s"}, "set the feature toggle configurableSchedulerTick"),
        ({"GF_UNIFIED_ALERTING_MIN_INTERVAL": "15s"}, "should be times of base interval (10s)"),
        ({"GF_UNIFIED_ALERTING_ENABLED": "false"}, "must be true: the stand-in has no other alerting"),
        ({**TICK, "GF_UNIFIED_ALERTING_SCHEDULER_TICK_INTERVAL": "0s"}, "must be above 0"),
        ({"GF_SERVER_PROTOCOL": "https"}, "must be http"),
        ({"GF_SERVER_SERVE_FROM_SUB_PATH": "true"}, "is not supported by the stand-in"),
    ],
)
def test_a_bad_setting_is_refused(environment: dict[str, str], words: str, tmp_path: Path) -> None:
    """
    With its name, what was found and what is allowed.
    """
    with pytest.raises(ProvisioningError) as caught:
        read_settings(tmp_path, None, environment)

    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """
    If it was asked for; Grafana's own default may be missing.
    """
    with pytest.raises(ProvisioningError, match=r"grafana\.ini: cannot be read: No such file or directory"):
        read_settings(tmp_path, tmp_path / "grafana.ini", {})


def test_a_bad_value_in_the_file_is_named_by_section(tmp_path: Path) -> None:
    """
    With file, section and key.
    """
    file = tmp_path / "grafana.ini"
    file.write_text("[server]\nhttp_port = many\n")

    with pytest.raises(ProvisioningError, match=r"grafana.ini: \[server\] http_port: must be a port"):
        read_settings(tmp_path, file, {})
