"""Which items of two operands belong together, by their labels, and one operation over each pair."""

from collections.abc import Callable, Iterator, Sequence

from stack.standins.grafana.expressions.values import ExpressionError, Number, Series, Value
from stack.standins.grafana.labels import Labels, covers

Operand = list[Value] | float | None
One = Callable[[float | None], float | None]
Two = Callable[[float, float], float]


def unary(apply: One, operand: Operand) -> Operand:
    """
    One operation on each value.
    """
    if not isinstance(operand, list):
        return apply(operand)
    return [_mapped(apply, item) for item in operand]


def binary(apply: Two, left: Operand, right: Operand) -> Operand:
    """
    One operation on each pair of values; null with anything is null.
    """

    def both(first: float | None, second: float | None) -> float | None:
        return None if first is None or second is None else apply(first, second)

    if not isinstance(left, list):
        return unary(lambda value: both(left, value), right)
    if not isinstance(right, list):
        return unary(lambda value: both(value, right), left)
    return [_combined(both, labels, one, two) for labels, one, two in _pairs(left, right)]


def _pairs(left: Sequence[Value], right: Sequence[Value]) -> Iterator[tuple[Labels, Value, Value]]:
    # As Grafana: items with equal labels, or with the labels of one inside those of the other; two lone items always.
    found = False
    for one in left:
        for two in right:
            if covers(one.labels, two.labels) or covers(two.labels, one.labels):
                found = True
                yield max(one.labels, two.labels, key=len), one, two
    if not found and len(left) == len(right) == 1:
        yield {}, left[0], right[0]


def _mapped(apply: One, item: Value) -> Value:
    if isinstance(item, Number):
        return Number(labels=item.labels, value=apply(item.value))
    return Series(labels=item.labels, times_ms=item.times_ms, values=[apply(value) for value in item.values])


def _combined(
    both: Callable[[float | None, float | None], float | None], labels: Labels, one: Value, two: Value
) -> Value:
    if isinstance(one, Number) and isinstance(two, Number):
        return Number(labels=labels, value=both(one.value, two.value))
    if isinstance(one, Series) and isinstance(two, Series):
        return _joined(both, labels, one, two)
    if isinstance(one, Series) and isinstance(two, Number):
        return Series(labels=labels, times_ms=one.times_ms, values=[both(value, two.value) for value in one.values])
    if isinstance(one, Number) and isinstance(two, Series):
        return Series(labels=labels, times_ms=two.times_ms, values=[both(one.value, value) for value in two.values])
    raise ExpressionError("operands that cannot be joined")


def _joined(
    both: Callable[[float | None, float | None], float | None], labels: Labels, one: Series, two: Series
) -> Series:
    at = dict(zip(two.times_ms, two.values, strict=True))
    rows = [(time, value, at[time]) for time, value in zip(one.times_ms, one.values, strict=True) if time in at]
    return Series(labels=labels, times_ms=[row[0] for row in rows], values=[both(row[1], row[2]) for row in rows])
