"""Pictures are well-formed, say in words what they show, and stay within their frame."""

import math
import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from reports import charts, lanes, svg
from reports.charts import METRICS, Shade
from reports.condition import Upkeep
from reports.evidence import Point
from reports.lifecycle import Lane, Stretch
from reports.truth import Bin, bins
from reports.window import Window
from scenarios.history import History, Notification, Phase
from tests.unit.reports import examples

WINDOW = Window(start=100, end=200, zero=110)
SHADES = (Shade(start=120, end=140, label="errors on catalog"), Shade(start=180, end=190, label="drop", noise=True))
RATE, RATIO, P95 = METRICS


def parsed(picture: str) -> ElementTree.Element:
    """
    The picture as a tree; raises when it is not well-formed.
    """
    return ElementTree.fromstring(picture)


def words(picture: Markup) -> str:
    """
    What a screen reader says of it.
    """
    return parsed(picture).attrib["aria-label"].replace("\u00a0", " ")


def tooltips(picture: Markup) -> list[str]:
    """
    Its tooltips in order.
    """
    return [(title.text or "").replace("\u00a0", " ") for title in parsed(picture).iter("title")]


def classes(picture: Markup) -> list[str]:
    """
    The classes of its elements in order.
    """
    return [each.attrib["class"] for each in parsed(picture).iter() if "class" in each.attrib]


def panel(*counts: int, backend: Sequence[Point] = (), metric: charts.Metric = RATE) -> charts.Panel:
    """
    A panel of one second for each count.
    """
    found = [Bin(t=100.0 + n, width_s=1, count=count, failed=0, latency={}) for n, count in enumerate(counts)]
    return charts.panel(metric, found, backend, WINDOW, SHADES)


def test_an_element_escapes_texts_and_attributes() -> None:
    """
    Names of attributes are Python's: underscores become hyphens, None leaves out, floats are rounded.
    """
    drawn = svg.element("text", "<b>&", svg.element("tspan"), text_anchor="end", class_='"x"', x=1.23456, y=None, dx=2)

    assert drawn == '<text text-anchor="end" class="&#34;x&#34;" x="1.23" dx="2">&lt;b&gt;&amp;<tspan/></text>'


def test_a_panel_says_lowest_mean_and_highest() -> None:
    """
    Who does not see the curves hears their figures.
    """
    drawn = panel(10, 20, 30, backend=[(101, 18.0), (102, 22.0)])

    assert (
        drawn.words
        == "Requests per second. Clients: lowest 10, mean 20, highest 30. Prometheus: lowest 18, mean 20, highest 22."
    )
    assert drawn.words == words(drawn.picture)
    assert drawn.compared


def test_a_panel_without_a_series_says_so() -> None:
    """
    An absent series is not drawn as nought.
    """
    drawn = panel(10, 20, backend=[(500.0, 3.0)])

    assert "Prometheus: no data." in drawn.words
    assert not drawn.compared
    assert "backend" not in classes(drawn.picture)


def test_each_second_tells_its_figures_to_a_pointer() -> None:
    """
    The clients' figure, and Prometheus' where it has one.
    """
    drawn = panel(10, 20, backend=[(101.5, 19.0)])

    assert tooltips(drawn.picture) == ["−10 s: clients 10", "−9 s: clients 20, Prometheus 19"]


def test_faults_are_shaded_and_noise_is_told_apart() -> None:
    """
    Both shades lie where the faults were.
    """
    shades = [each for each in parsed(panel(1).picture).iter("rect") if each.attrib["class"].startswith("shade")]

    assert [(each.attrib["class"], each.attrib["x"], each.attrib["width"]) for each in shades] == [
        ("shade", "20%", "20%"),
        ("shade noise", "80%", "10%"),
    ]


