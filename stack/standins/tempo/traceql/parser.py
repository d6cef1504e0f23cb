"""TraceQL text into syntax; errors in Tempo's words, with line and column."""

from functools import cache, lru_cache
from importlib.resources import files

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from stack.standins.tempo.traceql.builder import Builder
from stack.standins.tempo.traceql.check import check
from stack.standins.tempo.traceql.errors import QueryError
from stack.standins.tempo.traceql.syntax import Query

TOO_DEEP = "the query has too many terms for the Tempo stand-in"
TOKENS = {"HINT": "IDENTIFIER", "STRING": "STRING", "INTEGER": "INTEGER", "FLOAT": "FLOAT", "DURATION": "DURATION"}
PUNCTUATION = {
    "RPAR": ")",
    "LPAR": "(",
    "LBRACE": "{",
    "RBRACE": "}",
    "COMMA": ",",
    "VBAR": "|",
    "EQUAL": "=",
    "$END": "$end",
    "BY": "BY",
}


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """
    The query that `text` is; QueryError when Tempo would refuse it or the stand-in cannot answer it.
    """
    try:
        query = Builder().transform(_grammar().parse(text))
        assert isinstance(query, Query)
        check(query)
        return query
    except UnexpectedInput as error:
        raise QueryError(_syntax_error(error, text)) from None
    except VisitError as error:
        if isinstance(error.orig_exc, QueryError):
            raise error.orig_exc from None
        if isinstance(error.orig_exc, RecursionError):
            raise QueryError(TOO_DEEP) from None
        raise
    except RecursionError:
        raise QueryError(TOO_DEEP) from None


@cache
def _grammar() -> Lark:
    text = files(__package__).joinpath("grammar.lark").read_text("utf-8")
    return Lark(text, parser="lalr", start="query", maybe_placeholders=False)


def _syntax_error(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        lines = text.split("\n")
        place, found = (len(lines), len(lines[-1]) + 1), "$end"
    else:
        place = (error.line, error.column)
        found = _found(error, text)
    expected = _expected(error)
    return f"parse error at line {place[0]}, col {place[1]}: syntax error: unexpected {found}{expected}"


def _found(error: UnexpectedInput, text: str) -> str:
    if isinstance(error, UnexpectedToken):
        return TOKENS.get(error.token.type, str(error.token))
    rest = text[error.pos_in_stream or 0 :]
    word = "".join(character if character.isalnum() or character == "_" else " " for character in rest).split(" ")[0]
    return "IDENTIFIER" if word else rest[:1]


def _expected(error: UnexpectedInput) -> str:
    """The tokens that would do, when they are few, as a yacc parser lists at most four."""
    if isinstance(error, UnexpectedCharacters):
        return ""
    accepted = sorted(error.accepts or ()) if isinstance(error, UnexpectedToken) else []
    if not 0 < len(accepted) <= 4 or not PUNCTUATION.keys() >= set(accepted):
        return ""
    return f", expecting {' or '.join(PUNCTUATION[name] for name in accepted)}"
