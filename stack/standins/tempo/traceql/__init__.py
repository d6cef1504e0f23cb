"""TraceQL: text to syntax, and syntax evaluated over traces in memory."""

from stack.standins.tempo.traceql.errors import QueryError
from stack.standins.tempo.traceql.parser import parse

__all__ = ["QueryError", "parse"]
