"""Lark's parse tree of a TraceQL query into syntax nodes."""

import ast
from typing import Any

from lark import Token, Transformer, v_args

from stack.standins.tempo.durations import parse_duration
from stack.standins.tempo.traceql.errors import QueryError, unsupported
from stack.standins.tempo.traceql.syntax import (
    Aggregate,
    Attribute,
    Binary,
    Coalesce,
    Field,
    Filter,
    Group,
    Intrinsic,
    Keyword,
    Metric,
    Pipeline,
    Query,
    Ranking,
    Scalar,
    ScalarFilter,
    ScalarOperation,
    Select,
    Spanset,
    SpansetOperation,
    Stage,
    Static,
    Type,
    Unary,
)

INTRINSICS = {
    "duration": ("duration", Type.DURATION),
    "span:duration": ("duration", Type.DURATION),
    "name": ("name", Type.STRING),
    "span:name": ("name", Type.STRING),
    "status": ("status", Type.STATUS),
    "span:status": ("status", Type.STATUS),
    "statusMessage": ("statusMessage", Type.STRING),
    "span:statusMessage": ("statusMessage", Type.STRING),
    "kind": ("kind", Type.KIND),
    "span:kind": ("kind", Type.KIND),
    "span:id": ("span:id", Type.STRING),
    "span:parentID": ("span:parentID", Type.STRING),
    "span:childCount": ("span:childCount", Type.INT),
    "traceDuration": ("traceDuration", Type.DURATION),
    "trace:duration": ("traceDuration", Type.DURATION),
    "rootName": ("rootName", Type.STRING),
    "trace:rootName": ("rootName", Type.STRING),
    "rootServiceName": ("rootServiceName", Type.STRING),
    "trace:rootService": ("rootServiceName", Type.STRING),
    "trace:id": ("trace:id", Type.STRING),
    "event:name": ("event:name", Type.STRING),
    "event:timeSinceStart": ("event:timeSinceStart", Type.DURATION),
    "link:spanID": ("link:spanID", Type.STRING),
    "link:traceID": ("link:traceID", Type.STRING),
    "instrumentation:name": ("instrumentation:name", Type.STRING),
    "instrumentation:version": ("instrumentation:version", Type.STRING),
    "nestedSetLeft": ("nestedSetLeft", Type.INT),
    "nestedSetRight": ("nestedSetRight", Type.INT),
    "nestedSetParent": ("nestedSetParent", Type.INT),
}
MAX_INTEGER = 2**63 - 1
MAX_DIGITS = 19
MAX_DURATION_TEXT = 100
HINTS = ("most_recent", "exemplars", "sample")


