"""Rule files: from YAML to alert rules, refusing what Grafana refuses and naming what it drops."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stack.standins.grafana.document import Entry
from stack.standins.grafana.durations import format_duration, parse_duration
from stack.standins.grafana.expressions.reading import EXPRESSION_UIDS, read_command
from stack.standins.grafana.expressions.values import ExpressionError
from stack.standins.grafana.notify.routes import Timing
from stack.standins.grafana.provisioning.dashboards import folder_uid
from stack.standins.grafana.provisioning.rule_texts import read_annotations, read_labels
from stack.standins.grafana.provisioning.rules import (
    ERROR_STATES,
    NO_DATA_STATES,
    Direct,
    Query,
    Rule,
    ordered,
)
from stack.standins.grafana.settings import Settings

GROUP_KEYS = ("orgId", "name", "folder", "interval", "rules", "limit")
RULE_KEYS = (
    "uid",
    "title",
    "condition",
    "data",
    "for",
    "keepFiringFor",
    "missing_series_evals_to_resolve",
    "noDataState",
    "execErrState",
    "isPaused",
    "labels",
    "annotations",
    "dashboardUid",
    "panelId",
    "notification_settings",
    "record",
)
QUERY_KEYS = ("refId", "queryType", "relativeTimeRange", "datasourceUid", "model")
DIRECT_KEYS = (
    "receiver",
    "group_by",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "mute_time_intervals",
    "active_time_intervals",
)
MAX_UID = 40
MODEL_DEFAULTS = {"intervalMs": 1000, "maxDataPoints": 43200}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a rule file is read against: the settings, and the datasources and receivers that there are."""

    settings: Settings
    datasource_uids: Sequence[str]
    receivers: Sequence[str]
    folders: Mapping[str, str]
    now_s: float


def read_rules(documents: Sequence[Entry], world: World) -> Sequence[Rule]:
    """
    The rules of all files in order; ProvisioningError where Grafana would not start.
    """
    kept: dict[str, tuple[Entry, Rule]] = {}
    for document in documents:
        for group in document.entries("groups"):
            for entry, rule in _group(group, world):
                _check_unique(entry, rule, kept)
                kept.pop(rule.uid, None)
                kept[rule.uid] = (entry, rule)
    return [replace(rule, id=number) for number, (_, rule) in enumerate(kept.values(), 1)]


def _check_unique(entry: Entry, rule: Rule, kept: Mapping[str, tuple[Entry, Rule]]) -> None:
    for other_entry, other in kept.values():
        if other.uid == rule.uid:
            entry.warn(
                f"uid {rule.uid!r} is used twice, also at {other_entry.at()}: Grafana silently drops one of the rules",
                "uid",
            )
        elif (other.title, other.folder) == (rule.title, rule.folder):
            raise entry.error(
                "a conflicting alert rule is found: rule title under the same organisation and folder should be unique: "
                f"{rule.title!r} is also at {other_entry.at('title')}",
                "title",
            )


def _group(entry: Entry, world: World) -> Iterator[tuple[Entry, Rule]]:
    entry.know("rule group", GROUP_KEYS)
    name, folder = entry.text("name"), entry.text("folder")
    if not name:
        raise entry.error("rule group has no name set")
    if not folder:
        raise entry.error("rule group has no folder set")
    interval_s = _seconds(entry, "interval", "")
    tick_s = world.settings.tick_s
    if interval_s <= 0 or round(interval_s * 1000) % round(tick_s * 1000):
        raise entry.error(
            f"invalid alert rule: interval ({format_duration(interval_s)}) should be non-zero and divided exactly by "
            f"scheduler interval: {tick_s:g}",
            "interval",
        )
    for rule in entry.entries("rules"):
        yield rule, _rule(rule, world, name, folder, interval_s)


