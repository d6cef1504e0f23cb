"""The page stands alone, is complete and well-formed, and nothing that it shows can become markup."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reports.html import render_html
from scenarios.history import AlertChange, History
from scenarios.record import Verdict
from tests.unit.reports import examples

SECTIONS = ("verdict", "expectations", "timeline", "alerts", "trace", "ledger", "faults", "run")
BLOCKS = {"p", "div", "td", "th", "dt", "dd", "li", "h2", "h3", "summary", "small", "br", "b", "figcaption"}
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """
    A page's elements, its text by section, and whether all that was opened was closed in order.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.texts: dict[str, str] = {}
        self.section = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Note an element.
        """
        self.elements.append((tag, dict(attrs)))
        if tag in BLOCKS:
            self.handle_data(" ")
        if tag not in VOID:
            self.open.append(tag)
        if identity := dict(attrs).get("id"):
            self.ids.append(identity)
            self.section = identity if tag == "section" else self.section

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Note an element that closes itself, as SVG's do.
        """
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """
        Close what was opened last.
        """
        assert tag == self.open.pop(), f"</{tag}> at {self.getpos()} closes something else"

    def handle_data(self, data: str) -> None:
        """
        Collect a section's text.
        """
        self.texts[self.section] = f"{self.texts.get(self.section, '')}{data}"

    def text(self, section: str) -> str:
        """
        A section's text on one line.
        """
        return " ".join(self.texts[section].split())


def drawn(example: examples.Example) -> str:
    """
    The page of an example.
    """
    return render_html(example.record, example.history, example.evidence, example.logs)


@pytest.fixture(scope="module", params=examples.ALL)
def page(request: pytest.FixtureRequest) -> str:
    """
    The page of each example in turn.
    """
    return drawn(examples.ALL[request.param]())


def test_every_page_is_well_formed_and_has_all_sections(page: str) -> None:
    """
    Whatever is missing from a drill, no section is, and no id comes twice.
    """
    found = Page(page)

    assert found.open == []
    assert list(SECTIONS) == [identity for identity in found.ids if identity in SECTIONS]
    assert len(found.ids) == len(set(found.ids))
    assert all(found.text(section) for section in SECTIONS)


def test_every_page_asks_for_nothing_and_runs_nothing(page: str) -> None:
    """
    No script, no handler, no inline style, no address but the page's own parts and the icon, which is data.
    """
    found = Page(page)
    attributes = [(name, value or "") for _, each in found.elements for name, value in each.items()]

    assert not {"script", "img", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in found.elements}
    assert [
        name for name, _ in attributes if name.startswith("on") or name in ("style", "src", "srcset", "action")
    ] == []
    addresses = [value for name, value in attributes if name in ("href", "xlink:href")]
    assert all(value.startswith(("#", "data:image/svg+xml,")) for value in addresses)
    assert "url(" not in page
    assert "@import" not in page


def test_every_page_is_small(page: str) -> None:
    """
    Also with 10,000 lines of logs it can be sent by mail.
    """
    assert len(page.encode()) < 200_000


def test_every_picture_has_words(page: str) -> None:
    """
    A picture is either hidden from screen readers or says what it shows.
    """
    pictures = [each for tag, each in Page(page).elements if tag == "svg" and each.get("role") == "img"]
    silent = [
        each
        for tag, each in Page(page).elements
        if tag == "svg"
        and each.get("role") != "img"
        and each.get("aria-hidden") != "true"
        and each.get("class") not in INNER
    ]

    assert all(each.get("aria-label") for each in pictures)
    assert silent == []


INNER = ("lines", "clip", "told firing", "told resolved")


def test_the_policy_allows_the_page_its_own_style_and_nothing_else(page: str) -> None:
    """
    The digest in the policy is the style's own.
    """
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()

    policy = next(
        each["content"] for tag, each in Page(page).elements if each.get("http-equiv") == "Content-Security-Policy"
    )
    assert (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'" == policy
    )


