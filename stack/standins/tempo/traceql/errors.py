"""What is wrong with a TraceQL query, worded as Tempo words it."""


class QueryError(ValueError):
    """The query cannot be parsed, does not type-check, or uses what the stand-in does not support."""


def unsupported(construct: str) -> QueryError:
    """
    The error for a construct that Tempo has and the stand-in has not.
    """
    return QueryError(f"unsupported by the Tempo stand-in: {construct}")
