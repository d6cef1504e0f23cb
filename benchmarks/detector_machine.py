"""Fair conditions for the detector's benchmarks: one thread for linear algebra, and a note of the machine and the day."""

import os
import sys
from datetime import UTC, datetime
from typing import Any

ONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def with_one_thread(module: str) -> None:
    """Start the program again with one thread, since numpy reads that when it is imported, before any of our code."""
    if any(os.environ.get(name) != value for name, value in ONE.items()):
        command = [sys.executable, "-m", module, *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **ONE})


def about(**more: Any) -> dict[str, Any]:
    """The day, the cores and the Python of a measurement."""
    version = ".".join(map(str, sys.version_info[:3]))
    return {"date": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "python": version, **more}
