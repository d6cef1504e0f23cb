"""Disk: a small file system for the data of one process, that can be filled to the last byte without anybody else's suffering."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

from stack.errors import StackError

BALLOON = ".tocsin-balloon"
"""The file that fills it."""

PIECES = (2**20, 2**12)
"""The balloon grows in large steps as long as they fit, and then by the page."""


class Disk:
    """
    Mounted over a folder when it is made, if this process may; if not, `problem` says why, and only filling it is an error.
    """

    def __init__(self, folder: Path, *, mb: int) -> None:
        self.folder = folder
        self.problem = ""
        options = f"size={mb}m,mode=0700"
        try:
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", options, "tocsin", str(folder)],
                capture_output=True,
                text=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            said = str(getattr(error, "stderr", None) or error).strip()
            self.problem = (
                f"a disk of its own needs the right to mount ({said}); run as root, or with `--runtime containers`"
            )

    def fill(self) -> None:
        """
        Let the balloon take all that is left. Raises StackError when there is no such disk, or when it is not full then.
        """
        if self.problem:
            raise StackError(self.problem)
        with (self.folder / BALLOON).open("ab", buffering=0) as balloon:
            for piece in PIECES:
                with suppress(OSError):
                    while balloon.write(bytes(piece)) == piece:
                        pass
        state = os.statvfs(self.folder)
        if state.f_bavail:
            raise StackError(f"the disk at {self.folder} is not full: {state.f_bavail * state.f_frsize} bytes are free")

    def free(self) -> None:
        """Let the balloon burst; harmless when there is none."""
        (self.folder / BALLOON).unlink(missing_ok=True)


def unmount_below(folder: Path) -> None:
    """
    Take away every disk that is mounted below a folder, whoever mounted it and whoever still uses it.
    """
    for place in sorted((one.mountpoint for one in psutil.disk_partitions(all=True)), reverse=True):
        if Path(place).is_relative_to(folder):
            subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)
