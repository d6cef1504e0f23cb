"""Server-side expressions compute what Grafana's do."""

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.standins.grafana.expressions.math import parse_math
from stack.standins.grafana.expressions.reading import read_command
from stack.standins.grafana.expressions.threshold import Threshold
from stack.standins.grafana.expressions.values import ExpressionError, Values
from stack.standins.grafana.labels import fingerprint
from tests.unit.stack.standins.grafana.made import numbers, series

NAN = math.nan


def only(values: Values) -> float | None:
    """The value of the only number."""
    (number,) = values.numbers()
    return number.value


def same(left: float | None, right: float | None) -> bool:
    """Equal, NaN to NaN too."""
    return left == right or (left is not None and right is not None and math.isnan(left) and math.isnan(right))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("7 % 4 - 1", 2),
        ("10 / 4", 2.5),
        ("1 / 0", math.inf),
        ("0 / 0", NAN),
        ("1 < 2 && 2 >= 2", 1),
        ("1 > 2 || !0", 1),
        ("!3", 0),
        ("1 == 1.0", 1),
        ("nan() > 1", NAN),
        ("is_nan(0 / 0)", 1),
        ("is_null(null())", 1),
        ("is_number(inf())", 0),
        ("is_inf(inf())", 1),
        ("abs(-3) + round(2.5) + ceil(1.2) + floor(1.8)", 9),
        ("round(-2.5)", -3),
        ("log(1)", 0),
        ("log(0)", -math.inf),
        ("null() + 1", None),
        ("0x10 + 1e1", 26),
        ("$A * 2", 8),
        ("${A} > 3", 1),
    ],
)
def test_math_computes(text: str, expected: float | None) -> None:
    """
    Operators bind and special values behave as in Grafana.
    """
    assert same(expected, only(parse_math("B", text).apply({"A": numbers(4.0)})))


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.sampled_from(["+", "-", "*", "<", "==", "&&", "||"]))
def test_math_agrees_with_python(left: int, right: int, operator: str) -> None:
    """
    For whole numbers each operator gives what Python's gives.
    """
    python = {"&&": "and", "||": "or"}.get(operator, operator)
    expected = eval(f"(({left}) {python} ({right}))")
    expected = bool(expected) if operator in ("&&", "||") else expected

    assert float(expected) == only(parse_math("B", f"({left}) {operator} ({right})").apply({}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 +", "not understood at column"),
        ("$A > > 1", "not understood at column 6: '> 1'"),
        ("sqrt(4)", "function 'sqrt' is unknown or not supported; known: abs, ceil, floor"),
        ("abs(1, 2)", "abs takes 1 argument(s), found 2"),
        ("nan(1)", "nan takes 0 argument(s), found 1"),
    ],
)
def test_a_math_mistake_is_named(text: str, words: str) -> None:
    """
    With the expression, the place and what is known.
    """
    with pytest.raises(ExpressionError) as caught:
        parse_math("B", text)

    assert words in str(caught.value)
    assert text in str(caught.value)


def test_math_joins_by_labels() -> None:
    """
    Items with equal labels belong together; those of one side only are left out.
    """
    left, right = numbers(1, 2, 3), numbers(10, 20)

    found = parse_math("C", "$A + $B").apply({"A": left, "B": right}).numbers()

    assert [(number.value, number.labels) for number in found] == [(11, {"n": "0"}), (22, {"n": "1"})]


def test_math_joins_a_number_without_labels_with_each() -> None:
    """
    Labels inside those of the other match, and the result has the more specific ones.
    """
    found = parse_math("C", "$A / $B").apply({"A": numbers(2, 4), "B": numbers(2)}).numbers()

    assert [(number.value, number.labels["n"]) for number in found] == [(1, "0"), (2, "1")]


def test_math_joins_series_by_time() -> None:
    """
    Two series yield a series of the times that both have; with a number, each value is taken.
    """
    found = parse_math("C", "($A - $B) * $D").apply({"A": series(5, 7, 9), "B": series(1, 2), "D": numbers(10)})

    assert list(found.items[0].values) == [40, 50]  # type: ignore[union-attr]


