"""Field expressions compiled to functions of a span: what `{ ... }` asks of each span."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard, cast

from stack.standins.tempo.spans import KINDS, STATUSES, Span
from stack.standins.tempo.traceql import details
from stack.standins.tempo.traceql.syntax import Attribute, Binary, Field, Intrinsic, Keyword, Static, Type, Unary
from stack.standins.tempo.traces import TraceView

Value = object
Getter = Callable[[Span, TraceView], Value]
Predicate = Callable[[Span, TraceView], bool]

STATUS_KEYWORDS = tuple(Keyword(Type.STATUS, name) for name in STATUSES)
KIND_KEYWORDS = tuple(Keyword(Type.KIND, name) for name in KINDS)


def compile_field(field: Field) -> Getter:
    """
    A function that reads a field expression of a span; it gives None where the span has no such thing.
    """
    match field:
        case Static(value=value):
            return lambda span, view: value
        case Intrinsic(name=name):
            return INTRINSICS[name]
        case Attribute():
            return _attribute(field)
        case Unary(op=op, operand=operand):
            return _unary(op, compile_field(operand))
    return _binary(field)


def compile_predicate(field: Field) -> Predicate:
    """
    A function that says whether a field expression is true of a span.
    """
    getter = compile_field(field)
    if isinstance(field, Binary) and field.op not in ARITHMETIC:
        return cast(Predicate, getter)
    return lambda span, view: getter(span, view) is True


def _attribute(field: Attribute) -> Getter:
    name = field.name
    match field.scope:
        case "span":
            return lambda span, view: span.attributes.get(name)
        case "resource":
            return lambda span, view: span.resource.attributes.get(name)
        case "instrumentation":
            return lambda span, view: span.scope.attributes.get(name)
        case "event":
            return lambda span, view: details.event_attribute(span, name)
        case "link":
            return lambda span, view: details.link_attribute(span, name)
    read = details.any_attribute(name)
    return lambda span, view: read(span)


def _node(part: str) -> Getter:
    read = operator.attrgetter(part)

    def getter(span: Span, view: TraceView) -> Value:
        node = view.nodes.get(span)
        return 0 if node is None else read(node)

    return getter


INTRINSICS: Mapping[str, Getter] = {
    "duration": lambda span, view: span.end_ns - span.start_ns,
    "name": lambda span, view: span.name,
    "status": lambda span, view: STATUS_KEYWORDS[span.status],
    "statusMessage": lambda span, view: span.status_message,
    "kind": lambda span, view: KIND_KEYWORDS[span.kind],
    "span:id": lambda span, view: span.span_id.hex(),
    "span:parentID": lambda span, view: span.parent_id.hex(),
    "span:childCount": lambda span, view: sum(parent is span for parent in view.parents.values()),
    "traceDuration": lambda span, view: view.duration_ns,
    "rootName": lambda span, view: view.root_name,
    "rootServiceName": lambda span, view: view.root_service,
    "trace:id": lambda span, view: view.hex_id,
    "event:name": lambda span, view: details.event_names(span),
    "event:timeSinceStart": lambda span, view: details.event_times(span),
    "link:spanID": lambda span, view: details.link_span_ids(span),
    "link:traceID": lambda span, view: details.link_trace_ids(span),
    "instrumentation:name": lambda span, view: span.scope.name,
    "instrumentation:version": lambda span, view: span.scope.version,
    "nestedSetLeft": _node("left"),
    "nestedSetRight": _node("right"),
    "nestedSetParent": _node("parent"),
}


def _unary(op: str, operand: Getter) -> Getter:
    if op == "!":

        def negated(span: Span, view: TraceView) -> Value:
            value = operand(span, view)
            return not value if isinstance(value, bool) else None

        return negated

    def signed(span: Span, view: TraceView) -> Value:
        value = operand(span, view)
        return (-value if op == "-" else value) if is_number(value) else None

    return signed


def _binary(field: Binary) -> Getter:
    left, right = compile_field(field.left), compile_field(field.right)
    if field.op == "&&":
        return lambda span, view: left(span, view) is True and right(span, view) is True
    if field.op == "||":
        return lambda span, view: left(span, view) is True or right(span, view) is True
    if field.op in ARITHMETIC:
        return lambda span, view: calculate(field.op, left(span, view), right(span, view))
    if isinstance(field.right, Static) and field.right.type is Type.NIL:
        return _nil(field.op, left)
    if isinstance(field.left, Static) and field.left.type is Type.NIL:
        return _nil(field.op, right)
    if isinstance(field.right, Static):
        return _with_static(field, left, field.right)
    compare = COMPARISONS[field.op]
    return lambda span, view: compare(left(span, view), right(span, view))


def _nil(op: str, getter: Getter) -> Getter:
    wanted = op == "="
    return lambda span, view: (getter(span, view) is None) is wanted


def _with_static(field: Binary, left: Getter, static: Static) -> Getter:
    """The common case, made quick: the literal is looked at once and not for each span."""
    value = static.value
    if isinstance(field.left, Intrinsic) and field.left.name in HEXADECIMAL and isinstance(value, str):
        value = value.lower().lstrip("0") or "0" if field.left.name in ("trace:id", "link:traceID") else value.lower()
    if field.op in ("=~", "!~"):
        matches = re.compile(str(value), re.DOTALL).fullmatch
        if field.op == "=~":
            return lambda span, view: _some(
                left(span, view), lambda item: isinstance(item, str) and bool(matches(item))
            )
        return lambda span, view: _none(left(span, view), lambda item: isinstance(item, str) and bool(matches(item)))
    if field.op == "=" and isinstance(value, str):
        return lambda span, view: found == value if type(found := left(span, view)) is str else equal(found, value)
    compare = COMPARISONS[field.op]
    return lambda span, view: compare(left(span, view), value)


HEXADECIMAL = {"trace:id", "span:id", "span:parentID", "link:spanID", "link:traceID"}


def _some(value: Value, holds: Callable[[Value], bool]) -> bool:
    return any(map(holds, value)) if isinstance(value, tuple) else holds(value)


def _none(value: Value, holds: Callable[[Value], bool]) -> bool:
    if isinstance(value, tuple):
        return bool(value) and not any(map(holds, value))
    return isinstance(value, str) and not holds(value)


def is_number(value: Value) -> TypeGuard[int | float]:
    """
    Whether a value counts as a number; a bool does not.
    """
    return isinstance(value, int | float) and not isinstance(value, bool)


def comparable(left: Value, right: Value) -> bool:
    """
    Whether two values are of one type, all numbers being one.
    """
    if type(left) is type(right):
        return left is not None
    return is_number(left) and is_number(right)


def equal(left: Value, right: Value) -> bool:
    """
    `=`: of an array, one item must be equal.
    """
    if isinstance(left, tuple):
        return any(equal(item, right) for item in left)
    return comparable(left, right) and left == right


def unequal(left: Value, right: Value) -> bool:
    """
    `!=`: of an array, no item may be equal; a span that lacks the attribute does not match.
    """
    if isinstance(left, tuple):
        return bool(left) and not any(equal(item, right) for item in left)
    return comparable(left, right) and left != right


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Value, Value], bool]:
    def ordered(left: Value, right: Value) -> bool:
        if isinstance(left, tuple):
            return any(ordered(item, right) for item in left)
        return comparable(left, right) and isinstance(left, str | int | float) and compare(left, right)

    return ordered


COMPARISONS: Mapping[str, Callable[[Value, Value], bool]] = {
    "=": equal,
    "!=": unequal,
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
}

ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "^": operator.pow,
}


def calculate(op: str, left: Value, right: Value) -> Value:
    """
    Arithmetic on two values; None when one is no number or the result is none.
    """
    if not (is_number(left) and is_number(right)):
        return None
    try:
        result = ARITHMETIC[op](left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return result if is_number(result) else None