def test_a_curve_is_broken_where_there_is_no_number_and_where_samples_are_missing() -> None:
    """
    A gap is drawn as a gap, not as a straight line over it.
    """
    points: list[Point] = [(0, 1.0), (1, 1.0), (2, None), (3, 1.0), (4, 1.0), (9, 1.0), (10, None)]

    assert [[t for t, _ in run] for run in charts.runs(points)] == [[0, 1], [3, 4], [9]]
    assert charts.runs([]) == []
    assert charts.runs([(5, 1.0)]) == [[(5, 1.0)]]


def test_seconds_without_requests_leave_a_gap_in_ratio_but_not_in_rate() -> None:
    """
    No request: the rate is 0, and of nothing there is no ratio.
    """
    assert classes(panel(5, 0, 5).picture).count("client") == 1
    assert classes(panel(5, 0, 5, metric=RATIO).picture).count("client") == 2


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.series)
def test_a_curve_stays_within_its_frame(metric: charts.Metric) -> None:
    """
    Also the highest value of either curve, and huge ones.
    """
    example = examples.passed()
    window = Window.of(example.record, example.history)
    drawn = charts.panel(metric, bins(example.history), [(examples.FAULT_T, 1e12)], window, ())
    places = re.findall(
        r"(-?[\d.]+),(-?[\d.]+)", " ".join(each.attrib["d"] for each in parsed(drawn.picture).iter("path"))
    )

    assert places
    assert all(0 <= float(x) <= 1000 and 0 <= float(y) <= charts.HEIGHT for x, y in places)


def test_a_gauge_marks_the_bound_and_the_time_allowed() -> None:
    """
    The longest of the three nearly fills it.
    """
    drawn = charts.gauge(2.0, 3.0, 12.0, "took 2 s")

    assert tooltips(drawn) == ["allowed 12 s", "bound 3 s"]
    assert words(drawn) == "took 2 s"
    assert classes(drawn) == ["gauge", "track", "bar", "within", "bound"]


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_gauge_of_nothing_is_empty(value: float) -> None:
    """
    An alert at the very moment of its fault, or before it, divides by nothing.
    """
    bar = next(
        each for each in parsed(charts.gauge(value, None, None, "")).iter("rect") if each.attrib["class"] == "bar"
    )

    assert bar.attrib["width"] == "0%"


def test_phases_are_bands_on_the_same_axis() -> None:
    """
    What is no stretch of time, such as the end, has no band.
    """
    history = History([Phase(t=100, name="warm_up"), Phase(t=110, name="drive"), Phase(t=150, name="stopped")])
    drawn = lanes.phases(history, WINDOW)

    assert tooltips(drawn) == ["warm-up, 10 s", "drive, 40 s"]
    assert words(drawn) == "Phases: warm-up, drive, stopped"


def test_faults_are_named_beside_their_bars() -> None:
    """
    A late fault's name stands before the bar's end, so that it does not leave the picture.
    """
    drawn = lanes.faults(SHADES, WINDOW)
    early, late = parsed(drawn).iter("text")

    assert tooltips(drawn) == ["errors on catalog, 10 s to 30 s", "drop, 70 s to 80 s"]
    assert (
        early.attrib["x"],
        early.attrib["class"],
        late.attrib["x"],
        late.attrib["class"],
    ) == ("20%", "label", "90%", "label end")


def told(t: float, status: str) -> Notification:
    """
    An arrival at the sink.
    """
    return Notification.model_validate({"t": t, "receiver": "pager", "status": status, "name": "Burn", "labels": {}})


