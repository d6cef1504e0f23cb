"""All that a provisioning folder holds, read and checked together."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stack.standins.grafana.document import Entry, read_documents
from stack.standins.grafana.notify.mute import MuteTiming, read_mute_timings
from stack.standins.grafana.notify.routes import Route
from stack.standins.grafana.problems import Warnings
from stack.standins.grafana.provisioning.contact_points import ContactPoint, read_contact_points
from stack.standins.grafana.provisioning.dashboards import Dashboard, read_dashboards
from stack.standins.grafana.provisioning.datasources import Datasource, read_datasources
from stack.standins.grafana.provisioning.policies import DEFAULT_ROUTE, read_policies
from stack.standins.grafana.provisioning.rule_file import World, read_rules
from stack.standins.grafana.provisioning.rules import Rule
from stack.standins.grafana.settings import Settings

ALERTING_KEYS = (
    "apiVersion",
    "groups",
    "deleteRules",
    "contactPoints",
    "deleteContactPoints",
    "policies",
    "resetPolicies",
    "templates",
    "deleteTemplates",
    "muteTimes",
    "deleteMuteTimes",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """What alerts, and whom it tells."""

    rules: Sequence[Rule] = ()
    contact_points: Sequence[ContactPoint] = ()
    route: Route = DEFAULT_ROUTE
    mute_timings: Mapping[str, MuteTiming] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)

    def contact_point(self, name: str) -> ContactPoint:
        """
        The contact point of a name that was checked when the files were read.
        """
        return next(point for point in self.contact_points if point.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """Everything that the files say."""

    datasources: Sequence[Datasource] = ()
    dashboards: Sequence[Dashboard] = ()
    alerting: Alerting = field(default_factory=Alerting)


class Files:
    """The provisioning folder; it can be read again while the stand-in runs."""

    def __init__(self, settings: Settings, warnings: Warnings, environment: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._warnings = warnings
        self._environment = os.environ if environment is None else environment

    def read(self, now_s: float) -> Provisioned:
        """
        All of it; ProvisioningError for the first thing with which Grafana (or the stand-in) does not start.
        """
        datasources, dashboards = self.datasources(), self.dashboards()
        return Provisioned(
            datasources=datasources,
            dashboards=dashboards,
            alerting=self.alerting(datasources, dashboards, now_s),
        )

    def datasources(self) -> Sequence[Datasource]:
        """
        The datasources folder.
        """
        return read_datasources(self._documents("datasources"))

    def dashboards(self) -> Sequence[Dashboard]:
        """
        The dashboards folder and the files that its providers name.
        """
        return read_dashboards(self._documents("dashboards"))

    def alerting(self, datasources: Sequence[Datasource], dashboards: Sequence[Dashboard], now_s: float) -> Alerting:
        """
        The alerting folder, checked against the datasources and the folders that there are.
        """
        documents = self._documents("alerting")
        for document in documents:
            document.know("alerting file", ALERTING_KEYS)
        contact_points = read_contact_points(documents)
        names = [point.name for point in contact_points]
        mute_timings = read_mute_timings(documents)
        world = World(
            settings=self._settings,
            datasource_uids=[datasource.uid for datasource in datasources],
            receivers=names,
            folders={board.folder.title: board.folder.uid for board in dashboards if board.folder},
            now_s=now_s,
        )
        return Alerting(
            contact_points=contact_points,
            mute_timings=mute_timings,
            route=read_policies(documents, names, tuple(mute_timings)),
            rules=read_rules(documents, world),
            templates=_templates(documents),
        )

    def _documents(self, folder: str) -> Sequence[Entry]:
        return read_documents(self._settings.provisioning / folder, self._environment, self._warnings)


def _templates(documents: Sequence[Entry]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for document in documents:
        for entry in document.entries("templates"):
            entry.know("template", ("orgId", "name", "template"))
            name = entry.text("name")
            # No contact point can name it, since their own templates are refused: so nothing is lost by not rendering.
            entry.warn(f"notification template {name!r} is kept, but nothing here renders it")
            found[name] = entry.text("template", raw=True)
    return found
