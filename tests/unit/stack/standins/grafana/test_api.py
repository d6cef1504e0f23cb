"""The API's rights, refusals, queries and pages."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack.standins.grafana.annotations import KEPT, Annotation, Annotations, Filter
from stack.standins.grafana.api.application import application
from stack.standins.grafana.settings import Settings
from stack.standins.grafana.standin import Standin

NOW_S = 1_800_000_000.0
ADMIN = ("admin", "secret")
TRACE = {
    "trace": {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "S/kvNXezTaajzpKdDg5HNg==",
                                "spanId": "APBnqgupArc=",
                                "name": "GET /cart",
                                "kind": "SPAN_KIND_SERVER",
                                "startTimeUnixNano": "1800000000000000000",
                                "endTimeUnixNano": "1800000000120000000",
                                "status": {"code": "STATUS_CODE_ERROR"},
                            }
                        ]
                    }
                ],
            }
        ]
    }
}
DATASOURCES = """
datasources:
  - {name: P, uid: p, type: prometheus, url: http://p, isDefault: true, jsonData: {timeInterval: 1s}}
  - {name: T, uid: t, type: tempo, url: http://t}
"""
RULES = """
groups:
  - name: g
    folder: F
    interval: 10s
    rules:
      - {uid: r, title: R, condition: A, for: 0s, execErrState: Error,
         data: [{refId: A, datasourceUid: p, relativeTimeRange: {from: 60, to: 0}, model: {expr: up, instant: true}}]}
"""
BOARD = """
{"uid": "b", "title": "Board <1>", "templating": {"list": [
   {"name": "ds", "type": "datasource", "query": "prometheus"},
   {"name": "job", "type": "query", "query": "label_values(up, job)", "datasource": {"uid": "$ds"}}]},
 "panels": [
   {"id": 1, "type": "timeseries", "title": "Up of $job", "datasource": {"uid": "$ds"},
    "targets": [{"refId": "A", "expr": "up{job=\\"$job\\"}"}]},
   {"id": 2, "type": "stat", "title": "Broken", "datasource": {"uid": "p"}, "targets": [{"refId": "A", "expr": "broken("}]},
   {"id": 3, "type": "text", "title": "Text"},
   {"id": 4, "type": "row", "panels": [{"id": 5, "type": "stat", "title": "Inner", "datasource": {"uid": "nope"},
     "targets": [{"refId": "A", "expr": "up"}]}]}]}
"""


def backend(request: httpx.Request) -> httpx.Response:
    """A Prometheus and a Tempo."""
    path, text = request.url.path, request.content.decode() + str(request.url)
    if path == "/api/v1/label/job/values":
        return httpx.Response(200, json={"status": "success", "data": ["shop<1>"]})
    if path == "/api/v1/query_exemplars":
        one = {"labels": {"trace_id": "abc"}, "value": "0.2", "timestamp": NOW_S}
        return httpx.Response(
            200, json={"status": "success", "data": [{"seriesLabels": {"job": "shop"}, "exemplars": [one]}]}
        )
    if "broken" in text:
        return httpx.Response(400, json={"status": "error", "errorType": "bad_data", "error": "parse error"})
    if path == "/api/v1/query_range":
        rows: list[Any] = [{"metric": {"job": "shop"}, "values": [[NOW_S - 10, "1"], [NOW_S, "3"]]}]
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "matrix", "result": rows}})
    if path == "/api/v1/query":
        rows = [{"metric": {"job": "shop"}, "value": [NOW_S, "1"]}]
        return httpx.Response(200, json={"status": "success", "data": {"resultType": "vector", "result": rows}})
    if path == "/api/v2/traces/4bf92f3577b34da6a3ce929d0e0e4736":
        return httpx.Response(200, json=TRACE)
    if path == "/api/search":
        found = {
            "traceID": "abc",
            "rootServiceName": "shop",
            "rootTraceName": "GET /",
            "startTimeUnixNano": "1",
            "durationMs": 5,
        }
        return httpx.Response(200, json={"traces": [found]})
    return httpx.Response(404)


@pytest.fixture
def made(tmp_path: Path) -> Standin:
    """A stand-in with two datasources, a rule and a dashboard."""
    for part, text in {
        "datasources/d.yaml": DATASOURCES,
        "alerting/r.yaml": RULES,
        "dashboards/p.yaml": f"providers: [{{name: x, options: {{path: {tmp_path / 'boards'}}}}}]",
    }.items():
        (tmp_path / part).parent.mkdir()
        (tmp_path / part).write_text(text)
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "b.json").write_text(BOARD)
    settings = Settings(provisioning=tmp_path, data=tmp_path / "data", admin_password="secret", anonymous_role="Viewer")
    return Standin(settings, {}, httpx.MockTransport(backend), lambda: NOW_S)


def call(made: Standin, method: str, path: str, **more: Any) -> httpx.Response:
    """One request."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(application(made))
        async with httpx.AsyncClient(transport=transport, base_url="http://g") as client:
            return await client.request(method, path, **more)

    return asyncio.run(send())


def test_each_answer_names_the_standin(made: Standin) -> None:
    """
    Errors and pages too, so that nobody takes it for the real one.
    """
    for path in ("/api/health", "/api/nope", "/", "/d/b", "/nope", "/api/v1/provisioning/policies", "/metrics"):
        assert call(made, "GET", path).headers["x-tocsin-standin"] == "grafana"
    assert "standin" in call(made, "GET", "/api/health").json()["version"]


def test_wrong_credentials_are_refused_though_anonymous_access_is_on(made: Standin) -> None:
    """
    401 for a wrong password, a wrong header and a token; health needs none.
    """
    wrong = call(made, "GET", "/api/datasources", auth=("admin", "wrong"))
    broken = call(made, "GET", "/api/datasources", headers={"authorization": "Basic !!"})
    token = call(made, "GET", "/api/datasources", headers={"authorization": "Bearer x"})

    assert [answer.status_code for answer in (wrong, broken, token)] == [401, 401, 401]
    assert wrong.json()["message"] == "Invalid username or password"
    assert call(made, "GET", "/api/health", auth=("admin", "wrong")).status_code == 200


def test_without_anonymous_access_one_must_sign_in(tmp_path: Path) -> None:
    """
    401 for nobody, 200 for the administrator.
    """
    closed = Standin(Settings(provisioning=tmp_path, data=tmp_path, admin_password="secret"), {})

    assert call(closed, "GET", "/api/datasources").status_code == 401
    assert call(closed, "GET", "/").status_code == 401
    assert call(closed, "GET", "/api/datasources", auth=ADMIN).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/dashboards/db"),
        ("POST", "/api/folders"),
        ("POST", "/api/datasources"),
        ("POST", "/api/v1/provisioning/alert-rules"),
        ("PUT", "/api/v1/provisioning/alert-rules/new"),
        ("DELETE", "/api/v1/provisioning/contact-points/x"),
        ("POST", "/api/ruler/grafana/api/v1/rules/New"),
    ],
)
def test_what_only_files_do_is_refused_by_name(method: str, path: str, made: Standin) -> None:
    """
    501 for the administrator, 403 for a viewer, never a silent success.
    """
    answer = call(made, method, path, auth=ADMIN, json={})

    assert answer.status_code == 501
    assert "is not supported by the stand-in: provision it by files and reload" in answer.json()["message"]
    assert call(made, method, path, json={}).status_code == 403


