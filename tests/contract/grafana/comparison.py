"""What of two answers must be the same: all but what differs from run to run, and what the table of differences names."""

import json
import re
from typing import Any

from tests.contract.grafana.differences import ONLY_IN_13

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
VAR = re.compile(r"\[ var='[^]]*? \]")
SILENCE_ORG = re.compile(r"(alerting/silence/new\?\S*?)&orgId=1")
VIEW_ORG = re.compile(r"(alerting/grafana/[\w-]+/view)\?orgId=1")
IN_13_BESIDE = {"health": ("uid", "provenance"), "ruleGroup": ("provenance",), "generatorURL": ("orgId",)}
DROPPED = {key for keys in ONLY_IN_13.values() for key in keys} - {"provenance", "uid", "orgId", "version", "updated"}
# Differ from run to run (or from one Grafana to the next).
ANY = (
    "accessErrorId",
    "created",
    "updated",
    "createdAt",
    "updatedAt",
    "lastEvaluation",
    "evaluationTime",
    "activeAt",
    "startsAt",
    "endsAt",
    "silenceID",
    "buildstamp",
    "commit",
    "dashboardId",
    "folderId",
    "namespace_id",
    "version",
)
# 9.4 forgets the comma before the third value of a message.
JOINED = re.compile(r"(=[\d.]+)([A-Z]=)")
ERROR_LINE = re.compile(r"\n - Error = [^\n]*")
FOLDER_UIDS = ("DLjrdDROk", "f89318b8317138")
UNORDERED = ("groups", "alerts", "receivers", "rules", "Drills")


def comparable(value: Any, key: str = "") -> Any:
    """
    An answer without what may differ.

    Times become their shape, ids of the alerts' folder become one word, the order of `$value`'s parts (random in 9.4)
    is sorted, and values of a frame's time column become how many they are.
    """
    if isinstance(value, dict):
        if "frames" in value and "error" in value:
            value = {"error": value["error"]}
        dropped = DROPPED | {key for mark, keys in IN_13_BESIDE.items() if mark in value for key in keys}
        return {
            name: comparable(item, name)
            for name, item in value.items()
            if name not in dropped
            and not (key in ("annotations", "commonAnnotations") and name == "Error")
            and not (name == "traceID" and item == "")
        }
    if isinstance(value, list) and key != "silencedBy":
        items = [comparable(item, key) for item in value]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if key in UNORDERED else items
    if key == "silencedBy" and isinstance(value, list):
        return len(value)
    if key in ANY and not (key in ("activeAt", "startsAt", "endsAt") and str(value).startswith("0001")):
        return type(value).__name__
    if key == "value" and isinstance(value, float) and value > 1e9:
        return "<epoch>"
    return text(value) if isinstance(value, str) else value


def text(value: str) -> str:
    """
    A text without times, folder ids, and with sorted values.
    """
    value = value.replace("127.0.0.1:18010", "shop:8000").replace("127.0.0.1%3A18010", "shop%3A8000")
    for uid in FOLDER_UIDS:
        value = value.replace(uid, "<folder>")
    value = VIEW_ORG.sub(r"\1", SILENCE_ORG.sub(r"\1", value)).replace(
        "instance%3D127.0.0.1%3A18010", "instance%3Dshop%3A8000"
    )
    value = ERROR_LINE.sub("", value)
    value = JOINED.sub(r"\1, \2", value)
    found = sorted(VAR.findall(value))
    value = VAR.sub(lambda _: found.pop(0), value)
    return TIME.sub("<time>", value)


def frames(body: Any) -> Any:
    """
    An answer to queries, as 9.4 and 13 both have it: 13's empty frames left out, types of instant frames alike.
    """
    if not isinstance(body, dict) or "results" not in body:
        return body
    results = {}
    for ref, result in body["results"].items():
        if result.get("error"):
            results[ref] = {"error": result["error"]}
            continue
        kept = [frame for frame in result["frames"] if frame["schema"].get("fields")]
        results[ref] = {**result, "frames": [_frame(frame) for frame in kept]}
    return {"results": results}


def _frame(frame: Any) -> Any:
    schema = dict(frame["schema"])
    if "meta" in schema:
        meta = {key: value for key, value in schema["meta"].items() if key != "typeVersion"}
        schema["meta"] = {**meta, "type": "any"} if "type" in meta else meta
    fields = schema["fields"]
    values = [
        len(column) if field.get("type") == "time" and len(column) == 1 else column
        for field, column in zip(fields, frame["data"]["values"], strict=True)
    ]
    return {"schema": schema, "data": {**frame["data"], "values": values}}
