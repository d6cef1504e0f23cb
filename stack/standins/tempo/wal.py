"""The write-ahead log: the traces that were flushed, on disk, so that a restart finds them again.

A folder of segments, each a row of records: four bytes of length, then an OTLP request. Like Tempo's, it takes spans when they
become searchable, so those that came in the last moments before a crash are lost, and those before a stop are not.
"""

import logging
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from stack.standins.tempo.otlp import BadRequest, read_protobuf
from stack.standins.tempo.spans import Batch, Span
from stack.standins.tempo.wire import export_request

SEGMENTS = 8
"""The log's bytes are spread over so many segments; when they are used up, the oldest one goes."""

_LENGTH = struct.Struct(">I")
log = logging.getLogger("tempo")


class Wal:
    """
    Not thread-safe: one thread appends. A disk that is full costs what cannot be kept, and is told once.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._segment_bytes = max(1, max_bytes // SEGMENTS)
        self._file: BinaryIO | None = None
        self._told = False

    def replay(self) -> Iterator[Batch]:
        """
        What was kept, in the order in which it was flushed; a record that a crash tore ends its segment.
        """
        for segment in self._segments():
            yield from _records(segment)

    def append(self, traces: Sequence[Sequence[Span]]) -> None:
        """
        Keep the spans of some traces.
        """
        records = [_record(spans) for spans in traces if spans]
        if not records:
            return
        try:
            self._write(b"".join(records))
        except OSError as error:
            if not self._told:
                log.error('msg="cannot write the WAL: a restart will have lost traces" error="%s"', error)
            self._told = True

    def close(self) -> None:
        """
        Close the segment that is written.
        """
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, data: bytes) -> None:
        file = self._segment()
        whole = file.tell()
        if file.write(data) < len(data):
            # A disk that is nearly full takes a part, after which nothing could be read.
            file.seek(file.truncate(whole))
            raise OSError("no space left")

    def _segment(self) -> BinaryIO:
        """The segment to write to: a new one for each run, so that what a crash tore stays behind, and when one is full."""
        if self._file is not None and self._file.tell() >= self._segment_bytes:
            self.close()
        if self._file is None:
            segments = self._segments()
            for old in segments[: max(0, len(segments) - SEGMENTS + 1)]:
                old.unlink(missing_ok=True)
            number = int(segments[-1].stem) + 1 if segments else 1
            self._file = (self._folder / f"{number:08}.wal").open("ab", buffering=0)
        return self._file

    def _segments(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*.wal") if path.stem.isdecimal())


def _record(spans: Sequence[Span]) -> bytes:
    body = export_request(spans)
    return _LENGTH.pack(len(body)) + body


def _records(segment: Path) -> Iterator[Batch]:
    with segment.open("rb") as file:
        while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
            (length,) = _LENGTH.unpack(head)
            body = file.read(length)
            try:
                if len(body) < length:
                    raise BadRequest("it is cut short")
                yield read_protobuf(body)
            except BadRequest as error:
                log.warning('msg="the WAL ends early" segment=%s reason="%s"', segment.name, error)
                return
