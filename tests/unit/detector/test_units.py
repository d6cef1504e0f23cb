"""Units: what people may write, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from detector.backtest import moment
from detector.kinds import Kind
from detector.units import address, season, seconds, share, web_url
from detector.verdict import amount


@pytest.mark.parametrize(
    ("written", "value"), [("90s", 90.0), ("500ms", 0.5), ("1h30m", 5400.0), ("1.5m", 90.0), ("1w", 604800.0)]
)
def test_durations(written: str, value: float) -> None:
    """A number and its unit, or several."""
    assert seconds(written) == pytest.approx(value)


@pytest.mark.parametrize(("written", "value"), [("30%", 0.3), ("0.5 %", 0.005), (0.2, 0.2), (1, 1.0)])
def test_shares(written: Any, value: float) -> None:
    """A percentage or a number."""
    assert share(written) == pytest.approx(value)


def test_addresses_and_urls() -> None:
    """Host and port; http addresses lose their last slash."""
    assert address("127.0.0.1:9099") == ("127.0.0.1", 9099)
    assert address("[::1]:0") == ("::1", 0)
    assert web_url("http://127.0.0.1:9090/prom/") == "http://127.0.0.1:9090/prom"
    assert [season("auto"), season("none"), season("1h")] == ["auto", "none", 3600.0]


@pytest.mark.parametrize(
    ("read", "written"),
    [
        (seconds, 15), (seconds, "15"), (seconds, "s"), (seconds, "-5s"), (seconds, "5 s"), (seconds, None),
        (share, "thirty"), (share, True), (address, "9099"), (address, "host:99999"), (address, 9099),
        (web_url, "127.0.0.1:9090"), (web_url, "ftp://a"), (web_url, 5), (web_url, "http://me:secret@a"), (season, "often"),
        (moment, "yesterday"),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_is_allowed(read: Callable[[Any], Any], written: Any) -> None:
    """The message says what it must be, with an example, and never repeats a secret."""
    with pytest.raises(ValueError, match=r"must|no moment") as caught:
        read(written)
    assert "secret" not in str(caught.value)


def test_moments() -> None:
    """Seconds, or RFC 3339 with or without a zone."""
    assert moment("1795000000") == moment("2026-11-18T11:06:40Z") == moment("2026-11-18T11:06:40") == 1_795_000_000.0


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.LATENCY, 0.412, "412 ms"), (Kind.LATENCY, 2.5, "2.5 s"), (Kind.TRAFFIC, 51.23, "51.2/s"),
        (Kind.ERRORS, 0.0123, "1.23 %"), (Kind.GAUGE, 1234.5, "1234.5"), (Kind.GAUGE, float("nan"), "nothing"),
    ],
)  # fmt: skip
def test_amounts_are_written_as_people_write_them(kind: Kind, value: float, text: str) -> None:
    """Each kind has its unit."""
    assert amount(kind, value) == text