def test_a_reload_reads_the_files_again(made: Standin, tmp_path: Path) -> None:
    """
    A changed file counts after it; a faulty one is refused with its place, and what was there stays.
    """
    (tmp_path / "alerting" / "r.yaml").write_text(RULES.replace("title: R", "title: S"))
    path = "/api/admin/provisioning/alerting/reload"
    assert call(made, "POST", path, auth=ADMIN).json() == {"message": "Alerting config reloaded"}
    (tmp_path / "alerting" / "r.yaml").write_text(RULES.replace("interval: 10s", "interval: 7s"))
    failed = call(made, "POST", path, auth=ADMIN)

    assert failed.status_code == 500
    assert "r.yaml:5: invalid alert rule: interval (7s)" in failed.json()["message"]
    assert [rule.title for rule in made.provisioned.alerting.rules] == ["S"]


def test_datasources_and_dashboards_are_reloaded(made: Standin, tmp_path: Path) -> None:
    """
    Each by its own path.
    """
    (tmp_path / "datasources" / "d.yaml").write_text(DATASOURCES.replace("name: T", "name: U"))
    (tmp_path / "boards" / "b.json").unlink()
    for kind in ("datasources", "dashboards"):
        assert call(made, "POST", f"/api/admin/provisioning/{kind}/reload", auth=ADMIN).status_code == 200

    assert [one["name"] for one in call(made, "GET", "/api/datasources").json()] == ["P", "U"]
    assert call(made, "GET", "/api/search", params={"type": "dash-db"}).json() == []


def query(made: Standin, *rows: dict[str, Any]) -> httpx.Response:
    """A request of queries over the last minute."""
    return call(made, "POST", "/api/ds/query", json={"from": "now-1m", "to": "now", "queries": list(rows)})


def test_exemplars_are_a_frame_of_their_own(made: Standin) -> None:
    """
    With time, value, and each label.
    """
    row = {"refId": "A", "datasource": {"uid": "p"}, "expr": "up", "range": True, "exemplar": True}
    frame = query(made, row).json()["results"]["A"]["frames"][-1]

    assert frame["schema"]["meta"]["custom"]["resultType"] == "exemplar"
    assert [field["name"] for field in frame["schema"]["fields"]] == ["Time", "Value", "job", "trace_id"]
    assert frame["data"]["values"] == [[NOW_S * 1000], [0.2], ["shop"], ["abc"]]