@v_args(inline=True)
class Builder(Transformer[Token, object]):
    """Lark's tree into syntax nodes, bottom up; the methods are named like the rules."""

    def query(self, pipeline: Pipeline, *rest: object) -> Query:
        metric = next((item for item in rest if isinstance(item, Metric)), None)
        hints = next((item for item in rest if isinstance(item, dict)), {})
        exemplars = hints.get("exemplars")
        if isinstance(exemplars, bool):
            exemplars = None if exemplars else 0
        return Query(
            pipeline=pipeline,
            metric=metric,
            most_recent=hints.get("most_recent") is True,
            exemplars=exemplars if isinstance(exemplars, int) else None,
        )

    def metrics_math(self, *_: object) -> Query:
        raise unsupported("arithmetic between metrics queries")

    def pipeline(self, first: Stage, last: Stage | None = None) -> Pipeline:
        if last is None:
            return Pipeline(stages=(first,))
        stages = first.stages if isinstance(first, Pipeline) else (first,)
        return Pipeline(stages=(*stages, last))

    def spanset_operation(self, left: Spanset, op: Token, right: Spanset) -> SpansetOperation:
        return SpansetOperation(op=str(op), left=left, right=right)

    def filter(self, condition: Field | None = None) -> Filter:
        return Filter(condition=condition or Static(type=Type.BOOL, value=True))

    def group(self, field: Field) -> Group:
        return Group(field=field)

    def coalesce(self) -> Coalesce:
        return Coalesce()

    def select(self, *fields: Field) -> Select:
        for field in fields:
            if not isinstance(field, Attribute | Intrinsic):
                raise QueryError(f"select() takes attributes and intrinsics, found: {field}")
        return Select(fields=fields)

    def scalar_filter(self, left: Scalar, op: Token, right: Scalar) -> ScalarFilter:
        return ScalarFilter(op=str(op), left=left, right=right)

    def scalar_operation(self, left: Scalar, op: Token, right: Scalar) -> ScalarOperation:
        return ScalarOperation(op=str(op), left=left, right=right)

    def count(self) -> Aggregate:
        return Aggregate(function="count", field=None)

    def aggregate(self, function: Token, field: Field) -> Aggregate:
        return Aggregate(function=str(function), field=field)

    def number(self, *tokens: Token) -> Static:
        literal = _literal(tokens[-1])
        if tokens[0] == "-" and isinstance(literal.value, int | float):
            return Static(type=literal.type, value=-literal.value)
        return literal

    def binary(self, left: Field, op: Token, right: Field) -> Binary:
        return Binary(op=str(op), left=left, right=right)

    def logic(self, first: Field, *rest: Any) -> Field:
        """A chain of `&&` and `||`, which bind equally and from the left."""
        condition = first
        for op, operand in zip(rest[::2], rest[1::2], strict=True):
            condition = Binary(op=str(op), left=condition, right=operand)
        return condition

    def unary(self, op: Token, operand: Field) -> Unary:
        return Unary(op=str(op), operand=operand)

    def static(self, token: Token) -> Static:
        return _literal(token)

    def intrinsic(self, token: Token) -> Intrinsic:
        text = str(token)
        if text not in INTRINSICS:
            raise unsupported(f"the intrinsic {text}")
        name, kind = INTRINSICS[text]
        return Intrinsic(name=name, type=kind, text=text)

    def attribute(self, token: Token) -> Attribute:
        scope, _, name = str(token).partition(".")
        if scope == "parent":
            raise unsupported("the scope parent.")
        return Attribute(scope=scope, name=_unquoted(name))

    def metric(self, function: Metric, *rest: object) -> Metric:
        by = next((item for item in rest if isinstance(item, tuple)), ())
        rankings = tuple(item for item in rest if isinstance(item, Ranking))
        return Metric(
            function=function.function, field=function.field, quantiles=function.quantiles, by=by, rankings=rankings
        )

    def plain_function(self, function: Token) -> Metric:
        return Metric(function=str(function), field=None, quantiles=(), by=(), rankings=())

    def field_function(self, function: Token, field: Field) -> Metric:
        return Metric(function=str(function), field=field, quantiles=(), by=(), rankings=())

    def quantile_function(self, field: Field, *quantiles: Static) -> Metric:
        values = tuple(_quantile(quantile) for quantile in quantiles)
        return Metric(function="quantile_over_time", field=field, quantiles=values, by=(), rankings=())

    def compare_function(self, *_: object) -> Metric:
        raise unsupported("compare()")

    def grouping(self, *fields: Field) -> tuple[Field, ...]:
        return fields

    def ranking(self, function: Token, count: Token) -> Ranking:
        return Ranking(function=str(function), count=_integer(str(count)))

    def threshold(self, op: Token, number: Static) -> Ranking:
        raise unsupported(f"the filter `{op} {number}` after a metrics function")

    def hints(self, *pairs: tuple[str, object]) -> dict[str, object]:
        return dict(pairs)

    def hint(self, name: Token, value: Static) -> tuple[str, object]:
        if name not in HINTS:
            raise unsupported(f"the hint {name}; known: {', '.join(HINTS)}")
        return str(name), value.value


def _literal(token: Token) -> Static:
    text = str(token)
    match token.type:
        case "STRING":
            return Static(type=Type.STRING, value=_unquoted(text))
        case "INTEGER":
            return Static(type=Type.INT, value=_integer(text))
        case "FLOAT":
            return Static(type=Type.FLOAT, value=float(text))
        case "DURATION":
            return Static(type=Type.DURATION, value=_duration(text))
        case "TRUE" | "FALSE":
            return Static(type=Type.BOOL, value=token.type == "TRUE")
        case "STATUS_VALUE":
            return Static(type=Type.STATUS, value=Keyword(Type.STATUS, text))
        case "KIND_VALUE":
            return Static(type=Type.KIND, value=Keyword(Type.KIND, text))
    return Static(type=Type.NIL, value=None)


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS or int(text) > MAX_INTEGER:
        raise QueryError(f"parsing {text[:MAX_DIGITS]!r}: value out of range")
    return int(text)


def _duration(text: str) -> int:
    nanoseconds = parse_duration(text) if len(text) <= MAX_DURATION_TEXT else MAX_INTEGER + 1
    if nanoseconds > MAX_INTEGER:
        raise QueryError(f"parsing {text[:MAX_DIGITS]!r}: the duration is out of range")
    return nanoseconds


def _unquoted(text: str) -> str:
    if text.startswith("`"):
        return text[1:-1]
    if not text.startswith('"'):
        return text
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError) as error:
        raise QueryError(f"invalid syntax: the string {text} cannot be read: {error}") from error


def _quantile(static: Static) -> float:
    value = static.value
    if not isinstance(value, int | float) or static.type is Type.DURATION or not 0 <= value <= 1:
        raise QueryError(f"quantile must be between 0 and 1: {static}")
    return float(value)
