"""Values of many series at many moments, read fast from the JSON of a range query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic_core import from_json

from detector.kinds import Floats

Labels = tuple[tuple[str, str], ...]
START, END = b'"values":[[', b"]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Values of many series (columns) at many moments (rows), NaN where there is none."""

    at_s: Floats
    labels: tuple[Labels, ...]
    values: Floats


def identity(metric: Mapping[str, str]) -> Labels:
    """The labels of a series without the name of its metric, in order."""
    return tuple(sorted((name, value) for name, value in metric.items() if name != "__name__"))


def without_points(content: bytes) -> tuple[Any, list[Floats]]:
    """
    A range answer as plain data in which `[[n]]` stands for the points of a series, and these as (moment, value) rows.

    Nearly all of such an answer is numbers; taking them out first makes reading it several times faster. A quote in
    a label's value is escaped in JSON, so that nothing but the key itself can look like it. Where an answer is spaced
    in another way nothing is taken out, and it is only slower.
    """
    rest: list[bytes] = []
    points: list[Floats] = []
    position = 0
    while (found := content.find(START, position)) >= 0:
        end = content.index(END, found)
        rest.append(content[position : found + len(START)] + str(len(points)).encode())
        points.append(numbers(content[found + len(START) : end]).reshape(-1, 2))
        position = end
    rest.append(content[position:])
    return from_json(b"".join(rest)), points


def numbers(written: bytes) -> Floats:
    """The numbers in `1795000000,"0.5"],[1795000015,"+Inf"`, as flat JSON, which is read several times faster."""
    flat = written.translate(None, b'[]"+').replace(b"Inf", b"Infinity")
    return np.array(from_json(b"[" + flat + b"]"), dtype=np.float64)


def table(rows: list[dict[str, Any]], points: list[Floats], moments: Floats) -> Matrix:
    """The points of each series in their rows; a series that has only histograms stays empty."""
    step_s = float(moments[1] - moments[0]) if len(moments) > 1 else 1.0
    values = np.full((len(moments), len(rows)), np.nan)
    for column, row in enumerate(rows):
        if written := row.get("values"):
            mine = points[written[0][0]] if len(written[0]) == 1 else np.array(written, dtype=np.float64)
            values[np.rint((mine[:, 0] - moments[0]) / step_s).astype(np.int64), column] = mine[:, 1]
    return Matrix(at_s=moments, labels=tuple(identity(row["metric"]) for row in rows), values=values)


def joined(pieces: list[Matrix]) -> Matrix:
    """Pieces of one range, one after the other; a series that is not in all pieces is NaN in the others."""
    if len(pieces) == 1:
        return pieces[0]
    labels = tuple(dict.fromkeys(label for piece in pieces for label in piece.labels))
    place = {label: at for at, label in enumerate(labels)}
    parts = []
    for piece in pieces:
        part = np.full((len(piece.at_s), len(labels)), np.nan)
        part[:, [place[label] for label in piece.labels]] = piece.values
        parts.append(part)
    at_s = np.concatenate([piece.at_s for piece in pieces]) if pieces else np.zeros(0)
    return Matrix(at_s=at_s, labels=labels, values=np.concatenate(parts) if parts else np.zeros((0, 0)))