def test_no_data_in_any_input_is_no_data() -> None:
    """
    So a rule on it has no data, rather than being normal.
    """
    assert parse_math("C", "$A > 1 || $B > 1").apply({"A": numbers(2), "B": Values()}).empty


@pytest.mark.parametrize(
    ("reducer", "mode", "values", "expected"),
    [
        ("last", "", [1, 2, 3], 3),
        ("mean", "", [1, 2, 3], 2),
        ("min", "", [3, 1, 2], 1),
        ("max", "", [3, 1, 2], 3),
        ("sum", "", [1, 2, 3], 6),
        ("median", "", [1, 10, 3, 4], 3.5),
        ("count", "", [1, NAN, None], 3),
        ("count", "dropNN", [1, NAN, None], 1),
        ("mean", "", [1, NAN], NAN),
        ("last", "dropNN", [1, 2, NAN], 2),
        ("last", "", [1, NAN], NAN),
        ("sum", "dropNN", [NAN, None], None),
        ("sum", "replaceNN", [NAN, 1, math.inf], 11),
        ("mean", "", [], NAN),
    ],
)
def test_reduce(reducer: str, mode: str, values: list[float | None], expected: float | None) -> None:
    """
    Each reducer, in the strict mode, without values that are no numbers, and with others in their place.
    """
    settings = {"mode": mode, "replaceWithValue": 5}
    command = read_command("B", {"type": "reduce", "expression": "A", "reducer": reducer, "settings": settings})

    assert same(expected, only(command.apply({"A": series(*values)})))


def test_reducing_a_number_is_told_to_be_needless() -> None:
    """
    The value passes, with Grafana's notice.
    """
    command = read_command("B", {"type": "reduce", "expression": "$A", "reducer": "last"})

    found = command.apply({"A": numbers(3)})

    assert only(found) == 3
    assert list(found.notices) == [
        "Reduce operation is not needed. Input query or expression A is already reduced data."
    ]


def threshold(kind: str, *params: float, unload: tuple[str, float] | None = None) -> Any:
    """A threshold on A."""
    condition: dict[str, Any] = {"evaluator": {"type": kind, "params": list(params)}}
    if unload:
        condition["unloadEvaluator"] = {"type": unload[0], "params": [unload[1]]}
    return read_command("C", {"type": "threshold", "expression": "A", "conditions": [condition]})


@pytest.mark.parametrize(
    ("kind", "params", "inside", "outside"),
    [
        ("gt", [1], 2, 1),
        ("lt", [1], 0, 1),
        ("eq", [1], 1, 2),
        ("ne", [1], 2, 1),
        ("gte", [1], 1, 0),
        ("lte", [1], 1, 2),
        ("within_range", [1, 3], 2, 1),
        ("outside_range", [1, 3], 4, 3),
        ("within_range_included", [1, 3], 1, 4),
        ("outside_range_included", [1, 3], 3, 2),
    ],
)
def test_threshold(kind: str, params: list[float], inside: float, outside: float) -> None:
    """
    One on the wrong side, zero on the right one; null and NaN stay what they are.
    """
    command = threshold(kind, *params)

    assert [only(command.apply({"A": numbers(value)})) for value in (inside, outside)] == [1, 0]
    assert only(command.apply({"A": numbers(None)})) is None
    assert same(NAN, only(command.apply({"A": numbers(NAN)})))


def test_an_active_instance_is_held_against_the_unload_threshold() -> None:
    """
    Above 10 fires, and stays until it is below 5; another instance at the same value is not affected.
    """
    command = threshold("gt", 10, unload=("lt", 5))
    assert isinstance(command, Threshold)
    seven = numbers(7, 7)
    active = command.with_active([fingerprint({"n": "0"})])

    assert [number.value for number in active.apply({"A": seven}).numbers()] == [1, 0]
    assert only(command.with_active([fingerprint({})]).apply({"A": numbers(4)})) == 0


