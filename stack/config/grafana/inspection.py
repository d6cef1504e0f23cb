"""Inspection: mistakes in what a Grafana is provisioned with, above all those that it takes without a word."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from stack.config.grafana.durations import seconds
from stack.config.grafana.page_inspection import of_pages
from stack.config.grafana.provisioned import Found, Mistake, Provisioned
from stack.config.grafana.schema import Route, Rule
from stack.slo.grafana_rule import EXPRESSIONS_UID
from stack.slo.reading import suggestion

DEFAULT_TICK_S = 10
EXPRESSIONS = (EXPRESSIONS_UID, "-100")
"""The uid of expressions, and its older spelling."""


def inspect(files: Mapping[str, str], *, tick_s: int = DEFAULT_TICK_S) -> Sequence[Mistake]:
    """
    All mistakes in the files, given by their path below Grafana's configuration folder; none if all is well.

    `tick_s` is the tick of Grafana's scheduler: 10 unless it was told otherwise.
    """
    found = Provisioned.read(files)
    checks: Sequence[Callable[[Provisioned], Iterable[Mistake]]] = (
        _given_twice,
        lambda all_: _of_intervals(all_, tick_s),
        _of_rules,
        _of_links,
        _of_policies,
        _of_datasources,
        of_pages,
    )
    return [*found.mistakes, *(mistake for check in checks for mistake in check(found))]


# --- what must be unique ------------------------------------------------------------------------------------------


def _given_twice(found: Provisioned) -> Iterator[Mistake]:
    rules = [rule for _, rule in found.rules]
    titles = [(f"{group.value.folder}: {rule.value.title}", rule) for group, rule in found.rules]
    drops = "Grafana keeps only one of both and says nothing; give each its own"
    refuses = "Grafana refuses to start; give each its own"
    yield from _doubles("uid", [(rule.value.uid, rule) for rule in rules], drops)
    yield from _doubles("title", titles, refuses)
    yield from _doubles("name", [(point.value.name, point) for point in found.contact_points], refuses)
    yield from _doubles("uid", [(one.value.uid, one) for one in found.datasources if one.value.uid], refuses)
    yield from _doubles("name", [(one.value.name, one) for one in found.datasources], refuses)


def _doubles(key: str, named: Sequence[tuple[Hashable, Found[Any]]], effect: str) -> Iterator[Mistake]:
    first: dict[Hashable, Found[Any]] = {}
    for name, found in named:
        earlier = first.setdefault(name, found)
        if earlier is not found:
            yield found.mistake(f"{key} {name!r} is used twice, first at {earlier.place(key)}: {effect}", key)


# --- alert rules --------------------------------------------------------------------------------------------------


def _of_intervals(found: Provisioned, tick_s: int) -> Iterator[Mistake]:
    for group in found.groups:
        interval_s = seconds(group.value.interval)
        if interval_s <= 0 or interval_s % tick_s:
            text = f"interval {group.value.interval} is no multiple of the scheduler's tick of {tick_s}s"
            yield group.mistake(f"group {group.value.name!r}: {text}: Grafana refuses to start", "interval")


def _of_rules(found: Provisioned) -> Iterator[Mistake]:
    sources = {one.value.uid for one in found.datasources if one.value.uid}
    for _, rule in found.rules:
        refs = [step.refId for step in rule.value.data]
        yield from _of_condition(rule, refs)
        yield from _of_steps(rule, refs, sources)
        for key, text in rule.value.annotations.items():
            for ref_id in re.findall(r"\$values\.(\w+)", text):
                if ref_id not in refs:
                    yield rule.mistake(
                        _named(rule, f"{key} shows $values.{ref_id}; {_known(ref_id, refs)}"), "annotations", key
                    )


def _of_condition(rule: Found[Rule], refs: Sequence[str]) -> Iterator[Mistake]:
    if rule.value.record is not None:
        return
    if rule.value.for_ is None:
        yield rule.mistake(
            _named(rule, "has no `for`: Grafana refuses to start; write `for: 0s` if it may fire at once")
        )
    if rule.value.condition is None:
        yield rule.mistake(_named(rule, f"has no condition: Grafana refuses to start; {_known('', refs)}"))
    elif rule.value.condition not in refs:
        text = f"condition {rule.value.condition!r} is none of its queries, so it never fires; {_known(rule.value.condition, refs)}"
        yield rule.mistake(_named(rule, text), "condition")


def _of_steps(rule: Found[Rule], refs: Sequence[str], sources: set[str]) -> Iterator[Mistake]:
    for index, step in enumerate(rule.value.data):
        at = ("data", index)
        if refs.index(step.refId) != index:
            yield rule.mistake(
                _named(rule, f"refId {step.refId!r} is used twice; only one of both is asked"), *at, "refId"
            )
        if step.datasourceUid in EXPRESSIONS:
            for ref_id in _referred(step.model):
                if ref_id not in refs:
                    text = f"expression {step.refId} reads {ref_id!r}; {_known(ref_id, refs)}"
                    yield rule.mistake(_named(rule, text), *at, "model", "expression")
        elif step.datasourceUid not in sources:
            text = f"query {step.refId} asks datasource {step.datasourceUid!r}; {_known(step.datasourceUid, sources)}"
            yield rule.mistake(_named(rule, text), *at, "datasourceUid")


def _referred(model: Mapping[str, Any]) -> Sequence[str]:
    """The queries that an expression reads."""
    if model.get("type") == "classic_conditions":
        conditions = model.get("conditions", [])
        return [ref_id for one in conditions for ref_id in one.get("query", {}).get("params", [])[:1]]
    text = str(model.get("expression", ""))
    return re.findall(r"\$\{?(\w+)", text) if model.get("type") == "math" else [text]


def _of_links(found: Provisioned) -> Iterator[Mistake]:
    """A link from a notification that leads nowhere."""
    panels = {page.get("uid"): {panel.get("id") for panel in page["panels"]} for _, page in found.pages}
    for _, rule in found.rules:
        uid = rule.value.dashboardUid or rule.value.annotations.get("__dashboardUid__")
        if uid is None:
            continue
        panel = rule.value.panelId or int(rule.value.annotations.get("__panelId__", "0"))
        if uid not in panels:
            yield rule.mistake(
                _named(rule, f"links to dashboard {uid!r}; {_known(uid, map(str, panels))}"), "dashboardUid"
            )
        elif panel not in panels[uid]:
            known = ", ".join(map(str, sorted(panels[uid])))
            yield rule.mistake(_named(rule, f"links to panel {panel} of dashboard {uid!r}; known: {known}"), "panelId")


def _named(rule: Found[Rule], text: str) -> str:
    return f"rule {rule.value.title!r}: {text}"


def _known(word: str, known: Iterable[str]) -> str:
    words = sorted(known)
    return f"known: {', '.join(words) or 'none'}{suggestion(word, words)}"


# --- who is told --------------------------------------------------------------------------------------------------


def _of_policies(found: Provisioned) -> Iterator[Mistake]:
    receivers = [point.value.name for point in found.contact_points]
    for policy in found.policies:
        for at, route in _routes(policy.value, ()):
            if route.receiver is not None and route.receiver not in receivers:
                text = f"receiver {route.receiver!r} is no contact point: Grafana refuses to start; "
                yield policy.mistake(text + _known(route.receiver, receivers), *at, "receiver")
            if route.group_interval is not None and seconds(route.group_interval) <= 0:
                yield policy.mistake(
                    "group_interval must be above zero: Grafana refuses to start", *at, "group_interval"
                )
    for _, rule in found.rules:
        settings = rule.value.notification_settings
        if settings and settings.receiver not in receivers:
            text = f"notifies {settings.receiver!r}, which is no contact point; {_known(settings.receiver, receivers)}"
            yield rule.mistake(_named(rule, text), "notification_settings", "receiver")


def _routes(route: Route, at: Sequence[str | int]) -> Iterator[tuple[Sequence[str | int], Route]]:
    yield at, route
    for index, inner in enumerate(route.routes):
        yield from _routes(inner, (*at, "routes", index))


# --- datasources --------------------------------------------------------------------------------------------------


def _of_datasources(found: Provisioned) -> Iterator[Mistake]:
    known = {one.value.uid for one in found.datasources if one.value.uid}
    for one in found.datasources:
        for at, uid in _uids(one.value.jsonData, ("jsonData",)):
            if uid not in known:
                text = f"datasource {one.value.name!r}: {'.'.join(map(str, at))} links to datasource {uid!r}; {_known(uid, known)}"
                yield one.mistake(text, *at)
        for at, text in _texts(one.value.jsonData, ("jsonData",)):
            if variable := re.search(r"(?<!\$)\$(\$\$)*\{?(\w+)", text):
                said = f"datasource {one.value.name!r}: ${variable[2]} is taken from the environment; write $${variable[2]} to keep it"
                yield one.mistake(said, *at)


def _uids(data: Any, at: Sequence[str | int]) -> Iterator[tuple[Sequence[str | int], str]]:
    """The uids of datasources that settings refer to."""
    for place, text in _texts(data, at):
        if place[-1] in ("datasourceUid", "alertmanagerUid"):
            yield place, text


def _texts(data: Any, at: Sequence[str | int]) -> Iterator[tuple[Sequence[str | int], str]]:
    if isinstance(data, str):
        yield at, data
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from _texts(value, (*at, key))
