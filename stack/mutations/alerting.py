"""Mutations of alerting: a rule, where it is asked, a route, or a contact point is gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stack.mutations.mutation import Mutation, parsed

RULES, GRAFANA = "rules", "grafana/provisioning/alerting"
ALERTMANAGER, NOTIFY = "alertmanager.yaml", f"{GRAFANA}/notify.yaml"
EXPRESSIONS = "__expr__"


def alerting_mutations(root: Path) -> Iterator[Mutation]:
    """Those of Prometheus and Alertmanager, then those of Grafana if the stack has it."""
    for path in sorted((root / RULES).glob("*.yaml")):
        yield from _prometheus_rules(f"{RULES}/{path.name}", parsed(path))
    yield from _alertmanager(parsed(root / ALERTMANAGER))
    for path in sorted((root / GRAFANA).glob("*.yaml")):
        yield from _grafana_rules(f"{GRAFANA}/{path.name}", parsed(path))
    if (root / NOTIFY).exists():
        yield from _grafana_policies(parsed(root / NOTIFY))


def _prometheus_rules(file: str, data: Any) -> Iterator[Mutation]:
    for number, group in enumerate(data["groups"]):
        for index, rule in enumerate(group["rules"]):
            name = rule.get("alert") or rule["record"]
            labels = "" if "alert" in rule else "".join(f" {value}" for value in rule.get("labels", {}).values())
            yield Mutation(
                kind="alert rule" if "alert" in rule else "recording rule",
                source="prometheus",
                subject=name,
                name=f"{name}{labels} of prometheus",
                file=file,
                places=(("groups", number, "rules", index),),
            )


def _alertmanager(data: Any) -> Iterator[Mutation]:
    for index, route in enumerate(data["route"]["routes"]):
        yield Mutation(
            kind="policy route",
            source="prometheus",
            subject=route["receiver"],
            name=f"to {route['receiver']} of alertmanager",
            file=ALERTMANAGER,
            places=(("route", "routes", index),),
        )
    for index, receiver in enumerate(data["receivers"]):
        yield Mutation(
            kind="contact point",
            source="prometheus",
            subject=receiver["name"],
            name=f"{receiver['name']} of alertmanager",
            file=ALERTMANAGER,
            places=(("receivers", index, "webhook_configs"),),
        )


def _grafana_rules(file: str, data: Any) -> Iterator[Mutation]:
    for number, group in enumerate(data.get("groups") or []):
        for index, rule in enumerate(group["rules"]):
            at, title = ("groups", number, "rules", index), rule["title"]
            asked = [step for step, query in enumerate(rule["data"]) if query["datasourceUid"] != EXPRESSIONS]
            for kind, places in (
                ("alert rule", (at,)),
                ("rule datasource", tuple((*at, "data", step, "datasourceUid") for step in asked)),
            ):
                yield Mutation(
                    kind=kind,  # type: ignore[arg-type]
                    source="grafana",
                    subject=title,
                    name=f"{title} of grafana",
                    file=file,
                    places=places,
                )


def _grafana_policies(data: Any) -> Iterator[Mutation]:
    """A contact point goes with the routes to it; Grafana refuses a route that leads nowhere."""
    (policy,) = data["policies"]
    routes = {route["receiver"]: ("policies", 0, "routes", index) for index, route in enumerate(policy["routes"])}
    for receiver, at in routes.items():
        yield Mutation(
            kind="policy route",
            source="grafana",
            subject=receiver,
            name=f"to {receiver} of grafana",
            file=NOTIFY,
            places=(at,),
        )
    for index, point in enumerate(data["contactPoints"]):
        to_it = (routes[point["name"]],) if point["name"] in routes else ()
        yield Mutation(
            kind="contact point",
            source="grafana",
            subject=point["name"],
            name=f"{point['name']} of grafana",
            file=NOTIFY,
            places=(("contactPoints", index), *to_it),
        )
