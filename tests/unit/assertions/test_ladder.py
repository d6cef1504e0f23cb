"""Ladder: every rung on the way of data, from the app to Prometheus and Tempo."""

from typing import Any

import pytest

from assertions.evidence import Collector, Delays, Points, Service
from assertions.ladder import EXPLANATIONS, rise, rung_of_data, rung_of_spans
from scenarios.history import Event
from scenarios.record import Rung
from tests.unit.assertions.builders import T0, counter, evidence, history, service, traffic

TRAFFIC = [*traffic(-10, 5), *traffic(5, 15, failed=4), *traffic(15, 30)]


def rung(
    found: Service, *events: Event, failures: bool = False, collector: Collector | None = None, **given: Any
) -> Rung | None:
    """Where the data of the catalog died between 5 s and 15 s."""
    seen = evidence(services={"catalog": found}, collector=collector or Collector(), **given)
    return rung_of_data(
        "catalog",
        history=history(events or TRAFFIC),
        evidence=seen,
        since=T0 + 5,
        until=T0 + 15,
        failures=failures,
    )


def test_data_that_arrived_died_nowhere() -> None:
    """All of it, or at least half: a window cuts off edges."""
    assert rung(service()) is None
    assert rung(service(requests=4)) is None
    assert rung(service(requests=3)) is Rung.NOT_STORED


def test_failures_are_followed_on_their_own() -> None:
    """Requests that arrived do not make up for failures that did not."""
    assert rung(service(failed=4), failures=True) is None
    assert rung(service(failed=0), failures=True) is Rung.NOT_EMITTED


def test_an_app_that_sent_nothing() -> None:
    """Neither metrics nor spans rose while the fault was on."""
    assert rung(service(until=5)) is Rung.NOT_EMITTED
    assert rung(Service()) is Rung.NOT_EMITTED


@pytest.mark.parametrize("collector", [Collector(up=False), Collector(refused={"spans": 0, "metric_points": 1})])
def test_a_collector_that_was_down_or_refused(collector: Collector) -> None:
    """Before anybody else it is blamed."""
    assert rung(service(requests=0, spans=0), collector=collector) is Rung.NOT_COLLECTED
    assert rung(service(requests=0, spans=10), collector=collector) is Rung.NOT_COLLECTED
    assert rung(service(requests=10), collector=collector) is None


def test_spans_that_arrived_without_their_metrics() -> None:
    """The app spoke and the collector heard it, so it is the way to Prometheus that is broken."""
    assert rung(service(requests=0, spans=10)) is Rung.NOT_STORED
    assert rung(service(requests=0, spans=4)) is Rung.NOT_STORED
    assert rung(service(requests=0, spans=3)) is Rung.NOT_EMITTED


def test_spans_do_not_vouch_for_failures() -> None:
    """They are counted together, good and bad."""
    assert rung(service(failed=0, spans=10), failures=True) is Rung.NOT_EMITTED


def test_an_exporter_that_could_not_be_scraped() -> None:
    """Then Prometheus saw nothing, whatever the app sent."""
    assert rung(service(requests=0, spans=0), collector=Collector(exporter_up=False)) is Rung.NOT_STORED
    assert rung(service(failed=0), collector=Collector(exporter_up=False), failures=True) is Rung.NOT_STORED


def test_without_traffic_nothing_is_missing() -> None:
    """What nobody sent cannot have died."""
    assert rung(Service(), *traffic(-10, 5)) is None


def test_without_traffic_spans_prove_nothing() -> None:
    """Failures are expected, but no request was answered in this window: nothing was collected of them."""
    assert rung(Service(), *traffic(5, 15, lost=10)) is None


def test_data_may_come_in_as_late_as_its_way_takes() -> None:
    """Export, batch and scrape are waited for, by the configuration of the drill's stack."""
    late = Service(requests_by_time=(*counter(3, 18, 0), *counter(19, 20, 50, start=50)))
    slow = Delays(export_s=15, batch_s=1, scrape_s=15)

    assert rung(late) is Rung.NOT_EMITTED
    assert rung(late, delays=slow) is None


