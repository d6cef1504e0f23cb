"""Evidence: which panel shows what an alert looks at, so that a notification leads straight to it."""

from collections.abc import Callable, Sequence

from stack.dashboards.boards import application, boards, pipeline, slo
from stack.dashboards.layout import panel_id
from stack.slo.grafana_rule import PanelRef
from stack.slo.model import Alert, Slo


def panel_of(slos: Sequence[Slo]) -> Callable[[Slo, Alert], PanelRef]:
    """A look-up of the panel of any alert of these levels."""
    found = {board.uid: board for board in boards(slos)}

    def look_up(level: Slo, alert: Alert) -> PanelRef:
        uid, title = _place(level, alert)
        return PanelRef(dashboard=uid, panel=panel_id(found[uid], title))

    return look_up


def anomaly_panel() -> PanelRef:
    """The panel of the detector's scores."""
    board = pipeline.board()
    return PanelRef(dashboard=board.uid, panel=panel_id(board, pipeline.ANOMALY_SCORE))


def requests_panel(slos: Sequence[Slo]) -> PanelRef:
    """The panel of what every service answers."""
    board = application.board(slos)
    return PanelRef(dashboard=board.uid, panel=panel_id(board, application.REQUESTS_BY_SERVICE))


def _place(level: Slo, alert: Alert) -> tuple[str, str]:
    match alert.kind:
        case "burn-rate":
            return "slo", slo.burn_title(level, alert)
        case "error-ratio":
            return "application", application.ERRORS_BY_SERVICE
        case "latency-quantile":
            return "application", application.P95_BY_SERVICE
        case "absent":
            return "application", application.REQUESTS_BY_SERVICE
