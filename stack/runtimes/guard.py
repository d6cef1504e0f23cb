"""Guard: a process that waits for the owner of a roster to die, and then sees to what is left of the roster.

It holds one end of a pipe, its owner the other; whatever ends the owner, be it `kill -9`, closes the pipe. So it need not look
around meanwhile, and cannot take another process for its owner. It carries the roster's marker itself: when somebody disbands the
roster, it ends too. Until the pipe closes it is a shell that reads, of a megabyte or two; Python comes when there is something to do.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

_WAIT = 'read -r _; exec "$@"'


class Guard:
    """Started with a roster, and dismissed when that is disbanded or given away."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @classmethod
    def over(cls, roster_id: str, *, marker: Mapping[str, str], duty: str, log: Path) -> Self:
        """
        Start one for this process. When it is gone, the module `duty` is run with the roster's id; what it prints goes to `log`.
        """
        command = ("sh", "-c", _WAIT, "guard", sys.executable, "-m", duty, roster_id)
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **marker},
                # Else an interrupt at the keyboard would end it with its owner.
                start_new_session=True,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def dismiss(self) -> None:
        """End it, its duty undone; harmless when it has ended."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
