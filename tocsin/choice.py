"""Choice: whether drills leave marks on Grafana's dashboards."""

from enum import StrEnum


class Choice(StrEnum):
    """What becomes of a drill's annotations: they stay, they go when its traffic has ended, or there are none."""

    KEEP = "keep"
    REMOVE = "remove"
    NONE = "none"
