"""Scenarios out of thin air, for property tests: anything that the language can say."""

from copy import deepcopy
from typing import Any, get_args

from hypothesis import strategies as st

from scenarios.model import ROLE_ROUTES, ROUTES, Link, Scenario
from scenarios.units import format_duration, format_ratio, format_size

durations = st.integers(1, 60_000_000).map(lambda us: format_duration(us / 1_000_000))
link_delays = st.integers(1_000, 60_000_000).map(lambda us: format_duration(us / 1_000_000))
shares = st.integers(1, 10**11).map(lambda parts: format_ratio(parts / 10**11))
sizes = st.integers(1, 10**9).map(format_size)
words = st.text("abcXYZ_", min_size=1, max_size=12)


def _app(kind: str, targets: list[str], **own: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"kind": st.just(kind), "target": st.sampled_from(targets), **own})


@st.composite
def _of_requests(draw: st.DrawFn) -> dict[str, Any]:
    target = draw(st.sampled_from(sorted(ROLE_ROUTES)))
    own: list[dict[str, Any]] = [
        {"kind": "latency", "delay": draw(durations), "jitter": draw(durations)},
        {"kind": "errors", "status": draw(st.integers(400, 599))},
        {"kind": "exception", "type": "KeyError"},
        {"kind": "hang"},
    ]
    fault = draw(st.sampled_from(own))
    return {
        **fault,
        "target": target,
        "route": draw(st.none() | st.sampled_from(ROLE_ROUTES[target])),
        "ratio": draw(shares),
    }


_ROLES = ["frontend", "catalog", "users"]
_LINKS = list(get_args(Link))
_bodies = st.one_of(
    _of_requests(),
    _app("slow_database", ["catalog", "users"], delay=durations, jitter=durations, ratio=shares),
    _app("telemetry_silent", _ROLES, signals=st.lists(st.sampled_from(["traces", "metrics", "logs"]), min_size=1)),
    _app("dependency_timeout", ["frontend"], upstream=st.sampled_from(["catalog", "users"]), ratio=shares),
    _app(
        "retry_storm", ["frontend"], upstream=st.just("users"), attempts=st.integers(2, 20), only_failed=st.booleans()
    ),
    _app("broken_context", ["frontend"], ratio=shares),
    _app("cpu", _ROLES, workers=st.integers(1, 16), load=shares),
    _app("memory_leak", _ROLES, mib_per_s=st.floats(0.001, 256), cap_mib=st.integers(1, 1024)),
    _app("label_cardinality", _ROLES, per_s=st.floats(0.001, 1000)),
    st.fixed_dictionaries({"kind": st.just("spike"), "factor": st.floats(1.001, 1000)}),
    st.fixed_dictionaries({"kind": st.just("drop"), "factor": st.floats(0.001, 0.999)}),
    _app("kill", ["collector", "tempo", *_ROLES]),
    _app("slow_link", _LINKS, delay=link_delays, jitter=durations),
    _app("throttled_link", _LINKS, rate=st.integers(1, 100_000)),
    _app("cut_link", _LINKS),
    _app("disk_full", ["prometheus", "tempo"]),
    st.fixed_dictionaries(
        {"kind": st.just("command"), "apply": st.lists(words, min_size=1), "heal": st.lists(words, min_size=1)}
    ),
    st.fixed_dictionaries(
        {
            "kind": st.just("http"),
            "apply": st.fixed_dictionaries({"url": st.just("http://x/break"), "body": st.none() | st.integers()}),
            "heal": st.fixed_dictionaries({"url": st.just("https://x/heal"), "method": st.just("DELETE")}),
        }
    ),
)


