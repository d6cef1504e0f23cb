"""Dashboard variables: what a browser would put in place of `$service`, `${datasource}` and `[[x]]`."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from stack.standins.grafana.provisioning.datasources import Datasource

ALL = "$__all"
LabelValues = Callable[[str, str, str], Awaitable[Sequence[str]]]
_USE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)\]\]|\$([A-Za-z]\w*)")
_LABEL_VALUES = re.compile(r"label_values\(\s*(?:(.*)\s*,\s*)?([\w.]+)\s*\)", re.DOTALL)


def substitute(text: str, values: Mapping[str, Sequence[str]]) -> str:
    """
    A text with the variables replaced as for PromQL: several values become a regular expression.
    """

    def one(match: re.Match[str]) -> str:
        found = values.get(match[1] or match[3] or match[4])
        if found is None:
            return match[0]
        return found[0] if len(found) == 1 else f"({'|'.join(found)})"

    return _USE.sub(one, text)


def substitute_tree(value: object, values: Mapping[str, Sequence[str]]) -> object:
    """
    A tree with the variables in each of its texts replaced.
    """
    if isinstance(value, dict):
        return {key: substitute_tree(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute_tree(item, values) for item in value]
    return substitute(value, values) if isinstance(value, str) else value


async def resolve(
    model: Mapping[str, object], datasources: Sequence[Datasource], given: Mapping[str, Sequence[str]], ask: LabelValues
) -> Mapping[str, Sequence[str]]:
    """
    The values of a dashboard's variables: those given in the address, else the saved, else the first that exist.
    """
    templating = model.get("templating")
    rows = templating.get("list") if isinstance(templating, dict) else None
    values: dict[str, Sequence[str]] = {}
    for row in rows if isinstance(rows, list) else ():
        name = str(row.get("name", ""))
        values[name] = given.get(f"var-{name}") or await _value(row, datasources, values, ask)
    return values


async def _value(
    row: Mapping[str, object], datasources: Sequence[Datasource], known: Mapping[str, Sequence[str]], ask: LabelValues
) -> Sequence[str]:
    saved = _saved(row)
    kind, query = row.get("type"), row.get("query")
    if kind == "datasource":
        fitting = [one.uid for one in datasources if one.type == query]
        return saved if saved and saved[0] in fitting else fitting[:1]
    if ALL in saved:
        return [str(row.get("allValue") or ".*")]
    if saved or kind != "query":
        return saved or [str(query).split(",")[0].strip() if isinstance(query, str) else ""]
    text = str(query.get("query", "")) if isinstance(query, dict) else str(query)
    match = _LABEL_VALUES.fullmatch(substitute(text, known).strip())
    if match is None:
        return [".*"]
    holder = row.get("datasource")
    uid = substitute(str(holder.get("uid", "")) if isinstance(holder, dict) else str(holder), known)
    found = await ask(uid, match[2], match[1] or "")
    return found if row.get("multi") or row.get("includeAll") else found[:1]


def _saved(row: Mapping[str, object]) -> Sequence[str]:
    current = row.get("current")
    value = current.get("value") if isinstance(current, dict) else None
    rows = value if isinstance(value, list) else [value]
    return [str(one) for one in rows if one not in (None, "")]
