"""Layout: where each panel of a dashboard stands, and the number by which links find it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stack.dashboards.panel import Board, Panel, Row

COLUMNS = 24
IDS_PER_ROW = 100
"""Ids are counted within each row, so that a panel added to one does not renumber those of the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A row's heading or a panel, with its id and its upper left corner."""

    item: Row | Panel
    id: int
    x: int
    y: int


def placed(board: Board) -> Iterator[Placed]:
    """Headings and panels in reading order, without overlap."""
    y = 0
    for number, row in enumerate(board.rows, start=1):
        yield Placed(item=row, id=number * IDS_PER_ROW, x=0, y=y)
        y += 1
        panel_id = number * IDS_PER_ROW
        for line in _lines(row.panels):
            x = 0
            for panel in line:
                panel_id += 1
                yield Placed(item=panel, id=panel_id, x=x, y=y)
                x += panel.width
            y += max(panel.height for panel in line)


def panel_id(board: Board, title: str) -> int:
    """
    The id of the panel with this title. Raises KeyError, with the titles that there are, if it has none.
    """
    ids = {one.item.title: one.id for one in placed(board) if isinstance(one.item, Panel)}
    if title not in ids:
        raise KeyError(f"dashboard {board.uid!r} has no panel {title!r}; it has {', '.join(map(repr, ids))}")
    return ids[title]


def _lines(panels: Sequence[Panel]) -> Iterator[Sequence[Panel]]:
    line: list[Panel] = []
    for panel in panels:
        if sum(other.width for other in line) + panel.width > COLUMNS:
            yield line
            line = []
        line.append(panel)
    if line:
        yield line
