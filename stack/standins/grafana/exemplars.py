"""The frame of a query's exemplars."""

from collections.abc import Mapping, Sequence

from stack.standins.grafana.durations import format_step
from stack.standins.grafana.frames import Frame
from stack.standins.grafana.plan import Query


def exemplar_frame(query: Query, rows: Sequence[Mapping[str, object]]) -> Sequence[Frame]:
    """
    One frame with time, value and a column for each label of a series or exemplar; none without exemplars.
    """
    points = sorted(_points(rows), key=lambda point: point[0])
    if not points:
        return []
    names = sorted({name for _, _, labels in points for name in labels})
    fields: list[dict[str, object]] = [
        {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}},
        {"name": "Value", "type": "number", "typeInfo": {"frame": "float64"}},
    ]
    fields += [{"name": name, "type": "string", "typeInfo": {"frame": "string"}} for name in names]
    columns: list[list[object]] = [[at for at, _, _ in points], [value for _, value, _ in points]]
    columns += [[labels.get(name, "") for _, _, labels in points] for name in names]
    meta = {
        "custom": {"resultType": "exemplar"},
        "executedQueryString": f"Expr: {query.expr}\nStep: {format_step(query.step_s)}",
    }
    schema = {"name": "exemplar", "refId": query.ref, "meta": meta, "fields": fields}
    return [{"schema": schema, "data": {"values": columns}}]


def _points(rows: Sequence[Mapping[str, object]]) -> Sequence[tuple[int, float, Mapping[str, str]]]:
    found = []
    for row in rows:
        labels, exemplars = row.get("seriesLabels"), row.get("exemplars")
        assert isinstance(labels, dict)
        assert isinstance(exemplars, list)
        for one in exemplars:
            found.append((round(float(one["timestamp"]) * 1000), float(one["value"]), {**labels, **one["labels"]}))
    return found
