"""Balloon: what fills the disk of one container to the last byte, until it bursts."""

import docker.errors
import requests

from stack.errors import StackError
from stack.runtimes.archive import noughts
from stack.runtimes.engine import Engine, telling

BALLOON = ".tocsin-balloon"
"""How the names of files begin that fill a disk."""

PIECES = (2**24, 2**20, 2**16, 2**12)
"""Sizes of such files: each as often as it fits, so that in the end not even the smallest does."""

HEARD_OUT = 2**17
"""An engine takes in a piece up to this size even if it finds no room for it, and so is heard when it says that."""


class Balloon:
    """
    Files full of noughts that are copied into a container's `folder`, which is a small disk of its own; in a frozen container, too.
    """

    def __init__(self, name: str, *, folder: str, engine: Engine) -> None:
        self._name = name
        self._folder = folder
        self._engine = engine
        self._files: list[str] = []

    def fill(self, container: str) -> None:
        """Leave no room for the smallest piece. Raises StackError when the engine has something against it."""
        if self._takes(container, PIECES[-1]):
            for size in PIECES:
                while self._takes(container, size):
                    pass

    def burst(self, container: str) -> None:
        """Make every file of it an empty one; harmless when there is none."""
        if self._files:
            with telling(f"{self._name}: its disk cannot be freed"):
                emptied = noughts(dict.fromkeys(self._files, 0))
                self._engine.client.api.put_archive(container, self._folder, emptied)

    def _takes(self, container: str, size: int) -> bool:
        """Whether one more file of so many bytes found room."""
        self._files.append(f"{BALLOON}-{len(self._files)}")
        try:
            self._engine.client.api.put_archive(container, self._folder, noughts({self._files[-1]: size}))
        except (docker.errors.APIError, requests.ConnectionError) as error:
            # The engine hangs up in the middle of what is too large.
            if "no space left" in str(error) or (size > HEARD_OUT and isinstance(error, requests.ConnectionError)):
                return False
            raise StackError(f"{self._name}: its disk cannot be filled: {error}") from error
        return True
