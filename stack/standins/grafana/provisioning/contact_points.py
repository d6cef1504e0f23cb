"""Contact points: named receivers, each with its webhooks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stack.standins.grafana.document import Entry

DEFAULT_RECEIVER = "grafana-default-email"
NOOP = "grafana://noop"
KNOWN_TYPES = frozenset(
    {
        "alertmanager",
        "dingding",
        "discord",
        "email",
        "googlechat",
        "jira",
        "kafka",
        "line",
        "mqtt",
        "oncall",
        "opsgenie",
        "pagerduty",
        "prometheus-alertmanager",
        "pushover",
        "sensugo",
        "slack",
        "sns",
        "teams",
        "telegram",
        "threema",
        "victorops",
        "webex",
        "webhook",
        "wecom",
    }
)
SETTINGS = (
    "url",
    "httpMethod",
    "maxAlerts",
    "username",
    "password",
    "authorization_scheme",
    "authorization_credentials",
    "headers",
)
NOT_HERE = ("title", "message", "tlsConfig", "hmacConfig", "http_config", "payload")
SECRETS = ("password", "authorization_credentials")


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One way of a contact point to tell; secrets are for requests only."""

    uid: str
    kind: str
    url: str = ""
    method: str = "POST"
    max_alerts: int = 0
    sends_resolved: bool = True
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    settings: Mapping[str, object] = field(default_factory=dict, repr=False)
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """A named receiver; `provenance` is empty for Grafana's own default."""

    name: str
    integrations: Sequence[Integration]
    provenance: str = "file"


DEFAULT = ContactPoint(
    name=DEFAULT_RECEIVER,
    integrations=(
        Integration(uid="", kind="email", settings={"addresses": "<example@email.com>"}, label="email receiver"),
    ),
    provenance="",
)


def read_contact_points(documents: Sequence[Entry]) -> Sequence[ContactPoint]:
    """
    Grafana's default receiver and those of all files; ProvisioningError for what cannot be sent from here.
    """
    found: dict[str, ContactPoint] = {DEFAULT_RECEIVER: DEFAULT}
    uids: dict[str, Entry] = {}
    for document in documents:
        for entry in document.entries("contactPoints"):
            name = entry.text("name")
            if not name:
                raise entry.error("a contact point needs a name")
            entry.know("contact point", ("orgId", "name", "receivers"))
            integrations = list(_integrations(entry, name, uids))
            earlier = found[name].integrations if name in found and name != DEFAULT_RECEIVER else ()
            found[name] = ContactPoint(name=name, integrations=(*earlier, *integrations))
    return list(found.values())


def _integrations(contact: Entry, name: str, uids: dict[str, Entry]) -> Iterator[Integration]:
    for entry in contact.entries("receivers"):
        uid = entry.text("uid")
        if uid in uids:
            raise entry.error(f"receiver uid {uid!r} is used twice, also at {uids[uid].at('uid')}", "uid")
        uids[uid] = entry
        entry.know("receiver", ("uid", "type", "settings", "secureSettings", "disableResolveMessage"))
        kind = entry.text("type")
        if kind not in KNOWN_TYPES:
            raise entry.error(f"{name}: unknown type '{kind}'; known here: webhook", "type")
        if kind != "webhook":
            raise entry.error(f"{name}: receiver type {kind!r} is not supported by the stand-in: use webhook", "type")
        yield _webhook(entry, name, uid)


def _webhook(entry: Entry, name: str, uid: str) -> Integration:
    settings = entry.entry("settings")
    for key in NOT_HERE:
        if settings.tree.get(key):
            raise settings.error(f"{name}: webhook setting {key!r} is not supported by the stand-in: leave it out", key)
    settings.know("webhook settings", SETTINGS)
    url = settings.text("url")
    if not url:
        raise entry.error(
            f"{name}: failed to validate receiver of type \"webhook\": required field 'url' is not specified"
        )
    if not url.startswith(("http://", "https://")) and url != NOOP:
        raise settings.error(f"{name}: url must begin with http:// or https://, found {url!r}", "url")
    method = settings.text("httpMethod", "POST").upper()
    if method not in ("POST", "PUT"):
        raise settings.error(f"{name}: httpMethod must be POST or PUT, found {method!r}", "httpMethod")
    secret = entry.entry("secureSettings")
    expanded = settings.expanded_tree(settings.tree)
    assert isinstance(expanded, dict)
    return Integration(
        uid=uid,
        kind="webhook",
        url=url,
        method=method,
        max_alerts=max(0, settings.number("maxAlerts", 0)),
        sends_resolved=not entry.flag("disableResolveMessage", False),
        headers=_headers(settings, secret, name),
        user=settings.text("username"),
        password=settings.text("password") or secret.text("password"),
        settings={key: "[REDACTED]" if key in SECRETS else value for key, value in expanded.items()},
        label=name,
    )


def _headers(settings: Entry, secret: Entry, name: str) -> Mapping[str, str]:
    headers = {key: settings.expanded(value) for key, value in settings.texts("headers").items()}
    credentials = settings.text("authorization_credentials") or secret.text("authorization_credentials")
    if credentials and settings.text("username"):
        raise settings.error(
            f"{name}: both HTTP Basic Authentication and Authorization Header are set, only 1 is permitted"
        )
    if credentials:
        headers["Authorization"] = f"{settings.text('authorization_scheme', 'Bearer')} {credentials}"
    return headers
