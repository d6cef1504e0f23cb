"""Stacks: which stack a drill gets: the one that stays up, or one of its own."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager

from scenarios.model import Treatment
from stack.errors import StackError
from stack.runtimes.stack import Stack, running_stack
from tocsin.treatments import drill_profile


@contextmanager
def stack_for(
    *,
    exclusive: bool,
    extras: Collection[str] = (),
    treatments: Sequence[Treatment] = (),
    small_disks: Collection[str] = (),
    runtime: str | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Iterator[Stack]:
    """
    The standing stack if there is one, it may be shared, and it has the extras (optional components), else one for the block.

    `treatments` are those of the drill that has an exclusive stack for itself, and `small_disks` the components whose disks it fills.
    `runtime` is how either has to run; without it, the standing stack is taken as it is, and one's own is of processes.

    Raises StackError when the standing one is broken, for a drill on it would judge the wrong thing.
    """
    standing = None if exclusive else Stack.standing()
    if standing is not None:
        with closing(standing):
            if set(extras) <= set(standing.running()) and runtime in (None, standing.runtime):
                yield _sound(standing)
                return
    profile = drill_profile(treatments, small_disks=small_disks)
    with running_stack(runtime=runtime or "processes", profile=profile, extras=extras, report=report) as stack:
        yield stack


def _sound(standing: Stack) -> Stack:
    """The same, if all of it answers; else StackError."""
    down = [name for name in standing.running() if not standing.ready(name)]
    if down:
        raise StackError(
            f"the standing stack is broken: {', '.join(down)} does not answer; `tocsin down`, then `tocsin up`"
        )
    return standing
