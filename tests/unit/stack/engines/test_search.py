"""The search: PATH first if what is there will do, else the cache; and the reason why not."""

import pytest

from stack.engines import ENGINES, EngineError, Status, ensure, locate, status
from stack.engines.search import version_in
from tests.unit.stack.engines.workshop import Workshop

COMPONENTS = "".join(f"\n    - name: {name}" for name in sorted(ENGINES["collector"].parts))


def status_of(engine: str) -> Status:
    """The status of one engine."""
    return next(one for one in status() if one.engine == engine)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("prometheus, version 3.16.0 (branch: HEAD, revision: abc)", (3, 16, 0)),
        ("otelcol-contrib version 0.155.0", (0, 155, 0)),
        ("toxiproxy-server version v2.12.0", (2, 12, 0)),
        ("prometheus, version  (branch: , revision: unknown)", None),
        ("toxiproxy-server version git", None),
        ("", None),
    ],
)
def test_version_is_read(line: str, version: tuple[int, int, int] | None) -> None:
    """Each engine's own way to say its version is understood; without a number there is none."""
    assert version == version_in(line)


def test_accepted_binary_on_path_is_used(workshop: Workshop) -> None:
    """An installed Prometheus of a good version needs no build."""
    path = workshop.install_engine("prometheus", "prometheus, version 3.9.1 (branch: HEAD)")

    assert path == locate("prometheus")
    assert (status_of("prometheus").found[0].origin, status_of("prometheus").found[0].version) == ("PATH", "3.9.1")
    assert status_of("prometheus").missing == ("promtool",)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("prometheus, version 2.42.0+ds", "is 2.42.0; wanted: 3.5.0 or newer, below 4.0.0"),
        ("prometheus, version 4.0.0", "is 4.0.0; wanted: 3.5.0 or newer, below 4.0.0"),
        ("no idea", "does not say its version; wanted: 3.5.0 or newer, below 4.0.0"),
    ],
)
def test_other_version_on_path_is_refused(workshop: Workshop, said: str, reason: str) -> None:
    """Too old, too new or unknown: not used, and the status says why."""
    path = workshop.install_engine("prometheus", said)

    assert locate("prometheus") is None
    assert (f"{path} {reason}",) == status_of("prometheus").notes


def test_broken_binary_on_path_is_refused(workshop: Workshop) -> None:
    """A program that fails when asked says no version, whatever it prints."""
    workshop.install("amtool", "#!/bin/sh\necho amtool, version 0.31.1\nexit 1\n")

    assert locate("amtool") is None


def test_collector_needs_its_components(workshop: Workshop) -> None:
    """A Collector of a good version without a component that the configuration uses is refused, by the component's name."""
    path = workshop.install_engine("otelcol", "otelcol version 0.155.0", COMPONENTS.replace("span_metrics", "other"))

    assert locate("otelcol") is None
    assert (f"{path} lacks the components span_metrics",) == status_of("collector").notes


def test_other_name_on_path_is_used(workshop: Workshop) -> None:
    """The contrib distribution serves as Collector, behind a core one that does not."""
    workshop.install_engine("otelcol", "otelcol version 0.155.0", "")
    path = workshop.install_engine("otelcol-contrib", "otelcol-contrib version 0.156.0", COMPONENTS)

    assert path == locate("otelcol")


def test_unknown_binary_is_named(workshop: Workshop) -> None:
    """A name that no engine makes is an error that lists those there are."""
    with pytest.raises(EngineError, match=r"no engine makes 'prometeus'; known: alertmanager, amtool, otelcol, prom"):
        locate("prometeus")


def test_status_of_nothing(workshop: Workshop) -> None:
    """On a bare machine all is missing, and each engine says what it would be built from."""
    assert all(not one.found and not one.notes and not one.complete for one in status())
    assert status_of("toxiproxy").module == "github.com/Shopify/toxiproxy/v2@v2.12.0"


def test_status_of_a_built_and_a_damaged_engine(workshop: Workshop) -> None:
    """A built engine is complete; once damaged it counts as missing, with a note."""
    workshop.install_go()
    path = ensure(["toxiproxy"])["toxiproxy"]
    assert status_of("toxiproxy").complete
    assert status_of("toxiproxy").found[0].origin == "cache"

    path.write_text("damaged")
    assert status_of("toxiproxy").missing == ("toxiproxy",)
    assert (f"{path} is not what was built (size or checksum): it will be built again",) == status_of("toxiproxy").notes