def test_a_lane_shows_and_says_an_alerts_life() -> None:
    """
    Each mark has its tooltip, and the whole is said in words.
    """
    lane = Lane(
        name="Burn",
        labels={"service_name": "frontend"},
        source="grafana",
        stretches=(Stretch(start=120, end=122, state="pending"), Stretch(start=122, end=150, state="firing")),
        notifications=(told(123, "firing"), told(151, "resolved"), told(900, "firing")),
        bound_t=125,
        resolved_t=150,
    )
    drawn = lanes.alert(lane, WINDOW, SHADES)

    assert tooltips(drawn) == [
        "service_name=frontend",
        "pending for 2 s",
        "firing for 28 s",
        "computed bound, 15 s",
        "resolved at 40 s",
        "pager told: firing, at 13 s",
        "pager told: resolved, at 41 s",
    ]
    assert words(drawn).startswith(
        "Burn of frontend: pending from 10 s to 12 s, firing from 12 s to 40 s, notified (firing) at 13 s"
    )
    assert words(drawn).endswith("bound at 15 s.")
    assert "grafana" in "".join(parsed(drawn).itertext())


def test_a_lane_of_a_nameless_service_without_a_bound_is_drawn() -> None:
    """
    The least that is known of an alert is its name.
    """
    lane = Lane(
        name="Watchdog", labels={}, source="prometheus", stretches=(Stretch(start=100, end=200, state="firing"),)
    )
    drawn = lanes.alert(lane, WINDOW, ())

    assert words(drawn) == "Watchdog: firing from −10 s to 90 s."
    assert "bound" not in classes(drawn)


def test_a_bound_outside_of_the_window_is_not_drawn_at_its_edge() -> None:
    """
    The edge would be the wrong time.
    """
    lane = Lane(
        name="A", labels={}, source="prometheus", bound_t=math.nextafter(200, 300), notifications=(told(120, "firing"),)
    )

    assert "bound" not in classes(lanes.alert(lane, WINDOW, ()))


def test_a_picture_of_strange_texts_is_well_formed() -> None:
    """
    Markup in names stays text.
    """
    shade = Shade(start=100, end=110, label=examples.HOSTILE.replace("\x00", "").replace("\x1b", ""))

    assert shade.label[:60] in "".join(parsed(lanes.faults((shade,), WINDOW)).itertext()).replace("…", shade.label[59:])


def test_a_long_series_is_thinned_to_means() -> None:
    """
    A day of samples fits into a chart; where no sample of several is a number, there is none.
    """
    long: list[Point] = [(float(t), None if t < 4 else float(t % 2)) for t in range(2 * charts.MOST_POINTS)]
    found = charts.thinned(long)

    assert len(found) == charts.MOST_POINTS
    assert found[:3] == [(0.5, None), (2.5, None), (4.5, 0.5)]
    assert charts.thinned(long[:5]) == long[:5]
    assert charts.thinned([]) == []


def test_a_flapping_alert_is_cut_and_says_so() -> None:
    """
    Thousands of changes neither fill the page nor vanish silently.
    """
    lane = Lane(
        name="Flap",
        labels={},
        source="prometheus",
        stretches=tuple(Stretch(start=100 + n / 50, end=100 + n / 50 + 0.01, state="firing") for n in range(3000)),
        notifications=tuple(told(100 + n / 50, "firing") for n in range(300)),
    )
    drawn = lanes.alert(lane, WINDOW, ())

    assert classes(drawn).count("alert firing") == lanes.MOST_MARKS
    assert classes(drawn).count("told firing") == lanes.MOST_MARKS
    assert "3100 more changes" in "".join(parsed(drawn).itertext())
    assert len(words(drawn)) < 2000


def test_a_part_that_was_down_is_drawn_with_its_new_beginning() -> None:
    """
    And the same in words.
    """
    spells = (Stretch(start=120, end=130, state="down"), Stretch(start=130, end=131, state="unready"))
    drawn = lanes.component(Upkeep(name="tempo", spells=spells, starts=(130.0,)), WINDOW, SHADES)

    assert words(drawn) == "tempo: down from 10 s to 20 s, not answering from 20 s to 21 s, started again at 20 s."
    assert tooltips(drawn)[-3:] == ["down for 10 s", "not answering for 1 s", "started again at 20 s"]
    assert [each for each in classes(drawn) if each.startswith(("part", "started"))] == [
        "part down",
        "part unready",
        "started",
    ]