def test_a_passed_drill_reads_from_its_verdict_to_its_logs() -> None:
    """
    Each section has the figures that belong there.
    """
    found = Page(drawn(examples.passed()))

    for section, said in {
        "verdict": (
            "PASS",
            examples.WHY,
            "All 7 expectations held.",
            "tempo is not the real program",
            "processes",
            "drill",
        ),
        "expectations": ("ErrorBudgetBurnFast expect/3", "2.31 s of 3.4 s · 0.68×"),
        "timeline": ("errors on catalog", "Requests per second", "P95 latency", "GET /api/products"),
        "alerts": ("ErrorBudgetBurnFast page · service_name=frontend", "19.2 s"),
        "trace": (
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "POST /api/products/<int:id>/reserve error",
            "errors, by order of a drill",
        ),
        "ledger": ("Tempo traces 9,210 9,210 0",),
        "faults": ("errors on catalog", "at 8s for 12s", "0% failed, P95", "PASS 29.6% failed, 0% before"),
        "run": (
            "tempo 3.1 stand-in",
            "1.2 ms ± 1.05 ms",
            "tocsin run error-burst",
            f"tocsin analyze {examples.RUN_ID}",
            "40 lines",
        ),
    }.items():
        for text in said:
            assert text in found.text(section)


def test_both_paths_of_an_alert_stand_side_by_side() -> None:
    """
    Each with whose it is and its own time to detect and bound; what did not fire by one of them says so.
    """
    (times,) = examples.alerts()
    paths = [times | {"source": "prometheus"}, times | {"source": "grafana", "time_to_detect_s": None, "bound_s": 5.1}]
    found = Page(drawn(replace(examples.passed(), evidence={"alerts": paths}))).text("alerts")

    assert "ErrorBudgetBurnFast page · by prometheus" in found
    assert "ErrorBudgetBurnFast page · by grafana" in found
    assert "did not fire" in found
    assert "5.1 s" in found


def test_the_state_that_was_expected_is_named() -> None:
    """
    Unless it is the usual one.
    """
    (times,) = examples.alerts()
    paths = [times | {"source": "grafana", "state": state} for state in ("firing", "nodata")]
    found = Page(drawn(replace(examples.passed(), evidence={"alerts": paths}))).text("alerts")

    assert "by grafana · nodata" in found
    assert "firing" not in found


def test_a_failed_drill_says_what_where_when_and_what_to_try() -> None:
    """
    The five parts of a failure, and the ledger's loss.
    """
    found = Page(drawn(examples.not_notified()))

    assert "the signal died on its way: the alert fired, but nobody was told." in found.text("verdict")
    for said in (
        "Died at NOT_NOTIFIED",
        "Where the sink",
        "When 16:00:28 to 16:00:40 UTC",
        "Try Alertmanager counted 4",
    ):
        assert said in found.text("expectations")
    assert "not notified" in found.text("alerts")
    assert "9,198 9,210 −12 −0.13%" in found.text("ledger")


def test_an_unknown_drill_says_what_was_not_seen() -> None:
    """
    The problem, who was blind from when, and series that are not there.
    """
    found = Page(drawn(examples.prometheus_died()))

    assert "prometheus ended by itself with exit code -9" in found.text("verdict")
    assert "Not watched: alerts in Prometheus, from 16:00:24.0 on. Connection refused" in found.text("verdict")
    assert "Prometheus' own record of it is not in the evidence" in found.text("timeline")
    assert "last 80 lines of 300" in found.text("run")


def test_a_part_that_was_killed_is_drawn_and_what_it_used_is_told() -> None:
    """
    And who could not look meanwhile, until when.
    """
    found = Page(drawn(examples.catalog_killed()))

    assert "Parts that were not ready all the time" in found.text("timeline")
    assert "started again" in found.text("timeline")
    assert "catalog 2.5 s 0.125 80 MiB" in found.text("run")
    assert "Not watched: grafana, from 16:00:18.0 to 16:00:22.0. Connection refused." in found.text("verdict")
    assert "not ready" not in Page(drawn(examples.passed())).text("timeline")


def test_a_drill_that_never_began_says_so_in_every_section() -> None:
    """
    Sentences in place of empty tables and charts; and the problem is told once.
    """
    found = Page(drawn(examples.aborted()))

    for section, said in {
        "expectations": "Nothing was judged.",
        "timeline": "The history is empty: the drill ended before anything happened.",
        "alerts": "No alert was expected, or the evidence does not hold any.",
        "trace": "The evidence holds no trace of this drill.",
        "ledger": "The evidence holds no ledger of this drill.",
        "faults": "never applied",
        "run": "No part of the stack was recorded.",
    }.items():
        assert said in found.text(section)
    assert found.text("verdict").count("port 4317 is taken") == 1


