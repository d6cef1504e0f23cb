"""Campaign: every mutation of a stack's observability configuration, each tried in the cheapest way that is honest."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from scenarios.model import Treatment
from stack.mutations import Mutation
from stack.runtimes.stack import Stack, running_stack
from tocsin.choice import Choice
from tocsin.fleet import Fleet, MakeStack, Order
from tocsin.mutation.asking import Report, ask_all, can_be_asked, witnesses
from tocsin.mutation.drilling import Drilling, apart
from tocsin.mutation.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """
    `orders` are the drills that have to notice. With `quick` nothing is tried that needs a drill on a stack of its own.
    """

    orders: Sequence[Order]
    runs: Path
    quick: bool
    report: Report

    def findings(self) -> Iterator[Finding]:
        """What became of each mutation."""
        left: list[Mutation] = []
        for mutation, finding in self._asked():
            if finding:
                yield finding
            else:
                left.append(mutation)
        if self.quick:
            yield from (Finding(mutation=mutation, how="left out") for mutation in left)
        else:
            orders = [apart(order) for order in self.orders]
            yield from Drilling(orders=orders, runs=self.runs, report=self.report).try_all(left)

    def _asked(self) -> Iterator[tuple[Mutation, Finding | None]]:
        """One stack, one batch of drills; then the same questions again and again."""
        orders = [order for order in self.orders if can_be_asked(order.scenario)]
        chosen = orders if self.quick else self.orders
        needs = frozenset(name for order in chosen for name in order.scenario.needs)
        self.report(f"drills: {', '.join(order.scenario.name for order in orders)}")
        with running_stack(extras=needs) as stack:
            with Fleet(orders, runs=self.runs, make_stack=_always(stack), annotations=Choice.NONE) as fleet:
                fleet.begun.wait()
            with witnesses(stack, fleet.records(), self.runs) as known:
                yield from ask_all(stack, known, self.report)


def _always(stack: Stack) -> MakeStack:
    """The same stack for whoever asks."""

    def make(
        *, exclusive: bool, extras: Collection[str], treatments: Sequence[Treatment], small_disks: Collection[str]
    ) -> AbstractContextManager[Stack]:
        return nullcontext(stack)

    return make
