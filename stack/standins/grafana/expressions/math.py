"""Math: arithmetic over the results of queries and other expressions."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from stack.standins.grafana.expressions.join import Operand, binary, unary
from stack.standins.grafana.expressions.values import ExpressionError, Number, Series, Values

Node = Tree[Token]

FUNCTIONS: Mapping[str, Callable[[float | None], float | None]] = {
    "abs": lambda value: None if value is None else abs(value),
    "log": lambda value: None if value is None else _log(value),
    "round": lambda value: (
        value if value is None or not math.isfinite(value) else math.copysign(math.floor(abs(value) + 0.5), value)
    ),
    "ceil": lambda value: value if value is None or not math.isfinite(value) else float(math.ceil(value)),
    "floor": lambda value: value if value is None or not math.isfinite(value) else float(math.floor(value)),
    "is_nan": lambda value: None if value is None else float(math.isnan(value)),
    "is_inf": lambda value: None if value is None else float(math.isinf(value)),
    "is_null": lambda value: float(value is None),
    "is_number": lambda value: float(value is not None and math.isfinite(value)),
}
CONSTANTS: Mapping[str, float | None] = {"nan": math.nan, "inf": math.inf, "infn": -math.inf, "null": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Math:
    """One math expression, parsed."""

    ref: str
    tree: Node
    refs: Sequence[str]

    def apply(self, inputs: Mapping[str, Values]) -> Values:
        """
        The expression over its inputs; no data in any of them is no data.
        """
        if any(inputs[ref].empty for ref in self.refs):
            return Values()
        operand = _evaluate(self.tree, inputs)
        if not isinstance(operand, list):
            return Values(items=[Number(labels={}, value=operand, name=self.ref)])
        return Values(items=[_renamed(item, self.ref) for item in operand])


def parse_math(ref: str, text: str) -> Math:
    """
    A math expression; ExpressionError names the place and what is not understood.
    """
    try:
        tree: Node = _parser().parse(text)
    except UnexpectedInput as error:
        found = text[error.pos_in_stream or 0 :][:12] or "its end"
        raise ExpressionError(
            f"math expression {text!r}: not understood at column {error.column}: {found!r}"
        ) from error
    for call in tree.find_data("call"):
        _check_call(call, text)
    refs = [_name(node) for node in tree.find_data("variable")]
    return Math(ref=ref, tree=tree, refs=tuple(dict.fromkeys(reversed(refs))))


@cache
def _parser() -> Lark:
    return Lark(files(__package__).joinpath("math.lark").read_text("utf-8"), parser="lalr")


def _check_call(node: Node, text: str) -> None:
    name, arguments = str(node.children[0]), [child for child in node.children[1:] if child is not None]
    if name not in FUNCTIONS and name not in CONSTANTS:
        known = ", ".join(sorted([*FUNCTIONS, *CONSTANTS]))
        raise ExpressionError(
            f"math expression {text!r}: function {name!r} is unknown or not supported; known: {known}"
        )
    wanted = 1 if name in FUNCTIONS else 0
    if len(arguments) != wanted:
        raise ExpressionError(f"math expression {text!r}: {name} takes {wanted} argument(s), found {len(arguments)}")


def _evaluate(node: Node, inputs: Mapping[str, Values]) -> Operand:
    match node.data:
        case "number":
            text = str(node.children[0])
            return float(int(text, 16)) if text.startswith("0x") else float(text)
        case "variable":
            return list(inputs[_name(node)].items)
        case "call":
            name = str(node.children[0])
            if name in CONSTANTS:
                return CONSTANTS[name]
            return unary(FUNCTIONS[name], _evaluate(_child(node, 1), inputs))
        case "sign":
            factor = -1.0 if node.children[0] == "-" else 1.0
            return unary(lambda value: None if value is None else factor * value, _evaluate(_child(node, 1), inputs))
        case "not_":
            return unary(lambda value: None if value is None else float(value == 0), _evaluate(_child(node, 0), inputs))
    symbol = {"or_": "||", "and_": "&&"}.get(node.data) or str(node.children[1])
    left, right = _evaluate(_child(node, 0), inputs), _evaluate(_child(node, -1), inputs)
    return binary(OPERATORS[symbol], left, right)


def _child(node: Node, index: int) -> Node:
    child = node.children[index]
    assert isinstance(child, Tree)
    return child


def _name(node: Node) -> str:
    return str(node.children[0]).removeprefix("$").strip("{}")


def _renamed(item: Number | Series, name: str) -> Number | Series:
    if isinstance(item, Number):
        return Number(labels=item.labels, value=item.value, name=name)
    return Series(labels=item.labels, times_ms=item.times_ms, values=item.values, name=name)


def _log(value: float) -> float:
    if value > 0:
        return math.log(value)
    return -math.inf if value == 0 else math.nan


def _divide(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left)


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def _test(compare: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    # A comparison with NaN is NaN, not false: so a rule on it has no verdict.
    return lambda left, right: math.nan if math.isnan(left) or math.isnan(right) else float(compare(left, right))


OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": lambda left, right: math.fmod(left, right) if right and math.isfinite(left) else math.nan,
    "**": _power,
    "==": _test(operator.eq),
    "!=": _test(operator.ne),
    ">": _test(operator.gt),
    "<": _test(operator.lt),
    ">=": _test(operator.ge),
    "<=": _test(operator.le),
    "||": _test(lambda left, right: left != 0 or right != 0),
    "&&": _test(lambda left, right: left != 0 and right != 0),
}