@st.composite
def _one_after_another(draw: st.DrawFn, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Faults that cannot be in each other's way."""
    return [
        body | {"at": f"{index * 10}s", "for": draw(st.sampled_from(["10s", "1s"]))}
        for index, body in enumerate(bodies)
    ]


def _alert(body: dict[str, Any]) -> dict[str, Any]:
    return {"alert": {"name": "Alert", **body}}


_span_shapes = st.fixed_dictionaries(
    {"kind": st.none() | st.sampled_from(["server", "client", "internal"])},
    optional={
        "service": st.none() | st.sampled_from(_ROLES),
        "name": words,
        "error": st.none() | st.booleans(),
        "attributes": st.dictionaries(words, st.booleans() | st.integers(0, 9) | st.floats(0, 1) | words, max_size=3),
        "min_duration": durations,
        "count": st.integers(1, 1000),
    },
)


_edges = st.sampled_from(["frontend -> catalog", "user->users", " catalog  -> database"])
_graphs = st.fixed_dictionaries(
    {"edges": st.lists(_edges, min_size=1, max_size=3), "within": shares},
    optional={"forbidden": st.lists(_edges), "slow_on": st.none() | _edges, "slower_than": durations},
)


_parts = st.sampled_from(["collector", "tempo", *_ROLES])
_states = st.fixed_dictionaries(
    {"name": _parts},
    optional={"down_within": st.just("1s"), "back_within": durations, "restarts": st.integers(0, 9), "except": _parts},
)
_recoveries = st.fixed_dictionaries(
    {"within": durations},
    optional={"lost": shares, "lost_at_least": st.just("0%")},
)
_gaps = st.fixed_dictionaries({"within": durations, "signal": st.just("metrics"), "gap": st.none() | durations})
_budgets = st.fixed_dictionaries(
    {"component": _parts, "memory": sizes}, optional={"cpu": st.none() | durations, "cores": st.floats(0.001, 1000)}
)

_treatments = st.one_of(
    st.fixed_dictionaries({"kind": st.just("sampling"), "ratio": shares}),
    st.fixed_dictionaries({"kind": st.just("export_interval"), "every": durations}),
    st.fixed_dictionaries({"kind": st.just("scrape_interval"), "every": st.integers(1, 60).map(format_duration)}),
    st.fixed_dictionaries({"kind": st.just("drop_label"), "label": st.just("http.route")}),
    st.fixed_dictionaries({"kind": st.just("memory_limit"), "mib": st.integers(1, 65_536)}),
    st.fixed_dictionaries({"kind": st.just("queue"), "spans": st.integers(1, 1_000_000)}),
    st.fixed_dictionaries({"kind": st.just("live_traces"), "traces": st.integers(1, 1_000_000)}),
)


_expectations = st.one_of(
    st.fixed_dictionaries({"component": _states}),
    st.fixed_dictionaries({"recovered": _recoveries | _gaps}),
    st.fixed_dictionaries({"budget": _budgets}),
    st.fixed_dictionaries(
        {"watchdog": st.fixed_dictionaries({"missing_within": st.just("1s"), "back_within": durations})}
    ),
    st.fixed_dictionaries(
        {"sli": st.fixed_dictionaries({"name": st.sampled_from(["availability", "p95"]), "within": shares})}
    ),
    st.fixed_dictionaries(
        {"silent": st.none() | st.fixed_dictionaries({"except": st.just("Alert") | st.just(["Alert", "Other"])})}
    ).filter(lambda item: item["silent"] is not None),
    st.fixed_dictionaries({"traces": st.fixed_dictionaries({"where": st.just("error"), "found": shares})}),
    st.fixed_dictionaries({"traces": st.fixed_dictionaries({"spans": st.lists(_span_shapes, max_size=2)})}),
    st.fixed_dictionaries({"service_graph": _graphs}),
    st.just({"semconv": {}}),
    st.fixed_dictionaries({"logs": st.fixed_dictionaries({"service": st.none() | st.just("users"), "found": shares})}),
    st.fixed_dictionaries({"exemplar": st.fixed_dictionaries({"slower_than": durations})}),
    st.fixed_dictionaries({"delivered": st.none() | st.fixed_dictionaries({"within": shares})}),
    st.fixed_dictionaries(
        {"within": durations, "resolves_within": st.none() | durations, "labels": st.dictionaries(words, words)},
        optional={
            "source": st.sampled_from(["prometheus", "grafana", "both"]),
            "annotations": st.dictionaries(words, words, max_size=2),
            "links": st.lists(st.sampled_from(["runbook", "rule", "panel"]), max_size=2),
        },
    ).map(_alert),
    st.just(_alert({"within": "1s", "source": "both", "state": "pending", "notified": False})),
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A drill as YAML would give it, in which everything fits together."""
    bodies = draw(st.lists(_bodies, min_size=1, max_size=5))
    faults = draw(_one_after_another(bodies))
    split = draw(st.integers(1, len(faults)))
    # Some strategies always give the same object, and tests may spoil what they get.
    return deepcopy(
        {
            "name": draw(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)),
            "why": draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=10, max_size=40)),
            "exclusive": True,
            "load": {
                "users": draw(st.integers(1, 100_000)),
                "rate": draw(st.none() | st.floats(0.001, 1_000_000)),
                "warm_up": draw(durations),
                "for": "50s",
                "cool_down": "2m",
                "routes": draw(st.none() | st.just(dict.fromkeys(ROUTES, 3))),
            },
            "faults": faults[:split],
            "noise": faults[split:],
            "treatments": draw(st.lists(_treatments, max_size=3, unique_by=lambda one: one["kind"])),
            "abort": draw(st.lists(st.fixed_dictionaries({"failed": shares, "for": durations}), max_size=2)),
            "expect": draw(st.lists(_expectations, min_size=1, max_size=4, unique_by=str)),
        }
    )


def scenarios() -> st.SearchStrategy[Scenario]:
    """Any drill that can be loaded."""
    return documents().filter(_without_twins).map(Scenario.model_validate)


def _without_twins(document: dict[str, Any]) -> bool:
    """Two expectations that are written differently may still mean the same, which is refused."""
    return len({next(iter(item)) for item in document["expect"]}) == len(document["expect"])
