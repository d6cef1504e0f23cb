"""From the JSON model of an expression to a command; what is not supported is refused by name."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from stack.standins.grafana.durations import parse_duration
from stack.standins.grafana.expressions.classic import CLASSIC_EVALUATORS, CLASSIC_REDUCERS, Classic, Condition
from stack.standins.grafana.expressions.math import parse_math
from stack.standins.grafana.expressions.reduce import MODES, REDUCERS, Reduce
from stack.standins.grafana.expressions.resample import DOWNSAMPLERS, UPSAMPLERS, Resample
from stack.standins.grafana.expressions.threshold import EVALUATORS, Evaluator, Threshold
from stack.standins.grafana.expressions.values import ExpressionError, Values

EXPRESSION_UIDS = ("__expr__", "-100")
KINDS = ("reduce", "math", "threshold", "classic_conditions", "resample")

Model = Mapping[str, object]


class Command(Protocol):
    """What an expression does: reads the results of others and yields its own."""

    @property
    def refs(self) -> Sequence[str]:
        """
        The refIds that it reads.
        """

    def apply(self, inputs: Mapping[str, Values]) -> Values:
        """
        Its result.
        """


def read_command(ref: str, model: Model) -> Command:
    """
    The command of an expression's model; ExpressionError names the field, what was found and what is known.
    """
    kind = model.get("type")
    match kind:
        case "reduce":
            return _reduce(model)
        case "math":
            return parse_math(ref, _text(model, "expression"))
        case "threshold":
            return _threshold(model)
        case "classic_conditions":
            return Classic(conditions=tuple(_condition(row) for row in _rows(model)))
        case "resample":
            return _resample(model)
    raise ExpressionError(f"expression type {kind!r} is not supported by the stand-in; known: {', '.join(KINDS)}")


def _reduce(model: Model) -> Reduce:
    settings = _mapping(model.get("settings") or {})
    mode = _known("settings.mode", settings.get("mode") or "", MODES)
    replacement = settings.get("replaceWithValue", 0.0)
    if mode == "replaceNN" and not isinstance(replacement, int | float):
        raise ExpressionError(f"settings.replaceWithValue must be a number, found {replacement!r}")
    reducer = _known("reducer", model.get("reducer"), tuple(REDUCERS))
    value = float(replacement) if isinstance(replacement, int | float) else 0.0
    return Reduce(source=_source(model), reducer=reducer, mode=mode, replacement=value)


def _threshold(model: Model) -> Threshold:
    rows = _rows(model)
    if len(rows) != 1:
        raise ExpressionError(f"a threshold takes exactly one condition, found {len(rows)}")
    unload = rows[0].get("unloadEvaluator")
    return Threshold(
        source=_source(model),
        load=_evaluator(_mapping(rows[0].get("evaluator"))),
        unload=_evaluator(_mapping(unload)) if unload else None,
    )


def _condition(row: Model) -> Condition:
    query = _mapping(row.get("query"))
    params = query.get("params")
    if not isinstance(params, list) or not params:
        raise ExpressionError(f"a classic condition needs query.params with a refId, found {params!r}")
    evaluator = _mapping(row.get("evaluator"))
    kind = _known("evaluator.type", evaluator.get("type"), CLASSIC_EVALUATORS)
    reducer = _mapping(row.get("reducer") or {"type": "last"}).get("type")
    return Condition(
        source=str(params[0]),
        reducer=_known("reducer.type", reducer, tuple(CLASSIC_REDUCERS)),
        evaluator=None if kind == "no_value" else _evaluator(evaluator),
        either=_known("operator.type", _mapping(row.get("operator") or {"type": "and"}).get("type"), ("and", "or"))
        == "or",
    )


def _resample(model: Model) -> Resample:
    try:
        window_s = parse_duration(_text(model, "window"))
    except ValueError as error:
        raise ExpressionError(f"window: {error}") from error
    if window_s <= 0:
        raise ExpressionError("window must be above 0")
    return Resample(
        source=_source(model),
        window_ms=round(window_s * 1000),
        down=_known("downsampler", model.get("downsampler"), DOWNSAMPLERS),
        up=_known("upsampler", model.get("upsampler"), UPSAMPLERS),
    )


def _evaluator(model: Model) -> Evaluator:
    kind = _known("evaluator.type", model.get("type"), tuple(EVALUATORS))
    params = model.get("params")
    wanted = EVALUATORS[kind][0]
    if not isinstance(params, list) or len(params) < wanted or not all(isinstance(p, int | float) for p in params):
        raise ExpressionError(f"evaluator {kind!r} needs {wanted} number(s) in params, found {params!r}")
    return Evaluator(kind=kind, params=tuple(float(param) for param in params))


def _source(model: Model) -> str:
    return _text(model, "expression").removeprefix("$").strip("{}")


def _rows(model: Model) -> Sequence[Model]:
    rows = model.get("conditions")
    if not isinstance(rows, list) or not rows:
        raise ExpressionError(f"conditions must be a list with at least one entry, found {rows!r}")
    return [_mapping(row) for row in rows]


def _mapping(value: object) -> Model:
    if not isinstance(value, Mapping):
        raise ExpressionError(f"must be a mapping, found {value!r}")
    return value


def _text(model: Model, key: str) -> str:
    value = model.get(key)
    if not isinstance(value, str) or not value:
        raise ExpressionError(f"{key} must be a text, found {value!r}")
    return value


def _known(field: str, value: object, known: Sequence[str]) -> str:
    if value not in known:
        names = ", ".join(repr(name) for name in known)
        raise ExpressionError(f"{field} {value!r} is unknown or not supported; known: {names}")
    return str(value)
