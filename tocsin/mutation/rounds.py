"""Rounds: which mutations one run of some drills can try together, since none of them hides another. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scenarios.model import Expectation
from stack.mutations import Mutation
from tocsin.mutation.concerns import concerns


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """An expectation of a drill: who watches whether something is missing."""

    drill: int
    check: str
    item: Expectation


Round = Mapping[Mutation, Seat]
"""What is missing together, and who has to notice each."""


def seats_for(mutations: Sequence[Mutation], held: Sequence[Seat]) -> Round:
    """
    An expectation for each mutation that is about it, from as few drills as come along; those that nobody is about are left out.
    """
    about = {mutation: [seat for seat in held if concerns(mutation, seat.item)] for mutation in mutations}
    chosen: dict[Mutation, Seat] = {}
    drills: set[int] = set()
    # Those with the least choice first: their drills have to run anyway.
    for mutation, seats in sorted(about.items(), key=lambda pair: len({seat.drill for seat in pair[1]})):
        if seats:
            chosen[mutation] = next((seat for seat in seats if seat.drill in drills), seats[0])
            drills.add(chosen[mutation].drill)
    return chosen


def rounds_of(seated: Round) -> Sequence[Round]:
    """As few rounds as come along, so that in none an expectation is about two things that are missing."""
    rounds: list[dict[Mutation, Seat]] = []
    rules = [mutation for mutation in seated if _is_grafanas_rule(mutation)]
    for mutation, seat in seated.items():
        for known in rounds:
            if not any(_hides(mutation, seat, other, their) for other, their in known.items()) and not (
                mutation in rules and len(rules) > 1 and len(set(rules) - known.keys()) == 1
            ):
                known[mutation] = seat
                break
        else:
            rounds.append({mutation: seat})
    return rounds


def _hides(mutation: Mutation, seat: Seat, other: Mutation, their: Seat) -> bool:
    return concerns(mutation, their.item) or concerns(other, seat.item)


def _is_grafanas_rule(mutation: Mutation) -> bool:
    """A Grafana without any rule is not yet ready, as far as a stack that starts can tell."""
    return mutation.kind == "alert rule" and mutation.source == "grafana"
