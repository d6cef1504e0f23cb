"""Metrics from spans: rates, counts, quantiles and the like over time, as `/api/metrics/query_range` answers."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stack.standins.tempo.search import Views
from stack.standins.tempo.settings import Queries
from stack.standins.tempo.spans import Span
from stack.standins.tempo.traceql import parse
from stack.standins.tempo.traceql.check import type_of
from stack.standins.tempo.traceql.fields import Getter, compile_field, is_number
from stack.standins.tempo.traceql.shown import Shown, shown_fields, values
from stack.standins.tempo.traceql.spansets import compile_pipeline
from stack.standins.tempo.traceql.syntax import Intrinsic, Metric, Query, Ranking, Type
from stack.standins.tempo.traces import TraceView
from stack.standins.tempo.values import Json, key_value, text
from stack.standins.tempo.windows import BadQuery, Window, metrics_window

SECOND = 1_000_000_000
EXEMPLARS_PER_STEP = 2
Group = tuple[object, ...]
Labels = tuple[tuple[str, object, Type], ...]


@dataclass(slots=True)
class Observations:
    """What fell into one step of one group; `buckets` count by the power of two that a value is at most."""

    count: int = 0
    total: float = 0.0
    least: float = math.inf
    most: float = -math.inf
    buckets: dict[float, int] = field(default_factory=dict)


@dataclass(slots=True)
class Exemplar:
    """A span that stands for a step."""

    at_ns: int
    value: float | None
    span: Span
    view: TraceView


@dataclass(slots=True)
class Collected:
    """One group: its observations by step, and exemplars."""

    steps: dict[int, Observations] = field(default_factory=dict)
    exemplars: list[Exemplar] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of the answer; a step without a value is absent."""

    labels: Labels
    samples: Mapping[int, float]
    exemplars: Sequence[Exemplar] = ()


def query_range(parameters: Mapping[str, str], views: Views, queries: Queries, now_ns: int) -> Json:
    """
    The answer to a range query; BadQuery or QueryError when the request is wrong.
    """
    query, metric = _read(parameters, queries)
    window = metrics_window(parameters, queries, now_ns)
    limit = _exemplar_limit(parameters, query, queries)
    collected, size = _collect(query, metric, window, views, limit)
    shown = shown_fields(query)
    series = [_range_json(item, window, shown, limit) for item in _series(metric, collected, window)]
    return {"series": series, "metrics": _metrics(size)}


def query_instant(parameters: Mapping[str, str], views: Views, queries: Queries, now_ns: int) -> Json:
    """
    The answer to an instant query: one value for the whole window.
    """
    query, metric = _read(parameters, queries)
    window = metrics_window(parameters, queries, now_ns, instant=True)
    collected, size = _collect(query, metric, window, views, 0)
    series = []
    for item in _series(metric, collected, window):
        answer: dict[str, object] = {"labels": [key_value(*label) for label in item.labels]}
        if value := item.samples.get(window.end_ns):
            answer["value"] = value
        series.append(answer)
    return {"series": series, "metrics": _metrics(size)}


def _read(parameters: Mapping[str, str], queries: Queries) -> tuple[Query, Metric]:
    text_query = parameters.get("q") or parameters.get("query") or ""
    if len(text_query.encode()) > queries.max_query_bytes:
        raise BadQuery(f"TraceQL query is too large: more than {queries.max_query_bytes} bytes")
    query = parse(text_query)
    if query.metric is None:
        raise BadQuery("not a metrics query: end it with a metrics function, such as `| rate()`")
    return query, query.metric


def _exemplar_limit(parameters: Mapping[str, str], query: Query, queries: Queries) -> int:
    asked = parameters.get("exemplars", "")
    if asked and not asked.isdecimal():
        raise BadQuery(f"invalid exemplars: {asked!r} is no number")
    wanted = query.exemplars if query.exemplars is not None else int(asked or queries.max_exemplars)
    return min(wanted or (0 if query.exemplars == 0 else queries.max_exemplars), queries.max_exemplars)


def _metrics(size: int) -> Json:
    return ({"inspectedBytes": str(size)} if size else {}) | {"completedJobs": 1, "totalJobs": 1}


def _collect(
    query: Query, metric: Metric, window: Window, views: Views, exemplars: int
) -> tuple[Mapping[Group, Collected], int]:
    match, read = compile_pipeline(query.pipeline), _reader(metric)
    by = [compile_field(item) for item in metric.by]
    groups: dict[Group, Collected] = {}
    first_ns = (
        window.start_ns if window.step_ns == window.end_ns - window.start_ns else window.start_ns - window.step_ns
    )
    size = 0
    for view in views():
        if view.start_ns > window.end_ns or view.end_ns < first_ns:
            continue
        size += view.size
        for span in (span for spanset in match(view) for span in spanset.spans):
            if not first_ns < span.start_ns <= window.end_ns:
                continue
            value = read(span, view)
            if value is not None:
                group = groups.setdefault(tuple(getter(span, view) for getter in by), Collected())
                _observe(group, span, view, value, window, exemplars)
    return groups, size


def _reader(metric: Metric) -> Callable[[Span, TraceView], float | None]:
    if metric.field is None:
        return lambda span, view: 1.0
    getter: Getter = compile_field(metric.field)
    scale = SECOND if type_of(metric.field) is Type.DURATION else 1

    def read(span: Span, view: TraceView) -> float | None:
        value = getter(span, view)
        return float(value) / scale if is_number(value) else None  # type: ignore[arg-type]

    return read


