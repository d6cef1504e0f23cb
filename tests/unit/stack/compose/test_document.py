"""The Compose file: valid, safe by default, and made from the component table."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from stack.components import APP, COMPONENTS
from stack.compose.document import document, table
from stack.compose.files import text
from stack.images.table import OURS, USER

PROFILES = ("production", "drill")
DEMO = set(APP)


def services(profile: str = "production", *, checkout: str | None = None) -> dict[str, Any]:
    """All services of a profile, by name."""
    found: dict[str, Any] = document(profile, checkout=checkout)["services"]
    return found


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("checkout", [None, "../.."])
def test_valid_by_the_specification(profile: str, checkout: str | None) -> None:
    """The Compose specification's own schema accepts it; a misspelt key would be refused."""
    carrier = find_spec("check_jsonschema")
    if carrier is None or not carrier.submodule_search_locations:
        pytest.skip("check-jsonschema is not installed, which carries the specification's schema")
    path = Path(carrier.submodule_search_locations[0]) / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    made = yaml.safe_load(text(profile, checkout=checkout))

    validator.validate(made)
    made["services"]["tempo"]["read-only"] = True
    assert not validator.is_valid(made)


@pytest.mark.parametrize("profile", PROFILES)
def test_all_components_and_the_demo_app(profile: str) -> None:
    """A component that is added to the table is added here; the sink is a drill's, and Toxiproxy comes along with drills alone."""
    absent = {"toxiproxy"} | ({"sink"} if profile == "production" else set())

    assert set(services(profile)) == (set(COMPONENTS) - absent) | DEMO
    assert {name for name, one in services(profile).items() if one.get("profiles")} == DEMO


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_is_reached_from_outside_the_machine(profile: str) -> None:
    """Each published port is one of loopback, and it can be another one by a variable."""
    published = [port for one in services(profile).values() for port in one.get("ports", ())]

    assert len(published) > 5
    for port in published:
        assert re.fullmatch(r"127\.0\.0\.1:\$\{TOCSIN_PORT_[A-Z_]+:-(\d+)\}:\1", port), port


def test_no_two_services_publish_one_port() -> None:
    """Unless told otherwise."""
    published = [port.rpartition(":")[2] for one in services("drill").values() for port in one.get("ports", ())]

    assert len(set(published)) == len(published)


@pytest.mark.parametrize("name", services("drill"))
def test_every_service_is_pinned_limited_and_confined(name: str) -> None:
    """An exact image, which a variable replaces; limits; no capability; where possible, a root file system that is read-only."""
    one = services("drill")[name]

    assert re.fullmatch(rf"\$\{{TOCSIN_IMAGE_{name.upper()}:-[\w/.-]+:v?\d+\.\d+\.\d+\}}", one["image"])
    assert set(one["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    # Compose cannot put a secret from the environment into one that is read-only.
    assert one["read_only"] is not bool(one.get("secrets"))
    assert one["restart"] == "unless-stopped"


def test_ours_are_never_pulled() -> None:
    """Nobody but this project makes images of these names: they are built from the checkout, or have to be there."""
    ours = {name for name, one in services().items() if any(reference in one["image"] for reference in OURS)}

    assert ours == {"detector", *DEMO}
    assert all(services()[name]["pull_policy"] == "never" and "build" not in services()[name] for name in ours)
    assert services(checkout="../..")["detector"]["build"] == {
        "context": "../..",
        "dockerfile": "deploy/images/detector/Dockerfile",
    }


def test_what_is_needed_is_waited_for() -> None:
    """Until it is well, where its image can tell; else until it runs. What is not in the file is not waited for."""
    made = services()

    assert made["prometheus"]["depends_on"] == {
        "collector": {"condition": "service_started"},
        "alertmanager": {"condition": "service_healthy"},
    }
    assert "depends_on" not in made["alertmanager"]
    for one in made.values():
        for name, how in one.get("depends_on", {}).items():
            assert ("healthcheck" in made[name] or name == "detector") == (how["condition"] == "service_healthy")


@pytest.mark.parametrize("profile", PROFILES)
def test_data_outlive_containers(profile: str) -> None:
    """What a component keeps is in a volume that has its name, at the place that it is told to write to."""
    made = document(profile)
    for component in table(profile).values():
        mounted = [one for one in made["services"][component.name]["volumes"] if isinstance(one, str)]
        assert mounted == (
            [] if component.name == "collector" else [f"{component.name}:{mounted[0].partition(':')[2]}"]
        )
        told = " ".join(made["services"][component.name].get("command", ()))
        if "{data}" in " ".join(component.args):
            assert mounted[0].partition(":")[2] in told
    assert set(made["volumes"]) == set(made["services"]) - {"collector"}


def test_no_placeholder_is_left() -> None:
    """All that the table leaves open is filled in, and no name of the demo app's fault API is told."""
    for profile in PROFILES:
        assert not re.search(r"(?<!\$)\{[a-z_]+\}", text(profile))
        assert "DEMO_FAULT_TOKEN" not in text(profile)


def test_demo_app_exports_as_often_as_prometheus_scrapes() -> None:
    """A production stack scrapes every 15 s; an app that exports each minute would leave holes."""
    assert services()["catalog"]["environment"]["OTEL_METRIC_EXPORT_INTERVAL"] == "15000"
    assert services("drill")["catalog"]["environment"]["OTEL_METRIC_EXPORT_INTERVAL"] == "1000"


def test_links_lead_to_where_people_reach_it() -> None:
    """Not to the address that a container listens on."""
    assert "--web.external-url=${TOCSIN_PROMETHEUS_URL:-http://localhost:9090}/" in services()["prometheus"]["command"]
    assert services()["grafana"]["environment"]["GF_SERVER_ROOT_URL"] == "${TOCSIN_GRAFANA_URL:-http://localhost:3000}/"


def test_user_of_our_images_is_no_root() -> None:
    """The numbers that volumes of ours belong to."""
    assert USER > 0
