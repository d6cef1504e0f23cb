"""Which attributes there are and which values they take, as the tag endpoints answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stack.standins.tempo.search import Views
from stack.standins.tempo.settings import Queries
from stack.standins.tempo.spans import KINDS, STATUSES, Span
from stack.standins.tempo.traceql import parse
from stack.standins.tempo.traceql.check import type_of
from stack.standins.tempo.traceql.details import attribute_names
from stack.standins.tempo.traceql.errors import QueryError
from stack.standins.tempo.traceql.fields import compile_field
from stack.standins.tempo.traceql.spansets import compile_pipeline
from stack.standins.tempo.traceql.syntax import Attribute, Field, Filter, Intrinsic, Keyword, Type
from stack.standins.tempo.traces import TraceView
from stack.standins.tempo.values import Json, text
from stack.standins.tempo.windows import BadQuery, search_window

SCOPES = ("span", "resource", "event", "link", "instrumentation")
INTRINSIC_TAGS = [
    "duration",
    "event:name",
    "event:timeSinceStart",
    "instrumentation:name",
    "instrumentation:version",
    "kind",
    "link:spanID",
    "link:traceID",
    "name",
    "rootName",
    "rootServiceName",
    "span:duration",
    "span:id",
    "span:kind",
    "span:name",
    "span:parentID",
    "span:status",
    "span:statusMessage",
    "status",
    "statusMessage",
    "trace:duration",
    "trace:id",
    "trace:rootName",
    "trace:rootService",
    "traceDuration",
]
KEYWORDS: Mapping[str, Sequence[str]] = {"status": sorted(STATUSES), "kind": sorted(KINDS)}
NOT_LISTED = {"trace:id", "span:id", "span:parentID", "link:traceID", "link:spanID"}


class TagReader:
    """One request's traces, narrowed by its window and by `q`; counts the bytes that it read."""

    def __init__(self, parameters: Mapping[str, str], views: Views, queries: Queries, now_ns: int) -> None:
        self._window = search_window(parameters, queries, now_ns)
        self._views = views
        text_query = parameters.get("q", "").strip()
        self._match = compile_pipeline(parse(text_query).pipeline) if text_query not in ("", "{}") else None
        self.size = 0

    def spans(self) -> Iterator[tuple[Span, TraceView]]:
        """
        The spans to look at.
        """
        for view in self._views():
            if view.start_ns > self._window.end_ns or view.end_ns < self._window.start_ns:
                continue
            self.size += view.size
            spansets = self._match(view) if self._match else None
            spans = view.spans if spansets is None else [span for spanset in spansets for span in spanset.spans]
            for span in spans:
                yield span, view

    def metrics(self) -> Json:
        """
        What reading cost.
        """
        return {"inspectedBytes": str(self.size)} if self.size else {}


def tag_names(reader: TagReader, scope: str) -> Json:
    """
    `/api/search/tags`: all names in one list.
    """
    names = {name for tags in _by_scope(reader, scope).values() for name in tags}
    return {"tagNames": sorted(names), "metrics": reader.metrics()}


def scoped_tag_names(reader: TagReader, scope: str) -> Json:
    """
    `/api/v2/search/tags`: the names by scope; scopes without any are left out.
    """
    scopes: list[Json] = [
        {"name": name, "tags": sorted(tags)} for name, tags in _by_scope(reader, scope).items() if tags
    ]
    if scope in ("", "none", "intrinsic"):
        scopes.append({"name": "intrinsic", "tags": INTRINSIC_TAGS})
    return {"scopes": scopes, "metrics": reader.metrics()}


def _by_scope(reader: TagReader, scope: str) -> Mapping[str, set[str]]:
    if scope not in ("", "none", "intrinsic", *SCOPES):
        raise BadQuery(f"invalid scope: {scope}")
    wanted = SCOPES if scope in ("", "none") else (scope,) if scope in SCOPES else ()
    found: dict[str, set[str]] = {name: set() for name in wanted}
    for span, _ in reader.spans():
        for name, tags in found.items():
            tags.update(attribute_names(span, name))
    return found


def tag_values(reader: TagReader, tag: str) -> Json:
    """
    `/api/search/tag/<name>/values`: the values of a tag of any scope, as text.
    """
    field = _field(tag) if tag in INTRINSIC_TAGS else Attribute(scope="", name=tag)
    return {"tagValues": sorted({value for _, value in _values(reader, field)}), "metrics": reader.metrics()}


def scoped_tag_values(reader: TagReader, tag: str) -> Json:
    """
    `/api/v2/search/tag/<scope.name>/values`: the values of one attribute or intrinsic, with their types.
    """
    found = _values(reader, _field(tag))
    return {"tagValues": [{"type": kind, "value": value} for kind, value in sorted(found)], "metrics": reader.metrics()}


def _field(tag: str) -> Attribute | Intrinsic:
    try:
        stage = parse(f"{{ {tag} != nil }}").pipeline.stages[0]
    except QueryError as error:
        raise BadQuery(f"tag name is not valid intrinsic or scoped attribute: {tag}") from error
    field = getattr(stage.condition, "left", None) if isinstance(stage, Filter) else None
    if not isinstance(field, Attribute | Intrinsic):
        raise BadQuery(f"tag name is not valid intrinsic or scoped attribute: {tag}")
    return field


def _values(reader: TagReader, field: Attribute | Intrinsic) -> set[tuple[str, str]]:
    if isinstance(field, Intrinsic) and field.name in KEYWORDS:
        return {("keyword", name) for name in KEYWORDS[field.name]}
    if isinstance(field, Intrinsic) and (field.name in NOT_LISTED or field.type is Type.DURATION):
        return set()
    getter = compile_field(field)
    found: set[tuple[str, str]] = set()
    for span, view in reader.spans():
        found.update(_typed(getter(span, view), field))
    return found


def _typed(value: object, field: Field) -> Iterable[tuple[str, str]]:
    items = value if isinstance(value, tuple) else () if value is None else (value,)
    for item in items:
        yield _type_name(item, type_of(field)), text(item)


def _type_name(value: object, kind: Type) -> str:
    if isinstance(value, Keyword):
        return "keyword"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "duration" if kind is Type.DURATION else "int"
    return "float" if isinstance(value, float) else "string"
