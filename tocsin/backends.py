"""Backends: who is asked for the evidence of a drill on a stack of ours."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from assertions.evidence import Delays
from assertions.gather import Backends
from assertions.grafana import Grafana
from assertions.prometheus import Prometheus
from assertions.tempo import Tempo
from stack.config import Profile
from stack.runtimes.stack import Stack
from tocsin.plans import blueprint_of
from tocsin.rundir import RunDir

DOCUMENTATION = Path(__file__).parent.parent
"""Paths in alerts, such as those of their runbooks, count from here."""


@contextmanager
def backends_of(
    stack: Stack, run: RunDir, *, profile: Profile, as_grafana: Callable[[str], Grafana] = Grafana
) -> Iterator[Backends]:
    """
    Clients of the stack's backends, for one run on it with this profile; `as_grafana` makes the one of Grafana from its address.
    """
    endpoints = stack.endpoints()
    with ExitStack() as clients:
        grafana = None
        if "grafana" in endpoints:
            grafana = clients.enter_context(closing(as_grafana(endpoints["grafana"])))
        yield Backends(
            prometheus=clients.enter_context(closing(Prometheus(endpoints["prometheus"]))),
            tempo=clients.enter_context(closing(Tempo(endpoints["tempo"]))),
            grafana=grafana,
            logs=run.logs,
            pages=DOCUMENTATION,
            namespace=run.id,
            delays=Delays(**profile.delays()),
            blueprint=blueprint_of(profile=profile.name, components=stack.running()),
        )
