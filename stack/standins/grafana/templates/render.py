"""Rendering: a parsed template over the data of one alert instance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from stack.standins.grafana.gonumber import plain
from stack.standins.grafana.labels import Labels
from stack.standins.grafana.templates.functions import FUNCTIONS
from stack.standins.grafana.templates.gofmt import printed, show
from stack.standins.grafana.templates.parser import parse
from stack.standins.grafana.templates.syntax import (
    Block,
    Function,
    Literal,
    Node,
    Operand,
    Output,
    Path,
    Pipeline,
    TemplateError,
    Text,
)

LAZY = ("and", "or", "not")
KNOWN = (*FUNCTIONS, *LAZY, "externalURL")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertValue:
    """One of `$values`: the number of a query or expression for this instance; it prints as the number."""

    labels: Labels
    value: float

    def __str__(self) -> str:
        return plain(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertData:
    """What a template can read: `$labels`, `$values`, `$value`, and the address of Grafana."""

    labels: Labels
    values: Mapping[str, AlertValue]
    value: str
    external_url: str


@lru_cache(maxsize=4096)
def parsed(source: str) -> Sequence[Node]:
    """
    The nodes of a template, kept for the next rendering.
    """
    return parse(source, KNOWN)


def render(source: str, data: AlertData) -> str:
    """
    The text of a template for one instance; TemplateError when it cannot be rendered.
    """
    if "{{" not in source:
        return source
    root = {"Labels": data.labels, "Values": data.values, "Value": data.value}
    renderer = _Renderer(data.external_url, {"$labels": data.labels, "$values": data.values, "$value": data.value})
    renderer.scopes[0]["$"] = root
    renderer.run(parsed(source), root)
    return "".join(renderer.written)


class _Renderer:
    def __init__(self, external_url: str, variables: dict[str, object]) -> None:
        self.scopes = [variables]
        self.written: list[str] = []
        self._external_url = external_url

    def run(self, nodes: Sequence[Node], dot: object) -> None:
        self.scopes.append({})
        for node in nodes:
            if isinstance(node, Text):
                self.written.append(node.text)
            elif isinstance(node, Output):
                self._output(node, dot)
            else:
                self._block(node, dot)
        self.scopes.pop()

    def _output(self, node: Output, dot: object) -> None:
        value = self._pipeline(node.pipeline, dot)
        if not node.variable:
            self.written.append(printed(value))
            return
        scope = self.scopes[-1] if node.declares else self._scope(node.variable)
        scope[node.variable] = value

    def _block(self, node: Block, dot: object) -> None:
        value = self._pipeline(node.pipeline, dot)
        if node.kind == "range":
            self._range(node, value, dot)
            return
        scope: dict[str, object] = dict.fromkeys(node.variables, value)
        self.scopes.append(scope)
        inner = value if node.kind == "with" else dot
        self.run(node.body, inner) if _true(value) else self.run(node.otherwise, dot)
        self.scopes.pop()

    def _range(self, node: Block, value: object, dot: object) -> None:
        if isinstance(value, Mapping):
            rows: Sequence[tuple[object, object]] = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, Sequence) and not isinstance(value, str):
            rows = list(enumerate(value))
        elif value is None:
            rows = []
        else:
            raise TemplateError(f"range can't iterate over {show(value)}")
        for row in rows:
            names = node.variables
            self.scopes.append(dict(zip(names, row if len(names) == 2 else row[1:], strict=False)))
            self.run(node.body, row[1])
            self.scopes.pop()
        if not rows:
            self.run(node.otherwise, dot)

    def _pipeline(self, pipeline: Pipeline, dot: object) -> object:
        last: tuple[object, ...] = ()
        for command in pipeline.commands:
            last = (self._command(command, dot, last),)
        return last[0]

    def _command(self, operands: Sequence[Operand], dot: object, last: tuple[object, ...]) -> object:
        head = operands[0]
        if not isinstance(head, Function):
            if len(operands) > 1 or last:
                raise TemplateError("can't give argument to non-function")
            return self._operand(head, dot)
        if head.name in LAZY:
            return self._lazy(head.name, operands[1:], dot, last)
        arguments = [self._operand(operand, dot) for operand in operands[1:]]
        return self._call(head.name, [*arguments, *last])

    def _lazy(self, name: str, operands: Sequence[Operand], dot: object, last: tuple[object, ...]) -> object:
        if not operands and not last:
            raise TemplateError(f"wrong number of args for {name}")
        value: object = None
        for operand in operands:
            value = self._operand(operand, dot)
            if name == "not":
                return not _true(value)
            if _true(value) == (name == "or"):
                return value
        if last:
            value = not _true(last[0]) if name == "not" else last[0]
        return value

    def _call(self, name: str, arguments: Sequence[object]) -> object:
        if name == "externalURL":
            return self._external_url
        try:
            return FUNCTIONS[name](*arguments)
        except TypeError as error:
            raise TemplateError(f"wrong arguments for {name}: {error}") from error

    def _operand(self, operand: Operand, dot: object) -> object:
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Function):
            return self._call(operand.name, ())
        return self._path(operand, dot)

    def _path(self, path: Path, dot: object) -> object:
        if isinstance(path.root, Pipeline):
            value = self._pipeline(path.root, dot)
        else:
            value = self._scope(path.root)[path.root] if path.root else dot
        for field in path.fields:
            value = _field(value, field)
        return value

    def _scope(self, name: str) -> dict[str, object]:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope
        raise TemplateError(f"undefined variable {name!r}")


def _field(value: object, name: str) -> object:
    if value is None:
        return None
    if isinstance(value, AlertValue):
        if name in ("Value", "Labels"):
            return value.value if name == "Value" else value.labels
    elif isinstance(value, Mapping):
        return value.get(name)
    raise TemplateError(f"can't evaluate field {name} in {show(value)}")


def _true(value: object) -> bool:
    return True if isinstance(value, AlertValue) else bool(value)
