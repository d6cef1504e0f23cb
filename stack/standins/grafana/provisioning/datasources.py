"""Datasources: where queries go."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stack.standins.grafana.document import Entry
from stack.standins.grafana.durations import parse_duration

PROMETHEUS, TEMPO, ALERTMANAGER = "prometheus", "tempo", "alertmanager"
TYPES = (PROMETHEUS, TEMPO, ALERTMANAGER)
KEYS = (
    "name",
    "uid",
    "type",
    "access",
    "orgId",
    "url",
    "user",
    "database",
    "basicAuth",
    "basicAuthUser",
    "withCredentials",
    "isDefault",
    "jsonData",
    "secureJsonData",
    "version",
    "editable",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Datasource:
    """One datasource; the password is for requests only and is shown nowhere."""

    id: int
    uid: str
    name: str
    type: str
    url: str
    access: str = "proxy"
    is_default: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    json_data: Mapping[str, object] = field(default_factory=dict)
    secure_keys: Sequence[str] = ()
    read_only: bool = True

    @property
    def scrape_interval(self) -> str:
        """
        The configured scrape interval, or nothing.
        """
        return str(self.json_data.get("timeInterval") or "")

    @property
    def posts(self) -> bool:
        """
        Whether queries are sent by POST.
        """
        return str(self.json_data.get("httpMethod", "POST")).upper() != "GET"


def read_datasources(documents: Sequence[Entry]) -> Sequence[Datasource]:
    """
    The datasources of all files in order; ProvisioningError for what the stand-in cannot do or Grafana refuses.
    """
    found = list(_read(documents))
    for index, (entry, one) in enumerate(found):
        for _, other in found[:index]:
            if one.uid == other.uid or one.name == other.name:
                raise entry.error(f"datasource {one.name!r} (uid {one.uid!r}) is provisioned twice", "name")
    defaults = [entry for entry, one in found if one.is_default]
    if len(defaults) > 1:
        raise defaults[1].error("Only one datasource per organization can be marked as default", "isDefault")
    return [one for _, one in found]


def _read(documents: Sequence[Entry]) -> Iterator[tuple[Entry, Datasource]]:
    number = 0
    for document in documents:
        document.know("datasource file", ("apiVersion", "prune", "deleteDatasources", "datasources"))
        for entry in document.entries("datasources"):
            number += 1
            yield entry, _datasource(entry, number)


def _datasource(entry: Entry, number: int) -> Datasource:
    entry.know("datasource", KEYS)
    name, kind = entry.text("name"), entry.text("type")
    if not name:
        raise entry.error("a datasource needs a name")
    if kind not in TYPES:
        raise entry.error(
            f"datasource type {kind!r} is not supported by the stand-in; known: {', '.join(TYPES)}", "type"
        )
    access = entry.text("access", "proxy")
    if access not in ("proxy", ""):
        raise entry.error(f"access {access!r} is not supported by the stand-in; known: proxy", "access")
    url = entry.text("url")
    if not re.match(r"https?://", url):
        raise entry.error(f"url must begin with http:// or https://, found {url!r}", "url")
    json_data = entry.expanded_tree(entry.entry("jsonData").tree)
    secure = entry.expanded_tree(entry.entry("secureJsonData").tree)
    assert isinstance(json_data, dict)
    assert isinstance(secure, dict)
    _check_interval(entry, json_data)
    return Datasource(
        id=number,
        uid=entry.text("uid") or re.sub(r"\W+", "-", name.lower()),
        name=name,
        type=kind,
        url=url.rstrip("/"),
        is_default=entry.flag("isDefault", False),
        user=entry.text("basicAuthUser") if entry.flag("basicAuth", False) else "",
        password=str(secure.get("basicAuthPassword", "")),
        json_data=json_data,
        secure_keys=tuple(secure),
    )


def _check_interval(entry: Entry, json_data: Mapping[str, object]) -> None:
    interval = str(json_data.get("timeInterval") or "")
    try:
        if interval:
            parse_duration(interval)
    except ValueError as error:
        raise entry.error(f"jsonData.timeInterval: {error}", "jsonData") from error