def _rule(entry: Entry, world: World, group: str, folder: str, interval_s: float) -> Rule:
    entry.know("rule", RULE_KEYS)
    uid, title = _identity(entry)
    if entry.tree.get("record") is not None:
        raise entry.error(f"rule {title!r}: recording rules are not supported by the stand-in", "record")
    queries = [_query(query, world) for query in entry.entries("data")]
    if not queries:
        raise entry.error(f"rule {title!r} failed to parse: no data set")
    condition = entry.text("condition")
    if not condition:
        raise entry.error(f"rule {title!r} failed to parse: no condition set")
    _check_queries(entry, queries, condition)
    return Rule(
        id=0,
        uid=uid,
        title=title,
        group=group,
        folder=folder,
        folder_uid=world.folders.get(folder) or folder_uid(folder),
        interval_s=interval_s,
        condition=condition,
        queries=queries,
        for_s=_seconds(entry, "for", title),
        keep_firing_s=_seconds(entry, "keepFiringFor", title, "0s"),
        missing_evaluations=max(1, entry.number("missing_series_evals_to_resolve", 2)),
        no_data_state=_state(entry, "noDataState", NO_DATA_STATES, "NoData"),
        error_state=_state(entry, "execErrState", ERROR_STATES, "Alerting"),
        paused=entry.flag("isPaused", False),
        labels=read_labels(entry),
        annotations=read_annotations(entry),
        direct=_direct(entry, world),
        updated_s=world.now_s,
    )


def _identity(entry: Entry) -> tuple[str, str]:
    title, uid = entry.text("title"), entry.text("uid")
    if not title:
        raise entry.error("rule failed to parse: no title set")
    if not uid:
        raise entry.error(f"rule {title!r} failed to parse: no UID set")
    if len(uid) > MAX_UID or not re.fullmatch(r"[\w-]+", uid, re.ASCII):
        entry.warn(f"rule {title!r}: uid {uid!r} is not 1 to {MAX_UID} of a-z, A-Z, 0-9, - and _", "uid")
    return uid, title


def _query(entry: Entry, world: World) -> Query:
    entry.know("query", QUERY_KEYS)
    span = entry.entry("relativeTimeRange")
    model = {**MODEL_DEFAULTS, **entry.entry("model").tree}
    uid, ref = entry.text("datasourceUid"), entry.text("refId")
    command = None
    if uid in EXPRESSION_UIDS:
        try:
            command = read_command(ref, model)
        except ExpressionError as error:
            raise entry.error(f"expression {ref}: {error}", "model") from error
    elif uid not in world.datasource_uids:
        known = ", ".join(world.datasource_uids)
        entry.warn(f"query {ref}: datasource {uid!r} is unknown, Grafana accepts it; known: {known}", "datasourceUid")
    elif not model.get("expr"):
        entry.warn(f"query {ref}: model has no expr", "model")
    return Query(
        ref=ref,
        datasource_uid=uid,
        from_s=float(span.number("from", 0)),
        to_s=float(span.number("to", 0)),
        model=model,
        command=command,
    )


def _check_queries(entry: Entry, queries: Sequence[Query], condition: str) -> None:
    refs = [query.ref for query in queries]
    if condition not in refs:
        entry.warn(f"condition {condition!r} is no refId of the rule, Grafana accepts it; known: {', '.join(refs)}")
    if len(set(refs)) != len(refs) or not all(refs):
        raise entry.error(f"each query needs a refId of its own, found {', '.join(map(repr, refs))}", "data")
    try:
        ordered(queries)
    except ValueError as error:
        raise entry.error(str(error), "data") from error


def _direct(entry: Entry, world: World) -> Direct | None:
    settings = entry.entry("notification_settings")
    if not settings.tree:
        return None
    settings.know("notification_settings", DIRECT_KEYS)
    receiver = settings.text("receiver")
    if receiver not in world.receivers:
        known = ", ".join(world.receivers)
        raise settings.error(f"receiver {receiver!r} does not exist; known: {known}", "receiver")
    return Direct(receiver=receiver, timing=Timing.read(settings, Timing()))


def _state(entry: Entry, key: str, known: Sequence[str], default: str) -> str:
    state = entry.text(key, default) or default
    if state not in known:
        what = "NoData" if key == "noDataState" else "Error"
        raise entry.error(f"unknown {what} state option {state}; known: {', '.join(known)}", key)
    return state


def _seconds(entry: Entry, key: str, title: str, default: str = "") -> float:
    try:
        return parse_duration(entry.text(key, default))
    except ValueError as error:
        rule = f"rule {title!r} failed to parse: " if title else ""
        raise entry.error(f"{rule}{key}: {error}", key) from error
