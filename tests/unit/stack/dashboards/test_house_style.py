"""House style: what every dashboard, panel and query keeps to."""

import json
import re
from itertools import combinations
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from stack.standins.tempo.traceql import QueryError, parse
from tests.unit.stack.dashboards.pages import PAGES, Asked, asked, filled, panels

ALLOWED_TYPES = {"timeseries", "stat", "heatmap", "state-timeline", "table", "nodeGraph", "alertlist", "row"}
"""Panels that Grafana 9 to 13 have; not among them: graph, singlestat, table-old, heatmap-new, worldmap and their like."""

WITH_NUMBERS = {"timeseries", "stat", "heatmap", "state-timeline", "table"}
VARIABLES = {"datasource", "tempo", "namespace", "service"}
BUILT_IN = {"__rate_interval"}
EVERY = [pytest.param(panel, id=f"{uid}-{panel['title']}") for uid, page in PAGES.items() for panel in panels(page)]
ASKED = [pytest.param(one, id=str(one)) for one in asked()]


def round_trip(page: dict[str, Any]) -> dict[str, Any]:
    """A dashboard read into the foundation SDK's types and written again."""
    register_default_plugins()
    read = Dashboard.from_json(json.loads(json.dumps(page)))
    written: dict[str, Any] = json.loads(json.dumps(read, cls=JSONEncoder))
    return written


# --- dashboards ---------------------------------------------------------------------------------------------------


def test_the_five_dashboards_are_there() -> None:
    """
    Under short uids, since people write them into scenarios.
    """
    assert list(PAGES) == ["slo", "application", "traces", "pipeline", "drill"]


@pytest.mark.parametrize("uid", PAGES)
def test_a_dashboard_is_what_the_sdks_types_say(uid: str) -> None:
    """
    Nothing is lost or added when it is read into Grafana's own schema: each key is known, each part of the right kind.
    """
    assert round_trip(PAGES[uid]) == PAGES[uid]


def test_the_sdks_types_would_notice_an_unknown_key() -> None:
    """
    The check above can fail.
    """
    page = json.loads(json.dumps(PAGES["slo"]))
    page["panels"][1]["fieldConfig"]["defaults"]["untis"] = "s"
    assert round_trip(page) != page


@pytest.mark.parametrize("uid", PAGES)
def test_a_dashboard_is_classic_json_for_all_supported_versions(uid: str) -> None:
    """
    A schema version that Grafana 9 knows; newer ones migrate it. Provisioned ones are not for editing.
    """
    page = PAGES[uid]
    assert page["schemaVersion"] <= 37
    assert "apiVersion" not in page
    assert "spec" not in page
    assert page["editable"] is False
    assert page["tags"] == ["tocsin"]
    assert page["description"].endswith(".")


@pytest.mark.parametrize("uid", PAGES)
def test_dashboards_link_to_each_other(uid: str) -> None:
    """
    To all others, taking variables and time along; no link leads to a dashboard that there is not.
    """
    links = PAGES[uid]["links"]
    assert {link["url"] for link in links} == {f"/d/{other}" for other in PAGES if other != uid}
    assert all(link["includeVars"] and link["keepTime"] for link in links)


