"""Rendering: all files that a Grafana is provisioned with: settings, datasources, dashboards, alert rules, who is told."""

from collections.abc import Mapping, Sequence

from stack.config.profile import Profile
from stack.config.render import environment, place_of, secret_of
from stack.dashboards.boards import boards
from stack.dashboards.evidence import anomaly_panel, panel_of, requests_panel
from stack.dashboards.page import page
from stack.slo.generate import SOURCE
from stack.slo.grafana import Clock, anomaly_group, groups, lost_group, text
from stack.slo.loader import load
from stack.slo.model import Slo

RECEIVERS = ("page", "ticket")
"""Contact points by severity; the last one gets what no other is for."""

TEMPLATES = {
    "grafana.ini": "grafana.ini",
    "datasources.yaml": "provisioning/datasources/tocsin.yaml",
    "dashboards.yaml": "provisioning/dashboards/tocsin.yaml",
    "notify.yaml": "provisioning/alerting/notify.yaml",
}
RULES, ANOMALY_RULES = "provisioning/alerting/rules.yaml", "provisioning/alerting/anomaly.yaml"


def render_grafana(
    *,
    profile: Profile,
    address: Mapping[str, str],
    secrets: Mapping[str, str],
    data_dir: str,
    config_dir: str,
    listen: Mapping[str, str] | None = None,
    tick_s: int | None = None,
) -> Mapping[str, str]:
    """
    The texts of all files by their path below `config_dir`, the folder where Grafana will find them; it keeps its own under `data_dir`.

    `address` and `listen` are as for `stack.config.render`; with "detector.http" there is a rule about anomalies. `secrets`:
    `sink_token` and `grafana_admin_password`. `tick_s`: the scheduler's tick, for a Grafana that cannot take the profile's; the
    rules' formulas then know it. The texts hold secrets: keep the files private.

    Raises ConfigError for a missing or malformed address or secret.
    """
    clock = Clock.of(profile, tick_s)
    values = {
        "profile": profile,
        "address": place_of("grafana", address),
        "listen": place_of("grafana", {**address, **(listen or {})}),
        "secret": secret_of("grafana", secrets),
        "data_dir": data_dir.rstrip("/"),
        "config_dir": config_dir.rstrip("/"),
        "tick_s": clock.tick_s,
        "receivers": RECEIVERS,
    }
    made = environment()
    files = {path: made.get_template(f"grafana/{name}.j2").render(values) for name, path in TEMPLATES.items()}
    slos = load(SOURCE)
    found = boards(slos)
    files |= {f"dashboards/{board.uid}.json": page(board, found) for board in found}
    return {**files, **alert_rules(slos, profile, clock, detector="detector.http" in address)}


def alert_rules(slos: Sequence[Slo], profile: Profile, clock: Clock, *, detector: bool) -> Mapping[str, str]:
    """The provisioning files with alert rules."""
    rules = [*groups(slos, profile, clock, panel_of(slos)), lost_group(profile, clock, requests_panel(slos))]
    files = {RULES: text(rules, source="slo.yaml")}
    if detector:
        files[ANOMALY_RULES] = text([anomaly_group(profile, clock, anomaly_panel())], source="stack/slo/grafana.py")
    return files
