"""Semconv: the demo app's telemetry follows the stable conventions for HTTP and databases, as stored and not as meant."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assertions import traces
from assertions.check import Check
from assertions.conventions import METRICS, flaws_of_series, flaws_of_span
from assertions.evidence import Evidence, Trace
from assertions.lookup import look_up
from assertions.prometheus import Prometheus
from assertions.tempo import Tempo
from assertions.wording import count, listed
from scenarios.history import History, Request
from scenarios.model import ENTRY_SERVICE, ROLE_ROUTES
from scenarios.record import Outcome

_SHOWN = 5
"""How many findings an outcome tells; all of them are in its facts."""

SERVER, CLIENT, DATABASE = METRICS
EXPECTED: Mapping[str, Iterable[str]] = {
    SERVER: tuple(ROLE_ROUTES),
    CLIENT: (ENTRY_SERVICE,),
    DATABASE: tuple(role for role in ROLE_ROUTES if role != ENTRY_SERVICE),
}
"""Which services must have which metric."""


def gather_metrics(prometheus: Prometheus, namespace: str) -> tuple[Mapping[str, str], ...]:
    """The labels of all series of HTTP and databases of a drill, each histogram by its count. Raises BackendError."""
    own = f'service_namespace="{namespace}",__name__=~"(http|db)_.+",__name__!~".+_(bucket|sum)"'
    return tuple(sample.labels for sample in prometheus.instant(f"last_over_time({{{own}}}[1h])"))


def gather_traces(history: History, tempo: Tempo, *, within_s: float, pause_s: float = 0.5) -> tuple[Trace, ...]:
    """The traces of a good and of a failed request of each route. Raises BackendError."""
    return look_up(select(history), tempo, traces.is_whole, within_s=within_s, pause_s=pause_s)


def select(history: History) -> list[Request]:
    """The first good and the first failed request of each route, by what clients have been answered, and of which a trace is kept."""
    first: dict[tuple[str, bool], Request] = {}
    for request in history.of(Request):
        if request.status and request.sampled:
            first.setdefault((request.route, request.failed), request)
    return list(first.values())


def judge(check: Check, evidence: Evidence) -> Outcome:
    """
    FAIL with what is missing or outdated, and where; UNKNOWN when metrics or traces could not be asked for.
    """
    expected = "names, units and attributes as the stable conventions for HTTP and databases say"
    for backend, answers in (("prometheus", evidence.telemetry), ("tempo", evidence.traces)):
        if check.id not in answers:
            reason = evidence.problems.get(backend, f"{backend} was not asked")
            return check.unknown(expected=expected, observed=reason)
    series, looked_up = evidence.telemetry[check.id], evidence.traces[check.id]
    spans = [span for trace in looked_up for span in trace.spans]
    findings = list(dict.fromkeys([*_of_metrics(series), *_of_spans(spans)]))
    facts = {"series": len(series), "spans": len(spans), "findings": findings}
    if findings:
        more = f"; {len(findings) - _SHOWN} more in the record" if len(findings) > _SHOWN else ""
        return check.failed(
            expected=expected,
            observed=f"{count(len(findings), 'finding')}: {'; '.join(findings[:_SHOWN])}{more}",
            where="prometheus and tempo",
            hint="is OTEL_SEMCONV_STABILITY_OPT_IN set to http,database for every service?",
            facts=facts,
        )
    services = sorted({span["service"] for span in spans})
    observed = f"so it is in {len(series)} series and {len(spans)} spans of {listed(services)}"
    return check.passed(expected=expected, observed=observed, facts=facts)


def _of_metrics(series: Iterable[Mapping[str, str]]) -> Iterator[str]:
    found = {(labels["__name__"].removesuffix("_count"), labels.get("service_name", "")) for labels in series}
    for metric, services in EXPECTED.items():
        yield from (f"{service} has no {metric}" for service in services if (metric, service) not in found)
    for labels in series:
        for flaw in flaws_of_series(labels):
            yield f"{labels['__name__'].removesuffix('_count')} of {labels.get('service_name', '')} {flaw}"


def _of_spans(spans: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    if not spans:
        yield "there is no span to look at"
    for span in spans:
        for flaw in flaws_of_span(span):
            yield f"{span['kind']} span {span['name']} of {span['service']} {flaw}"
