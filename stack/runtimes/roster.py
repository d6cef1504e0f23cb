"""Roster: who owns which processes, on disk, so that the next command can clear up after one that was killed.

Every process of ours carries the roster's id in its environment. A roster is written before its first process is started;
it names its owner (a command that is running) or none (a stack that stays up). When an owner is gone without having
disbanded its roster, all processes that carry the id are ended: by the roster's guard at once, or else by the next command.
Containers carry it in a label.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import platformdirs
import psutil

from stack.runtimes.disk import unmount_below
from stack.runtimes.guard import Guard
from stack.runtimes.process import MARKER


def state_dir() -> Path:
    """
    Where rosters are kept: `$TOCSIN_STATE`, else the user's state folder.
    """
    return Path(os.environ.get("TOCSIN_STATE") or platformdirs.user_state_path("tocsin"))


def guards_log() -> Path:
    """What guards say, of all rosters; the next command tells it."""
    return state_dir() / "guards.log"


CLEARING = "stack.runtimes.clearing"
"""The duty of a guard that has nothing to do but to end what is left."""


_ROUNDS = 10
"""How often at most processes are looked for that others have started in the moment in which these were ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """
    A folder with `roster.json`; what else its owner keeps there goes with it. Its owner has a guard over it.
    """

    id: str
    path: Path
    guard: Guard | None = field(default=None, compare=False, repr=False)

    @classmethod
    def create(cls, prefix: str, *, duty: str = CLEARING) -> Self:
        """
        Make a new roster, owned by this process. `duty` is the module that its guard runs when this process is gone.
        """
        roster_id = f"{prefix}-{secrets.token_hex(4)}"
        path = state_dir() / "rosters" / roster_id
        path.mkdir(parents=True, mode=0o700)
        me = psutil.Process()
        owned = cls.called(roster_id)
        owned.write("roster.json", {"owner": {"pid": me.pid, "started_t": me.create_time()}})
        return replace(owned, guard=Guard.over(roster_id, marker=owned.marker(), duty=duty, log=guards_log()))

    @classmethod
    def called(cls, roster_id: str) -> Self:
        """A roster of somebody else's, by its id; it may be gone."""
        return cls(id=roster_id, path=state_dir() / "rosters" / roster_id)

    @classmethod
    def all(cls) -> Iterator[Self]:
        """Every roster on disk, the newest last."""
        with suppress(FileNotFoundError):
            for path in sorted((state_dir() / "rosters").iterdir(), key=lambda path: path.stat().st_mtime):
                if (path / "roster.json").exists():
                    yield cls.called(path.name)

    def marker(self) -> dict[str, str]:
        """The environment that makes a process one of this roster."""
        return {MARKER: self.id}

    @property
    def standing(self) -> bool:
        """Whether it has no owner: it stays until somebody disbands it."""
        return self.read("roster.json").get("owner") is None

    @property
    def orphaned(self) -> bool:
        """Whether its owner is gone."""
        owner = self.read("roster.json").get("owner")
        if owner is None:
            return False
        try:
            process = psutil.Process(owner["pid"])
            return abs(process.create_time() - owner["started_t"]) > 0.05 or process.status() == psutil.STATUS_ZOMBIE
        except psutil.Error:
            return True

    def release(self) -> None:
        """Give it away: it has no owner any more, and stands until somebody disbands it."""
        self.write("roster.json", {"owner": None})
        self._dismiss_guard()

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a JSON document beside the roster, readable by its user alone."""
        part = self.path / f"{name}.part"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
        part.replace(self.path / name)

    def read(self, name: str) -> dict[str, Any]:
        """Read such a document; an empty one when it is missing or torn."""
        try:
            value = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def engine(self) -> str | None:
        """The place of the container engine that it uses, as in DOCKER_HOST (empty: the local one); None when it uses none."""
        place = self.read("engine.json").get("place")
        return None if place is None else str(place)

    def use_engine(self, place: str) -> None:
        """Note where it will have containers: before the first is made, so that none is ever forgotten."""
        self.write("engine.json", {"place": place})

    def processes(self) -> list[psutil.Process]:
        """All running processes that carry this roster's id, whoever started them; but not its owner's guard."""
        found = []
        others = {os.getpid(), self.guard.pid if self.guard else None}
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get(MARKER) == self.id and process.pid not in others:
                    found.append(process)
        return found

    def end(self) -> int:
        """
        End every process and remove every container of the roster. Returns how many of both there were.

        Raises StackError when its container engine does not answer.
        """
        count = self._end_processes() + self._remove_containers()
        # Not before: where this is interrupted, the guard goes on with it.
        self._dismiss_guard()
        return count

    def disband(self) -> int:
        """
        End every process and remove every container of the roster, and then its folder. Returns how many of both there were.

        Raises StackError when its container engine does not answer; the folder stays then, for the next command to try again.
        """
        count = self.end()
        unmount_below(self.path)
        shutil.rmtree(self.path, ignore_errors=True)
        return count

    def _end_processes(self) -> int:
        """Also those that others of them have started meanwhile."""
        ended: set[psutil.Process] = set()
        for _ in range(_ROUNDS):
            found = self.processes()
            for process in found:
                with suppress(psutil.Error):
                    process.kill()
            ended.update(found)
            if not psutil.wait_procs(found, timeout=5)[0]:
                break
        return len(ended)

    def _remove_containers(self) -> int:
        if self.engine is None:
            return 0
        # Whoever has no containers need not load what deals with them.
        from stack.runtimes.removal import remove

        return remove(self.id, place=self.engine)

    def _dismiss_guard(self) -> None:
        if self.guard:
            self.guard.dismiss()