def test_a_trace_and_a_search_are_frames(made: Standin) -> None:
    """
    Ids in hexadecimal, times in milliseconds.
    """
    trace = {
        "refId": "A",
        "datasource": {"uid": "t"},
        "queryType": "traceId",
        "query": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
    search = {"refId": "B", "datasource": {"uid": "t"}, "queryType": "traceql", "query": "{}"}
    results = query(made, trace, search).json()["results"]

    row = [column[0] for column in results["A"]["frames"][0]["data"]["values"]]
    assert row[:8] == [
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "00f067aa0ba902b7",
        "",
        "GET /cart",
        "shop",
        "server",
        2,
        1_800_000_000_000,
    ]
    assert row[8] == 120
    assert results["B"]["frames"][0]["data"]["values"][0] == ["abc".zfill(32)]


def test_an_unknown_kind_of_trace_query_is_named(made: Standin) -> None:
    """
    As the plugin does.
    """
    found = query(made, {"refId": "A", "datasource": {"uid": "t"}, "queryType": "serviceMap"})

    assert found.status_code == 400
    assert found.json()["results"]["A"]["error"] == "unsupported query type: 'serviceMap' for query with refID 'A'"


def test_no_queries_are_refused(made: Standin) -> None:
    """
    With Grafana's message id.
    """
    assert query(made).json()["messageId"] == "query.noQueries"


def test_an_empty_result_is_a_frame_without_fields(made: Standin) -> None:
    """
    As Grafana 13 answers: no data is no error.
    """
    made.client = httpx.AsyncClient()
    body = {"queries": [{"refId": "A", "datasource": {"uid": "p"}, "expr": "up"}]}
    frames = call(made, "POST", "/api/ds/query", json=body).json()["results"]["A"]["frames"]

    assert [(frame["schema"]["fields"], frame["data"]["values"]) for frame in frames] == [([], [])]


def test_the_index_lists_dashboards_rules_and_warnings(made: Standin) -> None:
    """
    And says what it is; text is escaped.
    """
    page = call(made, "GET", "/").text

    assert "stand-in for Grafana, not Grafana" in page
    assert '<a href="/d/b/board-1">Board &lt;1&gt;</a>' in page
    assert "F / R: inactive (not evaluated yet)" in page


def test_a_dashboard_shows_values_plots_and_problems(made: Standin) -> None:
    """
    With variables resolved; a broken query is shown with its own message, an unknown datasource too.
    """
    page = call(made, "GET", "/d/b/board-1").text

    assert "ds = p, job = shop&lt;1&gt;" in page
    assert "<h2>Up of shop&lt;1&gt;</h2><svg" in page
    assert ": 3" in page
    assert "A: bad_data: parse error" in page
    assert "Data source not found" in page
    assert "<script" not in page


def test_a_dashboard_takes_its_variables_from_the_address(made: Standin) -> None:
    """
    As Grafana's links give them.
    """
    assert "<h2>Up of mine</h2>" in call(made, "GET", "/d/b?var-job=mine&from=now-5m&to=now").text
    assert call(made, "GET", "/d/nope").status_code == 404


def test_rules_of_a_state_are_found(made: Standin) -> None:
    """
    By state, name, matcher and limit, with totals.
    """
    rule = made.provisioned.alerting.rules[0]
    asyncio.run(made.scheduler.evaluate(rule, NOW_S))
    path = "/api/prometheus/grafana/api/v1/rules"
    matcher = '{"name": "job", "value": "sh.*", "isRegex": true, "isEqual": true}'

    def names(**asked: str) -> list[tuple[str, int]]:
        groups = call(made, "GET", path, params=asked).json()["data"]["groups"]
        return [(one["name"], len(one["alerts"])) for group in groups for one in group["rules"]]

    assert names(state="firing", rule_name="R") == [("R", 1)]
    assert names(state="normal") == []
    assert names(matcher=matcher) == [("R", 1)]
    assert names(limit_alerts="0") == [("R", 0)]
    assert names(folder_uid="other") == []
    assert call(made, "GET", path, params={"matcher": "x"}).status_code == 400


def test_the_oldest_annotations_leave() -> None:
    """
    So memory is bounded.
    """
    kept = Annotations()
    for number in range(KEPT + 5):
        kept.add(Annotation(id=0, text=str(number), time_ms=1, end_ms=1, created_ms=1, updated_ms=1))

    assert (len(list(kept)), kept.get(5)) == (KEPT, None)
    assert len(kept.find(Filter(limit=3))) == 3


def test_annotations_are_found_by_time(made: Standin) -> None:
    """
    A region counts when it overlaps with the window.
    """
    region = {"time": 1000, "timeEnd": 2000, "text": "fault", "tags": ["tocsin"]}
    assert call(made, "POST", "/api/annotations", json=region, auth=ADMIN).status_code == 200

    def found(low: int, high: int) -> int:
        return len(call(made, "GET", "/api/annotations", params={"from": low, "to": high}).json())

    assert [found(1500, 1600), found(0, 1000), found(2000, 9000), found(2001, 9000), found(1, 999)] == [1, 1, 1, 0, 0]
    assert call(made, "GET", "/api/annotations", params={"from": "soon"}).status_code == 400
    assert call(made, "GET", "/api/annotations/tags").json() == {"result": {"tags": [{"tag": "tocsin", "count": 1}]}}
