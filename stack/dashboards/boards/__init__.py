"""Boards: the dashboards' contents, one module each."""

from collections.abc import Sequence

from stack.dashboards.boards import application, drill, pipeline, slo, traces
from stack.dashboards.panel import Board
from stack.slo.model import Slo


def boards(slos: Sequence[Slo]) -> Sequence[Board]:
    """All dashboards for some service levels, in the order in which people read them."""
    return [slo.board(slos), application.board(slos), traces.board(slos), pipeline.board(), drill.board(slos)]
