"""Budget: what a component or role used of CPU and memory, against what it is given. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assertions.check import Check
from assertions.wording import cores, listed, seconds, size
from scenarios.history import History, Usage
from scenarios.model import Budget
from scenarios.record import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was used from the first to the last time that it was measured."""

    cpu_s: float
    length_s: float
    memory_bytes: int

    @property
    def cores(self) -> float:
        """Busy cores in the mean."""
        return self.cpu_s / self.length_s

    @classmethod
    def of(cls, samples: Sequence[Usage]) -> "Spent":
        """Sum up at least two samples; where the CPU time fell, a new process had begun at nought."""
        steps = pairwise(sample.cpu_s for sample in samples)
        return cls(
            cpu_s=sum(after - before if after >= before else after for before, after in steps),
            length_s=samples[-1].t - samples[0].t,
            memory_bytes=max(sample.memory_bytes for sample in samples),
        )


def judge(budget: Budget, check: Check, history: History) -> Outcome:
    """
    FAIL when more was used than is given; UNKNOWN when nobody measured it, for a budget must not be kept by not looking.
    """
    expected = listed([limit for limit, _, _ in _limits(budget, None)])
    samples = [usage for usage in history.of(Usage) if usage.name == budget.component]
    if len(samples) < 2 or samples[-1].t <= samples[0].t:
        return check.unknown(expected=expected, observed=f"nobody measured what {budget.component} used")
    spent = Spent.of(samples)
    facts = {
        "cpu_s": spent.cpu_s,
        "cores": spent.cores,
        "memory_bytes": spent.memory_bytes,
        "measured_s": spent.length_s,
    }
    limits = list(_limits(budget, spent))
    over = [used for _, used, fits in limits if not fits]
    if over:
        return check.failed(
            expected=expected,
            observed=listed(over),
            where=f"all processes of {budget.component}",
            when=f"{seconds(spent.length_s)} of traffic",
            hint="is something in it busy or leaking, or is the budget too tight for this load?",
            facts=facts,
        )
    return check.passed(expected=expected, observed=listed([used for _, used, _ in limits]), facts=facts)


def _limits(budget: Budget, spent: Spent | None) -> Iterator[tuple[str, str, bool]]:
    """Each limit in words, what was used of it in words, and whether that fits."""
    if budget.cpu is not None:
        used_s = spent.cpu_s if spent else 0.0
        yield f"at most {seconds(budget.cpu)} of CPU", f"{seconds(used_s)} of CPU", used_s <= budget.cpu
    if budget.cores is not None:
        busy = spent.cores if spent else 0.0
        yield f"at most {cores(budget.cores)}", cores(busy), busy <= budget.cores
    if budget.memory is not None:
        held = spent.memory_bytes if spent else 0
        yield f"at most {size(budget.memory)} of memory", f"{size(held)} of memory", held <= budget.memory
