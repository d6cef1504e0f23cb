"""From tokens to a template; unknown functions are mistakes, known but unsupported ones are refused."""

import json
from collections.abc import Collection, Iterator, Sequence

from stack.standins.grafana.templates.lexer import Action, Token, cut
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
    UnsupportedTemplate,
)

UNSUPPORTED_WORDS = ("template", "define", "block", "break", "continue")
UNSUPPORTED_FUNCTIONS = (
    "args",
    "call",
    "graphLink",
    "html",
    "js",
    "query",
    "first",
    "value",
    "safeHtml",
    "slice",
    "sortByLabel",
    "tableLink",
    "tmpl",
    "parseDuration",
    "toTime",
    "mergeLabelValues",
    "filterLabels",
    "filterLabelsRe",
    "removeLabels",
    "removeLabelsRe",
    "label",
    "strvalue",
)
CONSTANTS = {"true": True, "false": False, "nil": None}


def parse(source: str, functions: Collection[str]) -> Sequence[Node]:
    """
    The nodes of a template; TemplateError for a mistake, UnsupportedTemplate for what the stand-in does not have.
    """
    parser = _Parser(source, functions)
    nodes, end = parser.nodes()
    if end:
        raise TemplateError(f"unexpected {{{{ {end} }}}} in {source!r}")
    return nodes


class _Parser:
    def __init__(self, source: str, functions: Collection[str]) -> None:
        self._pieces: Iterator[str | Action] = cut(source)
        self._functions = functions
        self._source = source
        self._action: Sequence[Token] = ()
        self._position = 0

    def nodes(self) -> tuple[Sequence[Node], str]:
        """The nodes up to an `end` or `else` (which it returns, with what follows it still to be read)."""
        found: list[Node] = []
        for piece in self._pieces:
            if isinstance(piece, str):
                found.append(Text(piece))
                continue
            self._action, self._position = piece.tokens, 0
            word = self._word()
            if word in ("end", "else"):
                self._position += 1
                return found, word
            if word in UNSUPPORTED_WORDS:
                raise UnsupportedTemplate(f"{{{{ {word} }}}} is not supported by the stand-in")
            found.append(self._block(word) if word in ("if", "with", "range") else self._output())
        return found, ""

    def _block(self, kind: str) -> Block:
        self._position += 1
        variables = self._variables()
        pipeline = self._pipeline()
        self._done()
        body, end = self.nodes()
        otherwise: Sequence[Node] = ()
        if end == "else":
            if self._word() in ("if", "with"):
                return Block(kind, pipeline, variables, body, [self._block(self._word())])
            self._done()
            otherwise, end = self.nodes()
        if end != "end":
            raise TemplateError(f"{{{{ {kind} }}}} without {{{{ end }}}} in {self._source!r}")
        return Block(kind, pipeline, variables, body, otherwise)

    def _output(self) -> Output:
        if self._peek("variable") and self._peek("assign", 1):
            variable, assign = self._take().text, self._take().text
            output = Output(self._pipeline(), variable, assign == ":=")
        else:
            output = Output(self._pipeline())
        self._done()
        return output

    def _variables(self) -> Sequence[str]:
        names: list[str] = []
        start = self._position
        while self._peek("variable"):
            names.append(self._take().text)
            if self._peek("mark") and self._action[self._position].text == ",":
                self._take()
            elif self._peek("assign"):
                self._take()
                return names
            else:
                break
        self._position = start
        return ()

    def _pipeline(self) -> Pipeline:
        commands = [self._command()]
        while self._at_mark("|"):
            self._take()
            commands.append(self._command())
        return Pipeline(commands)

    def _command(self) -> Sequence[Operand]:
        operands: list[Operand] = []
        while self._position < len(self._action) and not (self._at_mark("|") or self._at_mark(")")):
            operands.append(self._operand())
        if not operands:
            raise TemplateError(f"missing value in {self._source!r}")
        return operands

    def _operand(self) -> Operand:
        token = self._take()
        match token.kind:
            case "string":
                return Literal(token.text[1:-1] if token.text[0] == "`" else json.loads(token.text))
            case "number":
                return Literal(_number(token.text))
            case "variable":
                name, *fields = token.text.split(".")
                return Path(name, fields)
            case "field":
                return Path("", [field for field in token.text.split(".") if field])
            case "word":
                return self._named(token.text)
        if token.text == "(":
            return self._parenthesised()
        raise TemplateError(f"unexpected {token.text!r} in {self._source!r}")

    def _named(self, word: str) -> Operand:
        if word in CONSTANTS:
            return Literal(CONSTANTS[word])
        if word in UNSUPPORTED_FUNCTIONS:
            raise UnsupportedTemplate(f"template function {word!r} is not supported by the stand-in")
        if word not in self._functions:
            raise TemplateError(f"function {word!r} not defined")
        return Function(word)

    def _parenthesised(self) -> Operand:
        inner = self._pipeline()
        if not self._at_mark(")"):
            raise TemplateError(f"unclosed parenthesis in {self._source!r}")
        self._take()
        fields: list[str] = []
        if self._peek("field") and self._action[self._position].glued:
            fields = [field for field in self._take().text.split(".") if field]
        return Path(inner, fields)

    def _word(self) -> str:
        return self._action[self._position].text if self._peek("word") else ""

    def _peek(self, kind: str, ahead: int = 0) -> bool:
        index = self._position + ahead
        return index < len(self._action) and self._action[index].kind == kind

    def _at_mark(self, text: str) -> bool:
        return self._peek("mark") and self._action[self._position].text == text

    def _take(self) -> Token:
        if self._position >= len(self._action):
            raise TemplateError(f"unexpected end of action in {self._source!r}")
        self._position += 1
        return self._action[self._position - 1]

    def _done(self) -> None:
        if self._position < len(self._action):
            raise TemplateError(f"unexpected {self._action[self._position].text!r} in {self._source!r}")


def _number(text: str) -> int | float:
    try:
        return int(text, 0)
    except ValueError:
        return float(text)
