"""The write-ahead log: what was flushed is read back, a torn end costs only itself, and the disk is bounded."""

import io
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from typing_extensions import Buffer

from stack.standins.tempo.spans import Batch, Span
from stack.standins.tempo.wal import SEGMENTS, Wal
from tests.unit.stack.standins.tempo.made import span

PLENTY = 2**20


def of(number: int, *, text: str = "x") -> Sequence[Span]:
    """The spans of one trace, as they were encoded when they came."""
    trace = number.to_bytes(16, "big")
    made = span(number, attributes={"text": text})
    return [span(number, attributes={"text": text}, encoded=b"\x0a\x10" + trace + made.encoded)]


def ids(batches: Iterable[Batch]) -> list[int]:
    """Which traces are in the batches, in their order."""
    return [int.from_bytes(trace_id, "big") for batch in batches for trace_id in batch.traces]


def test_what_was_appended_is_read_back_by_the_next_one(tmp_path: Path) -> None:
    """
    The traces come back in order, with all that their spans hold.
    """
    first = Wal(tmp_path, PLENTY)
    first.append([of(1), of(2)])
    first.append([of(3, text="hello")])
    first.close()

    batches = list(Wal(tmp_path, PLENTY).replay())

    assert ids(batches) == [1, 2, 3]
    (last,) = batches[2].traces.values()
    assert last[0].attributes == {"text": "hello"}
    assert last[0].resource.service == "shop"


def test_nothing_to_keep_makes_no_file(tmp_path: Path) -> None:
    """
    A flush without spans leaves the folder empty.
    """
    wal = Wal(tmp_path, PLENTY)
    wal.append([])
    wal.append([[]])

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lost", [1, 2, 30])
def test_a_torn_end_costs_only_its_record(tmp_path: Path, lost: int, caplog: pytest.LogCaptureFixture) -> None:
    """
    What a crash cut short is left out and named, and what was kept before it, or is kept after it, is not.
    """
    torn = Wal(tmp_path, PLENTY)
    torn.append([of(1)])
    torn.append([of(2)])
    torn.close()
    (segment,) = tmp_path.iterdir()
    os.truncate(segment, segment.stat().st_size - lost)

    after = Wal(tmp_path, PLENTY)
    with caplog.at_level(logging.WARNING):
        assert ids(after.replay()) == [1]
    after.append([of(3)])
    after.close()

    assert "00000001.wal" in caplog.text
    assert "cut short" in caplog.text
    assert ids(Wal(tmp_path, PLENTY).replay()) == [1, 3]


def test_a_record_that_is_no_otlp_ends_its_segment(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    Nothing after it can be trusted; the reason is named.
    """
    (tmp_path / "00000001.wal").write_bytes(b"\x00\x00\x00\x02\xff\xff")

    with caplog.at_level(logging.WARNING):
        assert ids(Wal(tmp_path, PLENTY).replay()) == []

    assert "no OTLP" in caplog.text


def test_the_oldest_segment_goes_when_the_bytes_are_used_up(tmp_path: Path) -> None:
    """
    However much is kept, there are no more than so many segments, and the newest traces are in them.
    """
    wal = Wal(tmp_path, max_bytes=SEGMENTS * 200)
    for number in range(1, 101):
        wal.append([of(number)])
    wal.close()

    kept = ids(Wal(tmp_path, PLENTY).replay())
    assert len(list(tmp_path.iterdir())) == SEGMENTS
    assert kept == list(range(101 - len(kept), 101))
    assert SEGMENTS <= len(kept) < 100


class NearlyFull(io.FileIO):
    """A file on a disk that takes three more bytes of each write."""

    def write(self, data: Buffer, /) -> int:
        """A part of it."""
        return super().write(bytes(data)[:3])


def test_a_full_disk_is_told_once_and_tears_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    What cannot be kept is lost, what was kept stays readable, and later traces are kept again.
    """
    wal = Wal(tmp_path, PLENTY)
    wal.append([of(1)])
    with NearlyFull(tmp_path / "00000001.wal", "ab") as file, monkeypatch.context() as full:
        full.setattr(wal, "_file", file)
        wal.append([of(2)])
        wal.append([of(3)])
    wal.append([of(4)])
    wal.close()

    assert caplog.text.count("cannot write the WAL") == 1
    assert ids(Wal(tmp_path, PLENTY).replay()) == [1, 4]
