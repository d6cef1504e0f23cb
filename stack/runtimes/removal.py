"""Removal: everything that an engine still has of one roster: containers, their volumes, networks."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docker.errors

from stack.runtimes.engine import LABEL, Engine, connected, telling

GONE = (404, 409)
"""Somebody else has removed it, or is about to."""


def remove(roster_id: str, *, place: str) -> int:
    """
    Remove all that carries the roster's id from the engine at a place. Returns how many containers there were.

    Raises StackError when the engine does not answer: they may still be there then.
    """
    with connected(place) as engine, telling("what is left of a stack cannot be removed"):
        return _remove(engine, {"label": f"{LABEL}={roster_id}"})


def _remove(engine: Engine, ours: dict[str, str]) -> int:
    api = engine.client.api
    containers = [one["Id"] for one in api.containers(all=True, filters=ours)]
    with ThreadPoolExecutor(max(1, len(containers))) as pool:
        list(pool.map(lambda one: _quietly(api.remove_container, one, force=True, v=True), containers))
    for network in api.networks(filters=ours):
        for container in api.inspect_network(network["Id"]).get("Containers") or {}:
            _quietly(api.disconnect_container_from_network, container, network["Id"], force=True)
        _quietly(api.remove_network, network["Id"])
    for volume in (api.volumes(filters=ours) or {}).get("Volumes") or ():
        _quietly(api.remove_volume, volume["Name"], force=True)
    return len(containers)


def _quietly(act: Any, *arguments: Any, **options: Any) -> None:
    """Do it; that it is gone already is no error."""
    try:
        act(*arguments, **options)
    except docker.errors.APIError as error:
        if error.status_code not in GONE:
            raise
