"""Hosts: which there are, by the name of their runtime."""

from collections.abc import Mapping

from stack.components import Component
from stack.errors import StackError
from stack.runtimes.crew import Report
from stack.runtimes.host import Host
from stack.runtimes.processes import ProcessHost
from stack.runtimes.roster import Roster

RUNTIMES = ("processes", "containers")

# What deals with containers takes a while to load, so that is done where there are any.


def open_host(runtime: str, roster: Roster, *, table: Mapping[str, Component], standing: bool, report: Report) -> Host:
    """
    A host for the components of a new stack, which is to stay after this command if `standing`.

    Raises StackError for a runtime that is unknown, or that cannot be had here.
    """
    logs = roster.path / "logs"
    logs.mkdir()
    if runtime == "processes":
        return ProcessHost(roster, logs=logs)
    if runtime == "containers":
        from stack.runtimes.containers import ContainerHost

        return ContainerHost.open(roster, logs=logs, table=table, standing=standing, report=report)
    raise StackError(f"no runtime {runtime!r}; there is: {', '.join(RUNTIMES)}")


def host_again(runtime: str, roster: Roster) -> Host:
    """The host of a stack that another command started. Raises StackError when it is not there any more."""
    logs = roster.path / "logs"
    if runtime == "containers":
        from stack.runtimes.containers import ContainerHost

        return ContainerHost.again(roster, logs=logs)
    return ProcessHost(roster, logs=logs)
