"""Runtime: which one a command uses and why, with all that it needs there."""

from collections.abc import Collection
from dataclasses import dataclass

from stack import engines
from stack.engines.progress import Report, silent
from stack.errors import StackError
from stack.runtimes.hosts import RUNTIMES
from stack.runtimes.stack import Stack, table_of

AUTO = "auto"
CHOICES = (AUTO, *RUNTIMES)

VARIABLE = "TOCSIN_RUNTIME"
"""The environment variable that says which one, where the command line does not."""

LOOK_WITHIN_S = 3
"""An engine that takes longer to answer is none to build on, and nobody wants to wait for the news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A runtime, and why it is this one."""

    runtime: str
    why: str


def settle(wanted: str, *, extras: Collection[str] = (), report: Report = silent) -> Choice:
    """
    The runtime for a stack with these optional components; its images or engines are there afterwards, with `report` told meanwhile.

    `auto` takes that of the stack which is up; else containers if an engine answers and has or gets all images; else processes.
    Raises StackError for a choice that there is not, or one that was asked for and cannot be had.
    """
    if wanted not in CHOICES:
        raise StackError(f"no runtime {wanted!r}; there is: {', '.join(CHOICES)}")
    if wanted == AUTO:
        return _auto(extras, report)
    if wanted == "containers":
        return Choice(runtime=wanted, why=_containers(extras, report))
    engines.ensure(report=report)
    return Choice(runtime=wanted, why="it was asked for")


def _auto(extras: Collection[str], report: Report) -> Choice:
    standing = Stack.standing()
    if standing is not None:
        standing.close()
        return Choice(runtime=standing.runtime, why="the stack that is up runs so")
    try:
        return Choice(runtime="containers", why=_containers(extras, report))
    except StackError as error:
        engines.ensure(report=report)
        return Choice(runtime="processes", why=str(error).splitlines()[0])


def _containers(extras: Collection[str], report: Report) -> str:
    """Have all images; what there is, in words. Raises StackError for what there is not."""
    # What deals with containers takes a while to load, and not everybody has any.
    from stack.runtimes.containers import provide, summary
    from stack.runtimes.engine import connected

    connected(within_s=LOOK_WITHIN_S).close()
    with connected() as engine:
        return f"engine {engine.version} answers; {summary(provide(engine, table_of(extras), report=report))}"