@pytest.mark.parametrize("uid", PAGES)
def test_variables_choose_datasources_namespaces_and_services(uid: str) -> None:
    """
    The same on each dashboard, so that a link can take them along.
    """
    variables = {one["name"]: one for one in PAGES[uid]["templating"]["list"]}
    assert variables.keys() == VARIABLES
    assert [variables[name]["type"] for name in ("datasource", "tempo")] == ["datasource", "datasource"]
    assert [variables[name]["query"] for name in ("datasource", "tempo")] == ["prometheus", "tempo"]
    for name in ("namespace", "service"):
        assert variables[name]["multi"]
        assert variables[name]["allValue"] == ".*"
        assert variables[name]["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("uid", PAGES)
def test_drills_and_alerts_are_marked(uid: str) -> None:
    """
    Drills leave regions tagged `tocsin` in Grafana; firing alerts come from Prometheus.
    """
    drills, alerts = PAGES[uid]["annotations"]["list"]
    assert drills["target"] == {"type": "tags", "tags": ["tocsin"], "matchAny": False, "limit": 100}
    assert drills["datasource"] == {"type": "grafana", "uid": "-- Grafana --"}
    assert alerts["expr"].startswith('ALERTS{alertstate="firing",alertname!="Watchdog"')
    assert drills["enable"]
    assert alerts["enable"]


# --- panels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uid", PAGES)
def test_ids_and_titles_are_unique(uid: str) -> None:
    """
    Links go by id; expectations and people go by title.
    """
    ids, titles = ([panel[key] for panel in PAGES[uid]["panels"]] for key in ("id", "title"))
    assert len(ids) == len(set(ids))
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("uid", PAGES)
def test_no_panel_hides_another(uid: str) -> None:
    """
    Each stands on the grid by itself, within its 24 columns.
    """
    places = [panel["gridPos"] for panel in PAGES[uid]["panels"]]
    for a, b in combinations(places, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    assert all(place["x"] + place["w"] <= 24 for place in places)


@pytest.mark.parametrize("panel", EVERY)
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    """
    A description of at least a sentence, and a unit where there are numbers.
    """
    assert panel["type"] in ALLOWED_TYPES
    assert len(panel["description"].split()) >= 5
    assert panel["description"].endswith(".")
    if panel["type"] in WITH_NUMBERS:
        assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("panel", EVERY)
def test_a_panel_asks_datasources_by_variable(panel: dict[str, Any]) -> None:
    """
    Its own and each query's; the only panel without queries shows Grafana's rules.
    """
    if panel["type"] == "alertlist":
        return
    wanted = {"prometheus": "${datasource}", "tempo": "${tempo}"}
    assert panel["targets"]
    for place in (panel, *panel["targets"]):
        assert place["datasource"]["uid"] == wanted[place["datasource"]["type"]]
    assert [query["refId"] for query in panel["targets"]] == list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(panel["targets"])])


@pytest.mark.parametrize("panel", EVERY)
def test_lines_have_legends_and_limits_are_drawn(panel: dict[str, Any]) -> None:
    """
    A picture that needs guessing is none.
    """
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["showLegend"]
        assert all(query["legendFormat"] for query in panel["targets"])
        limits = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert [step["value"] for step in limits][:1] == [None]
        assert (len(limits) > 1) == ("thresholdsStyle" in panel["fieldConfig"]["defaults"]["custom"])


@pytest.mark.parametrize("panel", EVERY)
def test_states_have_names(panel: dict[str, Any]) -> None:
    """
    A bar of colour 2 says nothing; "firing" does.
    """
    if panel["type"] == "state-timeline":
        named = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
        assert all(one["text"] and one["color"] for one in named.values())


def test_the_way_from_metric_to_trace_is_there() -> None:
    """
    Exemplars on latency, and a link from each line of a service to its traces.
    """
    titles = {one.panel["title"] for one in asked() if one.query.get("exemplar")}
    assert {"P95 latency by service", "Latency heat map", "P95 latency by operation"} <= titles
    panel = next(panel for panel in panels(PAGES["application"]) if panel["title"] == "P95 latency by service")
    (link,) = panel["fieldConfig"]["defaults"]["links"]
    assert link["url"].startswith("/d/traces?")
    assert "traces" in PAGES


# --- queries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", ASKED)
def test_a_query_uses_known_variables_only(one: Asked) -> None:
    """
    A mistyped variable would be sent as it stands and find nothing.
    """
    text = one.query.get("expr") or one.query.get("query") or one.query["serviceMapQuery"]
    used = set(re.findall(r"\$\{?(\w+)", text))
    assert used <= {"namespace", "service"} | BUILT_IN
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize("one", ASKED)
def test_a_metric_query_is_over_time_or_of_now(one: Asked) -> None:
    """
    One of both, and a table is of now.
    """
    if "expr" in one.query:
        assert one.query["range"] != one.query["instant"]
        assert (one.panel["type"] == "table") == (one.query["format"] == "table") == one.query["instant"]


@pytest.mark.parametrize("one", ASKED)
def test_traceql_can_be_parsed(one: Asked) -> None:
    """
    A mistake is named with dashboard, panel and query, which are this test's name.
    """
    if one.query.get("queryType") == "traceql":
        parse(filled(one.query["query"]))


def test_a_mistake_in_traceql_would_be_noticed() -> None:
    """
    The check above can fail.
    """
    with pytest.raises(QueryError):
        parse("{ resource.service.name = }")
