"""Layout: panels stand beside and below each other, never on each other."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.dashboards.layout import COLUMNS, IDS_PER_ROW, Placed, panel_id, placed
from stack.dashboards.panel import Board, Panel, Row

_panels = st.lists(st.tuples(st.integers(1, COLUMNS), st.integers(1, 20)), min_size=1, max_size=12)


def board(*rows: list[tuple[int, int]]) -> Board:
    """A dashboard whose panels have these widths and heights."""
    made = [
        Row(
            title=f"row {number}",
            panels=[
                Panel(title=f"{number}.{index}", description="d", queries=[], width=width, height=height)
                for index, (width, height) in enumerate(sizes)
            ],
        )
        for number, sizes in enumerate(rows)
    ]
    return Board(uid="b", title="B", description="d", rows=made)


def cells(one: Placed) -> set[tuple[int, int]]:
    """The squares of the grid that something takes."""
    width, height = (one.item.width, one.item.height) if isinstance(one.item, Panel) else (COLUMNS, 1)
    return {(one.x + x, one.y + y) for x in range(width) for y in range(height)}


@given(st.lists(_panels, min_size=1, max_size=4))
def test_nothing_overlaps_or_leaves_the_page(rows: list[list[tuple[int, int]]]) -> None:
    """
    Whatever the sizes, each square holds at most one panel, and no panel is wider than what is left of its line.
    """
    found = list(placed(board(*rows)))
    for one, other in combinations(found, 2):
        assert not cells(one) & cells(other)
    assert all(0 <= x < COLUMNS for one in found for x, _ in cells(one))


@given(st.lists(_panels, min_size=1, max_size=4))
def test_ids_are_unique(rows: list[list[tuple[int, int]]]) -> None:
    """
    Headings have ids, too, and Grafana wants all of them to differ.
    """
    ids = [one.id for one in placed(board(*rows))]
    assert len(ids) == len(set(ids))


def test_a_panel_added_to_one_row_keeps_the_ids_of_the_next() -> None:
    """
    Links in notifications that were sent yesterday still lead to the same panel.
    """
    small, large = board([(8, 8)], [(8, 8)]), board([(8, 8), (8, 8)], [(8, 8)])
    assert panel_id(small, "1.0") == panel_id(large, "1.0") == 2 * IDS_PER_ROW + 1


def test_an_unknown_panel_is_named_with_those_that_there_are() -> None:
    """
    A renamed panel must not leave an alert with a link to nowhere.
    """
    with pytest.raises(KeyError, match=r"dashboard 'b' has no panel 'x'; it has '0\.0', '0\.1'"):
        panel_id(board([(8, 8), (8, 8)]), "x")