def test_data_at_the_very_end_of_its_way_is_in_time() -> None:
    """Each hop adds to the way, and a second is left for clocks that do not tick together."""
    delays = Delays(export_s=1, batch_s=2, scrape_s=4)

    for late_s, found in ((8, None), (9, Rung.NOT_EMITTED)):
        jump = (*counter(3, 14 + late_s, 0), (T0 + 15 + late_s, 100.0))
        assert rung(Service(requests_by_time=jump), delays=delays) is found


def test_half_of_the_spans_vouch_for_all() -> None:
    """Exactly half of what clients sent is enough."""
    assert rung(Service(collected_by_time=counter(5, 10, 10))) is Rung.NOT_STORED
    assert rung(Service(collected_by_time=counter(5, 9, 12))) is Rung.NOT_EMITTED


def test_other_services_routes_do_not_count() -> None:
    """The catalog is not asked for what clients sent to the users."""
    events = [*traffic(5, 15), *traffic(5, 15, count=1000, route="/api/users")]

    assert rung(service(), *events) is None


@pytest.mark.parametrize(
    ("collected", "stored", "collector", "found"),
    [
        (100, 0.0, Collector(), Rung.NOT_STORED),
        (50, 0.0, Collector(), Rung.NOT_STORED),
        (49, 0.0, Collector(), Rung.NOT_EMITTED),
        (90, 0.8, Collector(), Rung.NOT_STORED),
        (89, 0.8, Collector(), Rung.NOT_EMITTED),
        (49, 0.0, Collector(up=False), Rung.NOT_COLLECTED),
        (49, 0.0, Collector(refused={"spans": 1}), Rung.NOT_COLLECTED),
        (50, 0.0, Collector(up=False), Rung.NOT_STORED),
    ],
)
def test_the_rung_of_spans(collected: float, stored: float, collector: Collector, found: Rung) -> None:
    """Whether the collector counted at least half of those that Tempo lacks."""
    seen = evidence(services={"catalog": Service(collected=collected)}, collector=collector)

    assert rung_of_spans("catalog", evidence=seen, sent=100, stored=stored) is found


def test_spans_of_a_service_that_nobody_knows() -> None:
    """Or that was never called."""
    assert rung_of_spans("catalog", evidence=evidence(), sent=100, stored=0) is Rung.NOT_EMITTED
    seen = evidence(services={"catalog": Service(collected=5)})
    assert rung_of_spans("catalog", evidence=seen, sent=0, stored=0) is Rung.NOT_EMITTED


def at(*points: tuple[float, float]) -> Points:
    """Points at seconds after time nought."""
    return tuple((T0 + t, value) for t, value in points)


STEADY = at(*((t, 10.0 * t + 10) for t in range(31)))


@pytest.mark.parametrize(
    ("points", "since", "until", "expected"),
    [
        (STEADY, 5, 15, 110),
        (STEADY, 6, 15, 100),
        (STEADY, 5, 14, 100),
        (STEADY, 40, 50, 0),
        (STEADY, 0, 2, 30),
        (STEADY, 1, 2, 30),
        (STEADY, 1.1, 2, 10),
        ((), 0, 30, 0),
        (at((5, 100)), 5, 15, 100),
        (at((3, 100)), 5, 15, 0),
        (at((6, 0), (7, 10), (8, 3), (9, 5)), 5, 15, 12),
        (at((6, 0), (7, 10), (10, 20), (11, 21)), 5, 15, 21),
        (at((6, 0), (7, 10), (10.1, 20), (11.1, 21)), 5, 15, 11),
        (at((0, 0), (10, 10), (20, 20), (50, 50)), 5, 60, 40),
        (at((0, 0), (10, 10), (20, 20), (51, 51)), 5, 60, 10),
    ],
)
def test_how_much_a_counter_rose(points: Points, since: float, until: float, expected: float) -> None:
    """A birth within the window is from nought; a fall and a gap (more than three of its steps) are left out."""
    assert rise(points, T0 + since, T0 + until) == pytest.approx(expected)


def test_every_rung_has_an_explanation() -> None:
    """It is the hint of failures that have no better one."""
    assert set(EXPLANATIONS) == set(Rung)