def _observe(group: Collected, span: Span, view: TraceView, value: float, window: Window, limit: int) -> None:
    at_ns = (
        window.end_ns
        if limit == 0 and window.step_ns == window.end_ns - window.start_ns
        else window.label_ns(span.start_ns)
    )
    step = group.steps.get(at_ns)
    if step is None:
        step = group.steps[at_ns] = Observations()
    step.count += 1
    step.total += value
    step.least = min(step.least, value)
    step.most = max(step.most, value)
    bound = log2_bound(value)
    step.buckets[bound] = step.buckets.get(bound, 0) + 1
    if step.count <= EXEMPLARS_PER_STEP and len(group.exemplars) < limit:
        group.exemplars.append(Exemplar(at_ns, value, span, view))


def log2_bound(value: float) -> float:
    """
    The upper bound of a value's bucket; of seconds, the next power of two in nanoseconds.
    """
    nanoseconds = value * SECOND
    return 0.0 if nanoseconds < 1 else float(2 ** math.ceil(math.log2(nanoseconds))) / SECOND


def log2_quantile(quantile: float, buckets: Mapping[float, int]) -> float:
    """
    A quantile of counts by power of two, interpolated exponentially within its bucket.
    """
    total = sum(buckets.values())
    wanted = max(1, math.ceil(quantile * total))
    below, seen = 0.0, 0
    for bound in sorted(buckets):
        count = buckets[bound]
        if seen + count >= wanted:
            lower = below or bound / 2
            share = (wanted - seen) / count
            return bound if share == 1 or bound == 0 else lower * (bound / lower) ** share
        below, seen = bound, seen + count
    return below


def _series(metric: Metric, collected: Mapping[Group, Collected], window: Window) -> Sequence[Series]:
    names = [str(item) for item in metric.by]
    kinds = [item.type if isinstance(item, Intrinsic) else Type.ATTRIBUTE for item in metric.by]
    series: list[Series] = []
    for group in sorted(collected, key=lambda item: [text(value) for value in item]):
        labels: Labels = tuple(zip(names, group, kinds, strict=True))
        series.extend(_of_group(metric, labels, collected[group], window))
    for ranking in metric.rankings:
        series = _ranked(ranking, series)
    return series


def _of_group(metric: Metric, labels: Labels, group: Collected, window: Window) -> Iterator[Series]:
    if metric.function == "quantile_over_time":
        for quantile in metric.quantiles:
            samples = {at: log2_quantile(quantile, step.buckets) for at, step in group.steps.items()}
            yield Series(labels=(*labels, ("p", quantile, Type.FLOAT)), samples=samples, exemplars=group.exemplars)
    elif metric.function == "histogram_over_time":
        bounds = sorted({bound for step in group.steps.values() for bound in step.buckets})
        for bound in bounds:
            samples = {at: float(step.buckets.get(bound, 0)) for at, step in group.steps.items()}
            exemplars = [item for item in group.exemplars if item.value is not None and log2_bound(item.value) == bound]
            yield Series(labels=(*labels, ("__bucket", bound, Type.FLOAT)), samples=samples, exemplars=exemplars)
    else:
        samples = {at: _simple(metric.function, step, window) for at, step in group.steps.items()}
        named: Labels = labels or (("__name__", metric.function, Type.STRING),)
        yield Series(labels=named, samples=samples, exemplars=group.exemplars)


def _simple(function: str, step: Observations, window: Window) -> float:
    match function:
        case "rate":
            return step.count / (window.step_ns / SECOND)
        case "count_over_time":
            return float(step.count)
        case "min_over_time":
            return step.least
        case "max_over_time":
            return step.most
        case "sum_over_time":
            return step.total
    return step.total / step.count


def _ranked(ranking: Ranking, series: Sequence[Series]) -> list[Series]:
    """Each step's highest (or lowest) series; one that is nowhere among them is left out."""
    kept: list[dict[int, float]] = [{} for _ in series]
    for at in {at for item in series for at in item.samples}:
        values_at = [(item.samples[at], index) for index, item in enumerate(series) if at in item.samples]
        values_at.sort(key=lambda pair: pair[0], reverse=ranking.function == "topk")
        for value, index in values_at[: ranking.count]:
            kept[index][at] = value
    return [
        Series(labels=item.labels, samples=samples, exemplars=item.exemplars)
        for item, samples in zip(series, kept, strict=True)
        if samples
    ]


COUNTED = ("rate", "count_over_time", "quantile_over_time", "histogram_over_time")


def _range_json(series: Series, window: Window, shown: Sequence[Shown], limit: int) -> Json:
    names = {name for name, _, _ in series.labels}
    samples = []
    for at_ns in range(window.start_ns, window.end_ns + 1, window.step_ns):
        value = series.samples.get(at_ns)
        samples.append({"timestampMs": str(at_ns // 1_000_000)} | ({"value": value} if value else {}))
    answer: dict[str, object] = {"labels": [key_value(*label) for label in series.labels], "samples": samples}
    exemplars = [_exemplar(item, series, shown) for item in series.exemplars[:limit]]
    if exemplars and names:
        answer["exemplars"] = exemplars
    return answer


def _exemplar(exemplar: Exemplar, series: Series, shown: Sequence[Shown]) -> Json:
    found = values(shown, exemplar.span, exemplar.view)
    labels = [key_value(str(name), value, kind) for name, (value, kind) in found.items()]
    value = exemplar.value if exemplar.value is not None else series.samples.get(exemplar.at_ns, 0.0)
    return {
        "labels": [*labels, key_value("trace:id", exemplar.view.hex_id)],
        "value": value,
        "timestampMs": str(exemplar.at_ns // 1_000_000),
    }
