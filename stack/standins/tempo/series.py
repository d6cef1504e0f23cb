"""Metrics queries: rates, counts, quantiles and the like over time, as `/api/metrics/query_range` answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stack.standins.tempo.measure import Exemplar, Measured, Measurement, log2_bound, log2_quantile, reduce
from stack.standins.tempo.search import Views
from stack.standins.tempo.settings import Queries
from stack.standins.tempo.traceql import parse
from stack.standins.tempo.traceql.shown import Shown, shown_fields, values
from stack.standins.tempo.traceql.syntax import Intrinsic, Metric, Query, Ranking, Type
from stack.standins.tempo.values import Json, key_value, number, text
from stack.standins.tempo.windows import BadQuery, Steps, instant_step, positive, range_steps

GAPS = ("min_over_time", "max_over_time", "avg_over_time", "sum_over_time")  # no value where there is no span
Labels = Sequence[tuple[str, object, Type]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of the answer: its values by the end of their step."""

    labels: Labels
    samples: Mapping[int, float]
    exemplars: Sequence[Exemplar]


def query_range(parameters: Mapping[str, str], views: Views, queries: Queries, now_ns: int) -> Json:
    """
    The answer to a range query; BadQuery or QueryError when the request is wrong.
    """
    query, metric = _read(parameters, queries)
    steps = range_steps(parameters, queries, now_ns)
    measurement = Measurement(query, metric, steps, _exemplar_limit(parameters, query, queries))
    measurement.read(views())
    shown = shown_fields(query)
    series = [_range_json(item, shown) for item in make_series(metric, measurement, steps)]
    return {"series": series, "metrics": _metrics(measurement.size)}


def query_instant(parameters: Mapping[str, str], views: Views, queries: Queries, now_ns: int) -> Json:
    """
    The answer to an instant query: one value for the whole window.
    """
    query, metric = _read(parameters, queries)
    step = instant_step(parameters, queries, now_ns)
    measurement = Measurement(query, metric, step, exemplars=0)
    measurement.read(views())
    series = [_instant_json(item) for item in make_series(metric, measurement, step)]
    return {"series": series, "metrics": _metrics(measurement.size)}


def make_series(metric: Metric, measurement: Measurement, steps: Steps) -> Sequence[Series]:
    """
    The series of a metric, sorted by the values of their labels, after its rankings.
    """
    names = [str(item) for item in metric.by]
    kinds = [item.type if isinstance(item, Intrinsic) else Type.ATTRIBUTE for item in metric.by]
    series: Sequence[Series] = [
        made
        for group in sorted(measurement.groups, key=lambda values: [text(value) for value in values])
        for made in _of_group(metric, list(zip(names, group, kinds, strict=True)), measurement.groups[group], steps)
    ]
    for ranking in metric.rankings:
        series = _ranked(ranking, series)
    return series


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
    wanted = query.exemplars
    if wanted is None:
        wanted = queries.max_exemplars if asked in ("", "0") else positive(parameters, "exemplars", 0)
    return min(wanted, queries.max_exemplars)


def _of_group(metric: Metric, labels: Labels, measured: Measured, steps: Steps) -> Iterator[Series]:
    observed, exemplars = measured.steps, measured.exemplars
    if metric.function == "quantile_over_time":
        for quantile in metric.quantiles:
            by_step = {end: log2_quantile(quantile, step.buckets) for end, step in observed.items()}
            yield _series([*labels, ("p", quantile, Type.FLOAT)], by_step, exemplars, steps)
    elif metric.function == "histogram_over_time":
        for bound in sorted({bound for step in observed.values() for bound in step.buckets}):
            by_step = {end: float(step.buckets.get(bound, 0)) for end, step in observed.items()}
            own = [item for item in exemplars if log2_bound(item.value or 0) == bound]
            yield _series([*labels, ("__bucket", bound, Type.FLOAT)], by_step, own, steps)
    else:
        by_step = {end: reduce(metric.function, step, steps.step_ns) for end, step in observed.items()}
        named = labels or [("__name__", metric.function, Type.STRING)]
        if metric.function in GAPS:
            yield Series(labels=named, samples=dict(sorted(by_step.items())), exemplars=exemplars)
        else:
            yield _series(named, by_step, exemplars, steps)


def _series(labels: Labels, by_step: Mapping[int, float], exemplars: Sequence[Exemplar], steps: Steps) -> Series:
    return Series(labels=labels, samples={end: by_step.get(end, 0.0) for end in steps.ends()}, exemplars=exemplars)


def _ranked(ranking: Ranking, series: Sequence[Series]) -> Sequence[Series]:
    """Each step's highest (or lowest) values; a series that is nowhere among them is left out."""
    kept: list[dict[int, float]] = [{} for _ in series]
    for end in sorted({end for item in series for end in item.samples}):
        there = [index for index, item in enumerate(series) if end in item.samples]
        there.sort(key=lambda index: series[index].samples[end], reverse=ranking.function == "topk")
        for index in there[: ranking.count]:
            kept[index][end] = series[index].samples[end]
    return [
        Series(labels=item.labels, samples=samples, exemplars=[x for x in item.exemplars if x.end_ns in samples])
        for item, samples in zip(series, kept, strict=True)
        if samples
    ]


def _range_json(series: Series, shown: Sequence[Shown]) -> Json:
    samples = [{"timestampMs": _milliseconds(end), **_value(value)} for end, value in series.samples.items()]
    answer: dict[str, object] = {"labels": [key_value(*label) for label in series.labels], "samples": samples}
    if series.exemplars:
        answer["exemplars"] = [_exemplar(item, series, shown) for item in series.exemplars]
    return answer


def _instant_json(series: Series) -> Json:
    value = next(iter(series.samples.values()), 0.0)
    return {"labels": [key_value(*label) for label in series.labels], **_value(value)}


def _exemplar(exemplar: Exemplar, series: Series, shown: Sequence[Shown]) -> Json:
    found = values(shown, exemplar.span, exemplar.view)
    labels = [key_value(str(name), value, kind) for name, (value, kind) in found.items()]
    value = exemplar.value if exemplar.value is not None else series.samples.get(exemplar.end_ns, 0.0)
    return {
        "labels": [*labels, key_value("trace:id", exemplar.view.hex_id)],
        **_value(value),
        "timestampMs": _milliseconds(exemplar.end_ns),
    }


def _value(value: float) -> Mapping[str, object]:
    """Zero is left out, as protobuf's JSON does."""
    return {"value": number(value)} if value else {}


def _milliseconds(nanoseconds: int) -> str:
    return str(nanoseconds // 1_000_000)


def _metrics(size: int) -> Json:
    return ({"inspectedBytes": str(size)} if size else {}) | {"completedJobs": 1, "totalJobs": 1}
