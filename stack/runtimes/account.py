"""Account: what a container uses, by this machine's own books where its processes are here, else by the engine's."""

from pathlib import Path

import docker.errors

from stack.runtimes.engine import Engine
from stack.runtimes.process import used_by
from stack.runtimes.unit import Usage


def used_in(container: str, *, pid: int, engine: Engine) -> Usage | None:
    """
    What a container uses whose first process the engine knows by `pid`; None when nobody can tell.

    Of processes here it is found at once, and in the same way as for any other process; the engine takes a second.
    """
    return used_by(pid) if _is_here(container, pid) else _accounted(container, engine)


def _is_here(container: str, pid: int) -> bool:
    """Whether this process of this machine is the container's."""
    try:
        return container in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    except OSError:
        return False


def _accounted(container: str, engine: Engine) -> Usage | None:
    try:
        stats = engine.client.api.stats(container, stream=False, one_shot=True)
        memory = stats["memory_stats"]["stats"]
        cpu_s = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
        # Of the two generations of control groups; page cache is no memory of its own.
        return Usage(cpu_s=cpu_s, memory_bytes=memory["anon"] if "anon" in memory else memory["total_rss"])
    except (docker.errors.DockerException, OSError, KeyError):
        return None
