"""Data frames: the JSON in which Grafana answers queries."""

import math
import re
from collections.abc import Mapping, Sequence

from stack.standins.grafana.durations import format_step
from stack.standins.grafana.expressions.values import Number, Series, Value, Values
from stack.standins.grafana.labels import Labels
from stack.standins.grafana.plan import Query
from stack.standins.grafana.prometheus import Answer, Sampled

Frame = dict[str, object]

_LEGEND = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_TYPES = {"matrix": "timeseries-multi", "vector": "numeric-multi", "scalar": "numeric-multi"}


def series_name(query: Query, labels: Labels) -> str:
    """
    How a series is called: by its legend, else as PromQL would write it, else by the query.
    """
    if query.legend and query.legend != "__auto":
        return _LEGEND.sub(lambda match: labels.get(match[1], ""), query.legend)
    if query.legend == "__auto" and len(labels) == 1:
        return next(iter(labels.values()))
    if not labels:
        return query.expr
    metric = labels.get("__name__", "")
    inner = ", ".join(f'{name}="{labels[name]}"' for name in sorted(labels) if name != "__name__")
    return f"{metric}{{{inner}}}"


def frames_of(query: Query, answer: Answer) -> Sequence[Frame]:
    """
    The frames of one answer: one per series, or a single one without fields when there is none.
    """
    found = [_frame(query, answer, series) for series in answer.series]
    return found or [_empty(query, answer)]


def values_of(query: Query, answers: Sequence[Answer]) -> Values:
    """
    The answers as input of expressions: numbers of an instant query, series of a range query.
    """
    items: list[Value] = []
    for answer in answers:
        for series in answer.series:
            name = series_name(query, series.labels)
            values = [_number(text) for _, text in series.points]
            if answer.kind != "matrix" and not query.ranged:
                items.append(Number(labels=series.labels, value=values[-1], name=name))
            else:
                times = [round(at * 1000) for at, _ in series.points]
                items.append(Series(labels=series.labels, times_ms=times, values=values, name=name))
    return Values(items=items, notices=[text for answer in answers for text in answer.notices])


def input_frames(query: Query, answers: Sequence[Answer]) -> Sequence[Frame]:
    """
    The frames of a query that an expression reads: Grafana shows them as the expression saw them.
    """
    found = []
    for answer in answers:
        for series in answer.series:
            name = series_name(query, series.labels)
            if answer.kind != "matrix":
                item = Number(labels=series.labels, value=_number(series.points[-1][1]), name=name)
                found.append(value_frame(query.ref, item))
                continue
            frame = _frame(query, answer, series)
            fields = frame["schema"]["fields"]  # type: ignore[index]
            fields[1]["name"], fields[1]["typeInfo"] = name, {"frame": "float64", "nullable": True}
            found.append(frame)
    return found


def values_frames(ref: str, values: Values) -> Sequence[Frame]:
    """
    The frames of an expression's result.
    """
    found = [value_frame(ref, item, values) for item in values.items]
    return found or [{"schema": {"refId": ref, "fields": []}, "data": {"values": []}}]


def value_frame(ref: str, item: Value, values: Values | None = None) -> Frame:
    """
    The frame of one number or series.
    """
    field: dict[str, object] = {"type": "number", "typeInfo": {"frame": "float64", "nullable": True}}
    if values is None or values.matches is None:
        field = {"name": item.name or ref, **field, **({"labels": dict(item.labels)} if item.labels else {})}
    meta = _meta(values) if values else {}
    columns: list[list[object]] = [list(item.values)] if isinstance(item, Series) else [[item.value]]
    fields = [field]
    if isinstance(item, Series):
        fields.insert(0, {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}})
        columns.insert(0, list(item.times_ms))
    schema = {"refId": ref, **({"meta": meta} if meta else {}), "fields": fields}
    return {"schema": schema, "data": _data(columns)}


def _meta(values: Values) -> dict[str, object]:
    meta: dict[str, object] = {}
    if values.matches is not None:
        meta["custom"] = list(values.matches)
    if values.notices:
        meta["notices"] = [{"severity": "warning", "text": text} for text in values.notices]
    return meta


def _frame(query: Query, answer: Answer, series: Sampled) -> Frame:
    name = series_name(query, series.labels)
    kind = "string" if answer.kind == "string" else "number"
    values: list[object] = [text if kind == "string" else _number(text) for _, text in series.points]
    fields = [
        {
            "name": "Time",
            "type": "time",
            "typeInfo": {"frame": "time.Time"},
            "config": {"interval": round(query.step_s * 1000)},
        },
        {
            "name": "Value",
            "type": kind,
            "typeInfo": {"frame": "string" if kind == "string" else "float64"},
            "labels": dict(series.labels),
            "config": {"displayNameFromDS": name},
        },
    ]
    schema = {"name": name, "refId": query.ref, "meta": _query_meta(query, answer), "fields": fields}
    return {"schema": schema, "data": _data([[round(at * 1000) for at, _ in series.points], values])}


def _empty(query: Query, answer: Answer) -> Frame:
    schema = {"refId": query.ref, "meta": _query_meta(query, answer), "fields": []}
    return {"schema": schema, "data": {"values": []}}


def _query_meta(query: Query, answer: Answer) -> Mapping[str, object]:
    meta: dict[str, object] = {
        "type": _TYPES.get(answer.kind, "numeric-multi"),
        "typeVersion": [0, 1],
        "custom": {"resultType": answer.kind},
        "executedQueryString": f"Expr: {query.expr}\nStep: {format_step(query.step_s)}",
    }
    if answer.notices:
        meta["notices"] = [{"severity": "warning", "text": text} for text in answer.notices]
    return meta


def _data(columns: Sequence[Sequence[object]]) -> dict[str, object]:
    # JSON has no NaN: such values are null, and where they were is told beside.
    entities: list[object] = []
    shown: list[list[object]] = []
    for column in columns:
        special: dict[str, list[int]] = {}
        row: list[object] = []
        for index, value in enumerate(column):
            if isinstance(value, float) and not math.isfinite(value):
                special.setdefault("NaN" if math.isnan(value) else "Inf" if value > 0 else "NegInf", []).append(index)
                value = None
            row.append(int(value) if isinstance(value, float) and value.is_integer() else value)
        entities.append(special or None)
        shown.append(row)
    return {"values": shown, **({"entities": entities} if any(entities) else {})}


def _number(text: str) -> float:
    return float(text)
