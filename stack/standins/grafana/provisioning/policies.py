"""Notification policies: from YAML to the policy tree."""

from collections.abc import Mapping, Sequence

from stack.standins.grafana.document import Entry
from stack.standins.grafana.notify.routes import DEFAULT_TIMING, Matcher, Route, Timing, timing_json
from stack.standins.grafana.provisioning.contact_points import DEFAULT_RECEIVER

KEYS = (
    "orgId",
    "receiver",
    "group_by",
    "group_wait",
    "group_interval",
    "repeat_interval",
    "mute_time_intervals",
    "active_time_intervals",
    "object_matchers",
    "matchers",
    "match",
    "match_re",
    "continue",
    "routes",
)
DEFAULT_WRITTEN: Mapping[str, object] = {
    "receiver": DEFAULT_RECEIVER,
    "group_by": ["grafana_folder", "alertname"],
}
DEFAULT_ROUTE = Route(
    receiver=DEFAULT_RECEIVER,
    timing=Timing(group_by=("grafana_folder", "alertname")).below(DEFAULT_TIMING),
    written=DEFAULT_WRITTEN,
)


def read_policies(documents: Sequence[Entry], receivers: Sequence[str], mute_timings: Sequence[str]) -> Route:
    """
    The policy tree of the last file that has one, else Grafana's default of one policy.
    """
    trees = [entry for document in documents for entry in document.entries("policies")]
    for entry in trees[:-1]:
        entry.warn(f"this policy tree is replaced by the one at {trees[-1].at()}")
    if not trees:
        return DEFAULT_ROUTE
    return _Reader(receivers, mute_timings).route(trees[-1], DEFAULT_TIMING, "", DEFAULT_RECEIVER)


class _Reader:
    def __init__(self, receivers: Sequence[str], mute_timings: Sequence[str]) -> None:
        self._receivers = receivers
        self._mute_timings = mute_timings

    def route(self, entry: Entry, inherited: Timing, above: str, receiver: str) -> Route:
        entry.know("policy", KEYS)
        receiver = entry.text("receiver") or receiver
        if receiver not in self._receivers:
            known = ", ".join(self._receivers)
            problem = f"invalid object specification: receiver '{receiver}' does not exist; known: {known}"
            raise entry.error(problem, "receiver")
        timing = Timing.read(entry, inherited)
        for key, names in (("mute_time_intervals", timing.mute_times), ("active_time_intervals", timing.active_times)):
            for name in names:
                if name not in self._mute_timings:
                    raise entry.error(f"mute time interval {name!r} does not exist", key)
        matchers = _matchers(entry)
        if not above and matchers:
            raise entry.error("the root policy must not have matchers")
        key = f"{above}/{{{','.join(map(str, matchers))}}}" if above else "{}"
        return Route(
            receiver=receiver,
            timing=timing,
            matchers=matchers,
            goes_on=entry.flag("continue", False),
            routes=[self.route(row, timing, key, receiver) for row in entry.entries("routes")],
            key=key,
            written=_written(entry, matchers),
        )


def _matchers(entry: Entry) -> Sequence[Matcher]:
    found: list[Matcher] = []
    rows = entry.tree.get("object_matchers") or []
    if not isinstance(rows, list):
        raise entry.error(f"object_matchers must be a list, found {rows!r}", "object_matchers")
    for row in rows:
        if not isinstance(row, list) or len(row) != 3:
            raise entry.error(f"a matcher is [label, operator, value], found {row!r}", "object_matchers")
        name, operator, value = (str(item) for item in row)
        found.append(_matcher(entry, name, operator, value, "object_matchers"))
    if entry.tree.get("matchers"):
        raise entry.error("matchers is not supported by the stand-in: write object_matchers", "matchers")
    for key, operator in (("match", "="), ("match_re", "=~")):
        found += [_matcher(entry, name, operator, value, key) for name, value in entry.texts(key).items()]
    return found


def _matcher(entry: Entry, name: str, operator: str, value: str, key: str) -> Matcher:
    try:
        return Matcher(name=name, operator=operator, value=entry.expanded(value))
    except ValueError as error:
        raise entry.error(str(error), key) from error


def _written(entry: Entry, matchers: Sequence[Matcher]) -> Mapping[str, object]:
    own = Timing.read(entry, Timing())
    shown: dict[str, object] = {"receiver": entry.text("receiver")} if entry.text("receiver") else {}
    if own.group_by:
        shown["group_by"] = list(own.group_by)
    if matchers:
        shown["object_matchers"] = [[matcher.name, matcher.operator, matcher.value] for matcher in matchers]
    if entry.flag("continue", False):
        shown["continue"] = True
    for key, names in (("mute_time_intervals", own.mute_times), ("active_time_intervals", own.active_times)):
        if names:
            shown[key] = list(names)
    routes = [_written(row, _matchers(row)) for row in entry.entries("routes")]
    return {**shown, **({"routes": routes} if routes else {}), **timing_json(own)}
