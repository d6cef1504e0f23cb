"""Asking: after a drill, have its stack load one file with something missing, and ask again what people would see."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from assertions.backend import eventually
from assertions.evidence import Evidence
from assertions.gather import Backends
from assertions.judge import judge
from assertions.questions import QUESTIONS
from scenarios.history import History
from scenarios.model import Dashboard, Datasource, Expectation, Rules, Scenario
from scenarios.record import Outcome, Record, Verdict
from stack.mutations import Mutation, mutations
from stack.runtimes.stack import Stack
from tocsin.backends import backends_of
from tocsin.mutation.concerns import concerns, needs_drill
from tocsin.mutation.finding import Finding
from tocsin.mutation.loading import Loader
from tocsin.mutation.memory import RememberingGrafana
from tocsin.rundir import RunDir

ASKED_AGAIN = (Dashboard, Datasource, Rules)
"""Expectations whose evidence can be had again at any time after the drill: its history is closed, its data are stored."""

LOADING = "whoever has to load it"

PATIENCE_S = 8.0
"""So long a loss may need to show: a rule is evaluated again only in its group's next round."""

Report = Callable[[str], None]


def can_be_asked(scenario: Scenario) -> bool:
    """Whether a drill expects something that can be asked again."""
    return not scenario.exclusive and any(isinstance(item, ASKED_AGAIN) for item in scenario.expect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One expectation that held in a drill that is over, and all that is needed to judge it again."""

    item: Expectation
    name: str
    scenario: Scenario
    history: History
    evidence: Evidence
    backends: Backends

    def again(self) -> Outcome:
        """Ask and judge once more. Raises BackendError."""
        parts = {
            question.part: {"expect/1": question.ask(self.item, self.history, self.backends)}
            for question in QUESTIONS[type(self.item)]
        }
        # Whether faults were felt was judged once; nothing that is asked here depends on it.
        alone = self.scenario.model_copy(update={"expect": (self.item,), "faults": (), "noise": (), "treatments": ()})
        evidence = self.evidence.model_copy(update={**parts, "problems": {}})
        return judge(alone, self.history, evidence, namespace=self.backends.namespace)[-1]


@contextmanager
def witnesses(stack: Stack, records: Sequence[Record], runs: Path) -> Iterator[Sequence[Witness]]:
    """All expectations of drills on this stack that held and can be asked again."""
    found: list[Witness] = []
    with ExitStack() as clients:
        for record in records:
            run = RunDir(runs / record.run_id)
            backends = clients.enter_context(
                backends_of(stack, run, profile=stack.profile, as_grafana=RememberingGrafana)
            )
            scenario = Scenario.model_validate(record.scenario)
            history, evidence = History.read(run.history), Evidence.read(run.evidence)
            passed = {one.id: one.title for one in record.outcomes if one.verdict is Verdict.PASS}
            found += [
                Witness(
                    item=item,
                    name=f"{scenario.name}: {passed[check]}",
                    scenario=scenario,
                    history=history,
                    evidence=evidence,
                    backends=backends,
                )
                for check, item in _items(scenario).items()
                if check in passed and isinstance(item, ASKED_AGAIN)
            ]
        yield found


def ask_all(stack: Stack, known: Sequence[Witness], report: Report) -> Iterator[tuple[Mutation, Finding | None]]:
    """
    Try every mutation of the stack's configuration in turn; None for one that needs a drill to be noticed.

    Who is told may be refused when it is loaded; that one alert rule less is no reason to refuse the others is known.
    """
    with closing(Loader(stack)) as loader:
        for mutation in mutations(loader.root):
            if mutation.kind == "alert rule" and needs_drill(mutation):
                yield mutation, None
                continue
            report(f"without {mutation}")
            with loader.without([mutation]) as refusal:
                yield mutation, _refused(mutation, refusal) if refusal else _asked(mutation, known)
            if needs_drill(mutation) or refusal:
                loader.load(mutation.file)


def _refused(mutation: Mutation, words: str) -> Finding:
    return Finding(mutation=mutation, how="refused", tried=(LOADING,), noticed_by=(LOADING,), words=words)


def _asked(mutation: Mutation, known: Sequence[Witness]) -> Finding | None:
    if needs_drill(mutation):
        return None
    chosen = [witness for witness in known if concerns(mutation, witness.item)]
    names = tuple(witness.name for witness in chosen)
    if not chosen:
        return Finding(mutation=mutation, how="nobody")

    def first() -> tuple[str, Outcome] | None:
        outcomes = ((witness.name, witness.again()) for witness in chosen)
        return next((found for found in outcomes if found[1].verdict is Verdict.FAIL), None)

    noticed = eventually(first, lambda found: found is not None, within_s=PATIENCE_S)
    if noticed is None:
        return Finding(mutation=mutation, how="asked", tried=names)
    name, outcome = noticed
    return Finding(mutation=mutation, how="asked", tried=names, noticed_by=(name,), words=outcome.observed)


def _items(scenario: Scenario) -> Mapping[str, Expectation]:
    return {f"expect/{number}": item for number, item in enumerate(scenario.expect, 1)}