def test_a_drill_without_requests_draws_no_empty_chart() -> None:
    """
    Zero requests are said, not divided by.
    """
    bare = examples.silent_clients()
    without = replace(bare, history=History([event for event in bare.history.events if event.kind != "traffic"]))

    assert "The clients sent no request, so there is nothing to draw." in Page(drawn(without)).text("timeline")
    assert "Requests 0 Failed 0" in Page(drawn(bare)).text("verdict")


def test_a_baseline_says_that_nothing_was_broken() -> None:
    """
    And that no alert moved, and that nothing stood in for anything.
    """
    found = Page(drawn(examples.baseline()))

    assert "Nothing was broken on purpose in this drill." in found.text("faults")
    assert "No alert changed its state while this drill was watched." in found.text("timeline")
    assert "Stand-ins" not in found.text("verdict")


def test_hostile_texts_are_shown_as_they_are_without_what_cannot_be_shown() -> None:
    """
    A reader sees the text, and neither a browser nor a template obeys it.
    """
    html = drawn(examples.hostile())
    shown = "</style><script>alert('x')</script><img src=http://192.0.2.1/x onerror=alert(1)>\"'&\ufffd\ufffd{{ 7*7 }}"

    assert shown in Page(html).text("verdict")
    assert "tocsin run '</style>" in Page(html).text("run")
    assert html.count("</style>") == 1
    assert not {"\x00", "\x1b", "\u202e"} & set(html)


def test_a_page_can_always_be_written_as_utf_8() -> None:
    """
    Half a surrogate pair, which JSON can hold, does not break the file.
    """
    html = render_html(
        examples.record(), History([]), {"ledger": None, "trace": {"trace_id": "\ud800"}}, {"app": "\ud800 log"}
    )

    assert html.encode("utf-8")


def test_unreadable_evidence_is_said_on_the_page() -> None:
    """
    The reader learns which part cannot be read.
    """
    example = replace(examples.passed(), evidence={"alerts": "none", "trace": {"trace_id": "ab12", "spans": []}})
    found = Page(drawn(example))

    assert "The evidence for `alerts` cannot be read" in found.text("alerts")
    assert "The trace ab12 holds no span." in found.text("trace")


def test_a_storm_of_alerts_is_cut_and_counted() -> None:
    """
    Hundreds of lanes would hide the expected one.
    """
    storm = [
        AlertChange(t=examples.DRIVE_T + n / 10, source="prometheus", name=f"Alert{n}", labels={}, state="firing")
        for n in range(300)
    ]
    example = examples.baseline()
    found = Page(drawn(replace(example, history=History([*example.history.events, *storm]))))

    assert "284 more alerts changed state and are not drawn" in found.text("timeline")


def test_a_huge_trace_says_how_much_of_it_is_not_drawn() -> None:
    """
    The rest can be looked up in Tempo by its id.
    """
    spans = [{"span_id": str(n), "start_t": float(n), "duration_s": 1.0} for n in range(151)]
    example = replace(examples.passed(), evidence={"trace": {"trace_id": "ab12", "spans": spans}})

    assert "1 more span of this trace is not drawn." in Page(drawn(example)).text("trace")


@pytest.mark.parametrize(
    ("name", "verdict"), [("passed", Verdict.PASS), ("not-notified", Verdict.FAIL), ("aborted", Verdict.UNKNOWN)]
)
def test_the_tab_shows_the_verdict(name: str, verdict: Verdict) -> None:
    """
    Among ten open tabs the failed one is seen.
    """
    html = drawn(examples.ALL[name]())

    assert f"<title>{verdict} · error-burst · Tocsin</title>" in html


def test_the_file_that_a_drill_came_from_is_how_to_run_it_again() -> None:
    """
    A drill of one's own is named by its path, quoted for a shell.
    """
    example = replace(examples.passed(), record=examples.record(source="my drills/burst.drill.yaml"))

    assert "tocsin run 'my drills/burst.drill.yaml'" in Page(drawn(example)).text("run")


def test_the_same_drill_is_drawn_the_same_twice() -> None:
    """
    The page is a pure function of its record, so it can be compared and cached.
    """
    assert drawn(examples.passed()) == drawn(examples.passed())
