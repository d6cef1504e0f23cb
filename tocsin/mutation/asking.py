"""Asking: after a drill, change one file of its stack, have it loaded, and ask what people would see then."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from assertions.evidence import Evidence
from assertions.gather import Backends
from assertions.grafana import Grafana
from assertions.judge import judge
from assertions.questions import QUESTIONS
from scenarios.history import History
from scenarios.model import Dashboard, Datasource, Expectation, Rules, Scenario
from scenarios.record import Outcome, Verdict
from stack.mutations import Mutation, apply
from stack.runtimes.stack import Stack
from tocsin.drill import Drill, backends_of
from tocsin.mutation.concerns import concerns
from tocsin.mutation.finding import Finding
from tocsin.rundir import RunDir

ASKED_AGAIN = (Dashboard, Datasource, Rules)
"""Expectations whose evidence can be had again at any time after the drill: its history is closed, its data are stored."""

WAITS_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One expectation of a drill that has run, with what is needed to judge it again."""

    item: Expectation
    check: str
    drill: str
    history: History
    evidence: Evidence
    namespace: str
    backends: Backends

    def again(self, scenario: Scenario) -> Outcome:
        """Ask and judge once more."""
        parts = {
            question.part: {"expect/1": question.ask(self.item, self.history, self.backends)}
            for question in QUESTIONS[type(self.item)]
        }
        alone = scenario.model_copy(update={"expect": (self.item,)})
        evidence = self.evidence.model_copy(update={**parts, "problems": {}})
        return judge(alone, self.history, evidence, namespace=self.namespace)[-1]


class RememberingGrafana(Grafana):
    """
    Asks each panel's query once: the drill is over, so that the answer to the same question stays the same.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._points = cache(self._query)
        self._traces = cache(super().search_traces)

    def query(self, source: str, target: Mapping[str, Any], *, span: tuple[float, float]) -> list[tuple[float, float]]:
        """As Grafana answers, or as it did before."""
        return list(self._points(source, _hashable(target), span))

    def search_traces(self, source: str, query: str, *, span: tuple[float, float]) -> int:
        """As Grafana answers, or as it did before."""
        return self._traces(source, query, span=span)

    def _query(self, source: str, target: Any, span: tuple[float, float]) -> list[tuple[float, float]]:
        return super().query(source, _as_dict(target), span=span)
