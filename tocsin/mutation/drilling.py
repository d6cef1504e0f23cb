"""Drilling: run drills on whole stacks, then the same ones on stacks that lack something, and see which of them turn red."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from scenarios.model import Alert, Expectation, Treatment
from scenarios.record import Outcome, Record, Verdict
from stack.errors import StackError
from stack.mutations import Mutation, apply
from stack.runtimes.stack import Stack, running_stack
from tocsin.choice import Choice
from tocsin.fleet import Fleet, Order
from tocsin.mutation.asking import Report
from tocsin.mutation.finding import Finding
from tocsin.mutation.rounds import Round, Seat, rounds_of, seats_for
from tocsin.treatments import drill_profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilling:
    """Drills that are tried on stacks of their own, each round on new ones."""

    orders: Sequence[Order]
    runs: Path
    report: Report

    def try_all(self, mutations: Sequence[Mutation]) -> Iterator[Finding]:
        """First all that could notice something on whole stacks, then what each round lacks."""
        able = [index for index, order in enumerate(self.orders) if seats_for(mutations, seats_of(order, index))]
        self.report(f"{len(able)} drills on whole stacks")
        held = [
            seat
            for index, record in self._run(able, ()).items()
            for seat in seats_of(self.orders[index], index)
            if _outcome(record, seat).verdict is Verdict.PASS
        ]
        seated = seats_for(mutations, held)
        yield from (Finding(mutation=one, how="nobody") for one in mutations if one not in seated)
        rounds = rounds_of(seated)
        for number, missing in enumerate(rounds, 1):
            self.report(f"round {number} of {len(rounds)}: without {', '.join(map(str, missing))}")
            yield from self._try(missing)

    def _try(self, missing: Round) -> Iterator[Finding]:
        records = self._run(sorted({seat.drill for seat in missing.values()}), list(missing))
        for mutation, seat in missing.items():
            name = f"{self.orders[seat.drill].scenario.name}: {_title(records.get(seat.drill), seat)}"
            outcome = _outcome(records[seat.drill], seat) if seat.drill in records else None
            noticed = outcome is not None and outcome.verdict is Verdict.FAIL
            yield Finding(
                mutation=mutation,
                how="drilled",
                tried=(name,),
                noticed_by=(name,) if noticed else (),
                words=outcome.observed if outcome else "the drill did not run",
            )

    def _run(self, indices: Sequence[int], missing: Sequence[Mutation]) -> dict[int, Record]:
        """Records by the drill; one whose stack did not start has none."""

        def make_stack(
            *, exclusive: bool, extras: Collection[str], treatments: Sequence[Treatment], small_disks: Collection[str]
        ) -> AbstractContextManager[Stack]:
            profile = drill_profile(treatments, small_disks=small_disks)
            return running_stack(profile=profile, extras=extras, amend=lambda root: _remove(missing, root))

        chosen = [self.orders[index] for index in indices]
        with Fleet(chosen, runs=self.runs, make_stack=make_stack, annotations=Choice.NONE) as fleet:
            found: dict[int, Record] = {}
            for place, index in enumerate(indices):
                try:
                    found[index] = fleet.result(place)
                except StackError as error:
                    self.report(f"{self.orders[index].scenario.name}: {error}")
            return found


def apart(order: Order) -> Order:
    """
    The same drill with an expectation for each source of an alert, so that it is known which of them missed something.
    """
    found: dict[str, Expectation] = {}
    for item in order.scenario.expect:
        split = [item.model_copy(update={"source": one}) for one in item.sources] if isinstance(item, Alert) else [item]
        found |= {repr(one): one for one in split}
    return replace(order, scenario=order.scenario.model_copy(update={"expect": tuple(found.values())}))


def seats_of(order: Order, drill: int) -> Sequence[Seat]:
    """All expectations of a drill."""
    items = enumerate(order.scenario.expect, 1)
    return [Seat(drill=drill, check=f"expect/{number}", item=item) for number, item in items]


def _remove(missing: Sequence[Mutation], root: Path) -> None:
    """What a stack does not have it cannot lack."""
    apply([mutation for mutation in missing if (root / mutation.file).exists()], root)


def _outcome(record: Record, seat: Seat) -> Outcome:
    return next(outcome for outcome in record.outcomes if outcome.id == seat.check)


def _title(record: Record | None, seat: Seat) -> str:
    return _outcome(record, seat).title if record else seat.check