def test_a_threshold_on_a_series_is_refused() -> None:
    """
    As Grafana does: only reduced data can be alerted on.
    """
    with pytest.raises(ExpressionError, match="only reduced data can be alerted on: reduce A"):
        threshold("gt", 1).apply({"A": series(1, 2)})


def classic(*rows: tuple[str, str, str, float, str]) -> Any:
    """Classic conditions: query, reducer, evaluator, parameter, operator."""
    conditions = [
        {
            "evaluator": {"type": kind, "params": [param]},
            "operator": {"type": operator},
            "query": {"params": [ref]},
            "reducer": {"type": reducer, "params": []},
        }
        for ref, reducer, kind, param, operator in rows
    ]
    return read_command("C", {"type": "classic_conditions", "conditions": conditions})


def test_classic_conditions_join_from_the_left() -> None:
    """
    One number for all series; and/or are taken in order; the matching series are told.
    """
    inputs = {"A": series(1, 5), "B": series(2, 2)}
    both = classic(("A", "last", "gt", 4, "and"), ("B", "avg", "gt", 4, "and"))
    either = classic(("A", "max", "gt", 9, "and"), ("B", "sum", "gt", 3, "or"))

    assert [only(command.apply(inputs)) for command in (both, either)] == [0, 1]
    assert either.apply(inputs).matches[0]["value"] == 4


def test_classic_conditions_without_any_data_have_no_verdict() -> None:
    """
    Null, which a rule takes for no data; `no_value` fires instead.
    """
    assert only(classic(("A", "last", "gt", 1, "and")).apply({"A": Values()})) is None
    assert only(classic(("A", "last", "no_value", 0, "and")).apply({"A": Values()})) == 1


def test_resample_fills_a_grid() -> None:
    """
    Values inside a window are reduced; a window without any is padded, filled from the next, or null.
    """
    sparse = series(1, 3, step_ms=4000)
    found = {}
    for up in ("pad", "backfilling", "fillna"):
        model = {"type": "resample", "expression": "A", "window": "2s", "downsampler": "mean", "upsampler": up}
        found[up] = list(read_command("B", model).apply({"A": sparse}).items[0].values)  # type: ignore[union-attr]

    assert found == {"pad": [1, 1, 3], "backfilling": [1, 3, 3], "fillna": [1, None, 3]}


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"type": "sql"}, "expression type 'sql' is not supported by the stand-in; known: reduce, math, threshold"),
        (
            {"type": "reduce", "expression": "A", "reducer": "p99"},
            "reducer 'p99' is unknown or not supported; known: 'last'",
        ),
        ({"type": "reduce", "reducer": "last"}, "expression must be a text, found None"),
        (
            {"type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "drop"}},
            "settings.mode 'drop' is unknown",
        ),
        (
            {"type": "threshold", "expression": "A", "conditions": []},
            "conditions must be a list with at least one entry",
        ),
        (
            {"type": "threshold", "expression": "A", "conditions": [{"evaluator": {"type": "above", "params": [1]}}]},
            "evaluator.type 'above' is unknown",
        ),
        (
            {
                "type": "threshold",
                "expression": "A",
                "conditions": [{"evaluator": {"type": "within_range", "params": [1]}}],
            },
            "evaluator 'within_range' needs 2 number(s) in params, found [1]",
        ),
        (
            {"type": "classic_conditions", "conditions": [{"evaluator": {"type": "gt", "params": [1]}, "query": {}}]},
            "a classic condition needs query.params with a refId",
        ),
        (
            {"type": "resample", "expression": "A", "window": "soon", "downsampler": "mean", "upsampler": "pad"},
            'window: not a valid duration string: "soon"',
        ),
        (
            {"type": "resample", "expression": "A", "window": "1s", "downsampler": "p50", "upsampler": "pad"},
            "downsampler 'p50' is unknown",
        ),
    ],
)
def test_what_is_not_supported_is_refused_by_name(model: Mapping[str, object], words: str) -> None:
    """
    With what was found and what is known.
    """
    with pytest.raises(ExpressionError) as caught:
        read_command("B", model)

    assert words in str(caught.value)
