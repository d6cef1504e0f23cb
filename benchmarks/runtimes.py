"""Runtimes: how long a whole stack takes until it can be judged by, on processes and on containers, and what each of its units uses then.

    python benchmarks/runtimes.py [--times 5] [--into FILE] [RUNTIME...]

All engines and images are there before the clock starts. Prints median and range of the seconds until all components are ready, all
targets scraped and all rules evaluated, and of those until nothing is left. Writes benchmarks/results/runtimes.json, or FILE.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from stack.components import OPTIONAL
from stack.runtimes.hosts import RUNTIMES
from stack.runtimes.stack import Stack
from tocsin.runtime import settle

RESULT = Path(__file__).with_name("results") / "runtimes.json"


def once(runtime: str) -> dict[str, Any]:
    """One stack with all that is optional, started and stopped."""
    begun = time.perf_counter()
    stack = Stack.create(runtime=runtime, extras=sorted(OPTIONAL))
    ready_s = time.perf_counter() - begun
    used = {name: running.unit.usage() for name, running in stack.running().items()}
    begun = time.perf_counter()
    stack.stop()
    return {
        "ready_s": ready_s,
        "stop_s": time.perf_counter() - begun,
        "cpu_s": sum(one.cpu_s for one in used.values() if one),
        "memory_mb": sum(one.memory_bytes for one in used.values() if one) / 2**20,
    }


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runtimes", nargs="*", metavar="RUNTIME", default=list(RUNTIMES))
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--into", type=Path, default=RESULT)
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    for runtime in options.runtimes:
        settle(runtime, extras=OPTIONAL)
        rows = [once(runtime) for _ in range(options.times)]
        figures[runtime] = {key: sorted(row[key] for row in rows) for key in rows[0]}
        for key, found in figures[runtime].items():
            print(
                f"{runtime:<11} {key:<10} {statistics.median(found):8.2f}   {found[0]:.2f} to {found[-1]:.2f}",
                flush=True,
            )
    options.into.parent.mkdir(exist_ok=True)
    options.into.write_text(json.dumps({"cpus": os.cpu_count(), "runtimes": figures}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
