"""The report in a real browser: whole, silent on the network, printable, and legible on a desk and on a phone."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from reports.html import render_html
from tests.unit.reports import examples

pytestmark = pytest.mark.browser

SECTIONS = ("verdict", "expectations", "timeline", "alerts", "trace", "ledger", "faults", "run")
WIDTHS = (1280, 400)
ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]

# Below this, text is hard to read for many people: WCAG 2.2, success criterion 1.4.3.
LEAST_CONTRAST = 4.5

CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgb(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('svg, title') || !element.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(behind(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), walker.currentNode.data.trim().slice(0, 40)]);
  }
  return found;
}"""


@dataclass(kw_only=True)
class Opened:
    """
    A page as the browser has it: what it asked for, and what it complained of.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    A Chromium that speaks to nobody.
    """
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        pytest.skip("no Chromium on PATH; install the package `chromium`")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(params=examples.ALL)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """
    The report of each example in turn, as a file.
    """
    return written(str(request.param), tmp_path)


def written(name: str, folder: Path) -> Path:
    """
    The report of one example as a file.
    """
    example = examples.ALL[name]()
    path = folder / f"{name}.html"
    path.write_text(render_html(example.record, example.history, example.evidence, example.logs), encoding="utf-8")
    return path


def opened(browser: Browser, file: Path, width: int = 1280, scheme: str = "light") -> Opened:
    """
    Open a report in a fresh window.
    """
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    seen = Opened(page=page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(file.as_uri(), wait_until="load")
    return seen


def test_every_report_is_whole_and_quiet(browser: Browser, file: Path) -> None:
    """
    All sections can be seen, nothing is asked of a network, nothing is complained of.
    """
    seen = opened(browser, file)
    hidden = [section for section in SECTIONS if not seen.page.locator(f"#{section}").is_visible()]
    seen.page.close()

    assert hidden == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [file.as_uri()]
    assert seen.complaints == []


def test_every_report_fits_its_window(browser: Browser, file: Path) -> None:
    """
    Nothing sticks out to the right, on a desk and on a phone, folded and unfolded; long texts wrap.
    """
    page = opened(browser, file).page
    found = []
    for unfolded in (False, True):
        page.evaluate(
            "(open) => document.querySelectorAll('details').forEach((each) => { each.open = open; })", unfolded
        )
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found.append(page.evaluate("document.documentElement.scrollWidth"))
    page.close()

    assert found == [*WIDTHS, *WIDTHS]


def test_every_report_prints(browser: Browser, file: Path) -> None:
    """
    A PDF comes out, dark windows print on white, and what only a screen can use is left away.
    """
    page = opened(browser, file, scheme="dark").page
    page.emulate_media(media="print")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    navigation = page.locator("nav").is_visible()
    pdf = page.pdf()
    page.close()

    assert paper == "rgb(255, 255, 255)"
    assert not navigation
    assert pdf.startswith(b"%PDF-")
    assert len(pdf) > 10_000


def test_every_text_has_enough_contrast(browser: Browser, file: Path) -> None:
    """
    In light and in dark, also the small grey ones.
    """
    page = opened(browser, file).page
    light = page.evaluate(CONTRASTS)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(CONTRASTS)
    page.close()

    assert len(light) == len(dark) > 20
    assert light != dark
    assert [text for contrast, text in [*light, *dark] if contrast < LEAST_CONTRAST] == []


def test_tables_stay_tables_for_a_screen_reader_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    """
    Stacked by style, a table keeps its rows, its headers and its cells.
    """
    page = opened(browser, written("passed", tmp_path), width=400).page
    ledger = page.locator("#ledger").get_by_role("table", name="How much of each signal passed each hop")
    counted = [ledger.get_by_role(role).count() for role in ("row", "rowheader", "columnheader")]
    page.close()

    assert counted == [8, 7, 6]


def test_charts_are_named_for_a_screen_reader(browser: Browser, tmp_path: Path) -> None:
    """
    The figures of a curve can be heard.
    """
    page = opened(browser, written("passed", tmp_path)).page
    named = page.get_by_role("img", name="Requests per second. Clients: lowest").count()
    page.close()

    assert named == 1


def test_pictures_share_one_time_axis(browser: Browser, tmp_path: Path) -> None:
    """
    The fault's shade stands at the same place in every chart and every lane, at any width.
    """
    for width in WIDTHS:
        page = opened(browser, written("passed", tmp_path), width).page
        edges = page.evaluate(
            "[...document.querySelectorAll('.plot .shade')].map((each) => each.getBoundingClientRect()).map((box) => [box.left, box.right])"
        )
        page.close()

        assert len(edges) == 5
        assert all(edge == pytest.approx(edges[0], abs=0.5) for edge in edges)


def test_a_span_unfolds_without_a_script(browser: Browser, tmp_path: Path) -> None:
    """
    A click shows its attributes.
    """
    page = opened(browser, written("passed", tmp_path)).page
    attribute = page.get_by_text("SELECT id, name FROM users WHERE id = ?")
    before = attribute.is_visible()
    page.get_by_text("SELECT users").click()
    after = attribute.is_visible()
    page.close()

    assert (before, after) == (False, True)
