"""Types of a parsed query, checked before it runs: a comparison that can never hold is an error, as in Tempo."""

import re
from collections.abc import Iterator

from stack.standins.tempo.traceql.errors import QueryError
from stack.standins.tempo.traceql.syntax import (
    Aggregate,
    Attribute,
    Binary,
    Field,
    Filter,
    Group,
    Intrinsic,
    Metric,
    Pipeline,
    Query,
    Scalar,
    ScalarFilter,
    ScalarOperation,
    SpansetOperation,
    Stage,
    Static,
    Type,
    Unary,
)

NUMBERS = {Type.INT, Type.FLOAT, Type.DURATION}
ARITHMETIC = {"+", "-", "*", "/", "%", "^"}
EQUALITY = {"=", "!="}
ORDER = {"<", "<=", ">", ">="}
REGEX = {"=~", "!~"}
LOGIC = {"&&", "||"}
NOT_RE2 = re.compile(r"\(\?(?:[=!>(]|<[=!])|\\[1-9]|[*+?}]\+")
MAX_GROUPS = 5


def check(query: Query) -> None:
    """
    QueryError when a field, comparison or aggregate of the query cannot have a meaning.
    """
    for stage in query.pipeline.stages:
        _check_stage(stage)
    if query.metric is not None:
        _check_metric(query.metric)


def type_of(field: Field) -> Type:
    """
    The type of a field expression, checked all the way down.
    """
    match field:
        case Static() | Intrinsic():
            return field.type
        case Attribute():
            return Type.ATTRIBUTE
        case Unary():
            return _unary(field)
    return _binary(field)


def _check_stage(stage: Stage) -> None:
    match stage:
        case Filter(condition=condition):
            if type_of(condition) not in (Type.BOOL, Type.ATTRIBUTE):
                raise QueryError(f"span filter field expressions must resolve to a boolean: {condition}")
        case SpansetOperation(left=left, right=right):
            _check_stage(left)
            _check_stage(right)
        case Pipeline(stages=stages):
            for inner in stages:
                _check_stage(inner)
        case ScalarFilter(left=left_scalar, right=right_scalar):
            _check_scalar(left_scalar)
            _check_scalar(right_scalar)
        case Group(field=field):
            _check_group(field)


def _check_scalar(scalar: Scalar) -> None:
    match scalar:
        case ScalarOperation(left=left, right=right):
            _check_scalar(left)
            _check_scalar(right)
        case Aggregate(function=function, field=field) if field is not None:
            _check_number(function, field)


def _check_metric(metric: Metric) -> None:
    if metric.field is not None:
        _check_number(metric.function, metric.field)
    if len(metric.by) > MAX_GROUPS:
        raise QueryError(f"metrics can be grouped by at most {MAX_GROUPS} fields, found {len(metric.by)}")
    for field in metric.by:
        _check_group(field)


def _check_number(function: str, field: Field) -> None:
    if type_of(field) not in NUMBERS | {Type.ATTRIBUTE}:
        raise QueryError(f"aggregate field expressions must resolve to a number type: {function}({field})")
    if not any(references(field)):
        raise QueryError(f"aggregate field expressions must reference the span: {function}({field})")


def _check_group(field: Field) -> None:
    type_of(field)
    if not any(references(field)):
        raise QueryError(f"grouping field expressions must reference the span: by({field})")


def references(field: Field) -> Iterator[Attribute | Intrinsic]:
    """
    The attributes and intrinsics that a field expression reads.
    """
    match field:
        case Attribute() | Intrinsic():
            yield field
        case Unary(operand=operand):
            yield from references(operand)
        case Binary(left=left, right=right):
            yield from references(left)
            yield from references(right)


def _unary(field: Unary) -> Type:
    operand = type_of(field.operand)
    allowed = {Type.BOOL} if field.op == "!" else NUMBERS
    if operand not in allowed | {Type.ATTRIBUTE}:
        raise QueryError(f"illegal operation for the given type: {field}")
    return Type.BOOL if field.op == "!" else operand


def _binary(field: Binary) -> Type:
    left, right = type_of(field.left), type_of(field.right)
    if not _compatible(left, right):
        raise QueryError(f"binary operations must operate on the same type: {field}")
    if not all(_allowed(field.op, kind) for kind in (left, right)):
        raise QueryError(f"illegal operation for the given types: {field}")
    if field.op in REGEX:
        _check_regex(field)
    if field.op not in ARITHMETIC:
        return Type.BOOL
    return left if right is Type.ATTRIBUTE or left is Type.DURATION else right


def _compatible(left: Type, right: Type) -> bool:
    loose = {Type.ATTRIBUTE, Type.NIL}
    return left == right or {left, right} <= NUMBERS or left in loose or right in loose


def _allowed(op: str, kind: Type) -> bool:
    if kind is Type.ATTRIBUTE:
        return True
    if op in ARITHMETIC:
        return kind in NUMBERS
    if op in ORDER:
        return kind in NUMBERS | {Type.STRING}
    if op in LOGIC:
        return kind is Type.BOOL
    return kind is Type.STRING if op in REGEX else True


def _check_regex(field: Binary) -> None:
    pattern = field.right.value if isinstance(field.right, Static) else None
    if not isinstance(pattern, str):
        raise QueryError(f"the right side of {field.op} must be a string: {field}")
    try:
        re.compile(pattern)
    except re.error as error:
        raise QueryError(f"error parsing regexp: {error}: `{pattern}`") from error
    if construct := NOT_RE2.search(pattern):
        raise QueryError(f"error parsing regexp: invalid or unsupported Perl syntax: `{construct[0]}`")
