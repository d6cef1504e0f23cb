"""What queries and expressions yield: numbers and series with labels; no items is no data."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stack.standins.grafana.labels import Labels


class ExpressionError(ValueError):
    """An expression that cannot be computed from its input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One value; None is Grafana's null."""

    labels: Labels
    value: float | None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values over time; times in milliseconds since the epoch."""

    labels: Labels
    times_ms: Sequence[int]
    values: Sequence[float | None]
    name: str = ""


Value = Number | Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The result of one query or expression."""

    items: Sequence[Value] = ()
    notices: Sequence[str] = ()
    matches: Sequence[dict[str, object]] | None = field(default=None)

    @property
    def empty(self) -> bool:
        """
        Whether there is no data.
        """
        return not self.items

    def numbers(self) -> Sequence[Number]:
        """
        The items that are single values.
        """
        return [item for item in self.items if isinstance(item, Number)]
