"""Drills: how soon faults are seen and told, against the bound computed in the same run, and whether repeated runs agree.

    python benchmarks/drills.py [--runs 10] [--into FILE] [DRILL...]

Runs the drills again and again on one stack, all of a round at the same time, and prints for each alert the median and the range
of its time to detect, its notification and the ratio of detection to bound. Writes benchmarks/results/drills.json, or FILE.
Exit code 1 if any verdict was no PASS.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from assertions.alert import paths_of
from scenarios.loader import find, load
from scenarios.model import Treatment
from scenarios.record import Record, Verdict
from stack.runtimes.stack import Stack, running_stack
from tocsin.fleet import Fleet, Order
from tocsin.stacks import stack_for

RESULTS = Path(__file__).parent / "results" / "drills.json"
FIGURES = ("time_to_detect_s", "notified_after_s", "bound_s", "detect_to_bound", "resolved_after_s")


def round_of(orders: list[Order], stack: Stack, runs: Path) -> tuple[list[Record], float]:
    """All drills once, at the same time, and how long that took in seconds."""

    def share(
        *, exclusive: bool, extras: Collection[str], treatments: Sequence[Treatment], small_disks: Collection[str]
    ) -> AbstractContextManager[Stack]:
        if exclusive or extras:
            return stack_for(exclusive=True, extras=extras, treatments=treatments, small_disks=small_disks)
        return nullcontext(stack)

    began = time.monotonic()
    with Fleet(orders, runs=runs, make_stack=share) as fleet:
        records = [fleet.result(index) for index in range(len(orders))]
    return records, time.monotonic() - began


def spread(values: list[float]) -> dict[str, float]:
    """Minimum, median and maximum."""
    return {"min": round(min(values), 3), "median": round(statistics.median(values), 3), "max": round(max(values), 3)}


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drills", nargs="*", default=["error-burst"])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--into", type=Path, default=RESULTS, help="where the figures are written")
    options = parser.parse_args()
    orders = [Order(scenario=load(path), source=str(path)) for path in find(options.drills)]
    figures: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    verdicts: dict[str, list[str]] = defaultdict(list)
    lasted: list[float] = []
    needs = frozenset[str]().union(*(order.scenario.needs for order in orders))
    with tempfile.TemporaryDirectory() as folder, running_stack(extras=needs) as stack:
        for number in range(options.runs):
            records, took_s = round_of(orders, stack, Path(folder))
            lasted.append(took_s)
            for record in records:
                take(record, figures, verdicts)
            print(f"round {number + 1}: {took_s:.0f} s, load {os.getloadavg()[0]:.1f}", flush=True)
    result: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "runs": options.runs,
        "round_s": spread(lasted),
        "verdicts": verdicts,
        "alerts": {name: {key: spread(values) for key, values in rows.items()} for name, rows in figures.items()},
    }
    show(result)
    options.into.parent.mkdir(exist_ok=True)
    options.into.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if all(one == Verdict.PASS for many in verdicts.values() for one in many) else 1


def take(record: Record, figures: dict[str, dict[str, list[float]]], verdicts: dict[str, list[str]]) -> None:
    """Add one record's figures; print whatever was no pass."""
    name = str(record.scenario["name"])
    verdicts[name].append(record.verdict)
    for outcome in record.outcomes:
        if outcome.verdict is not Verdict.PASS:
            print(f"  {outcome.verdict} {record.run_id}: {outcome.message()}", flush=True)
        for path in paths_of(outcome.facts):
            by = "" if path["source"] == "prometheus" else f" by {path['source']}"
            for key in FIGURES:
                if path.get(key) is not None:
                    figures[f"{name}: {path['name']}{by}"][key].append(float(path[key]))


def show(result: dict[str, Any]) -> None:
    """A table."""
    print(f"\n{'drill: alert':<44}" + "".join(f"{key:>20}" for key in FIGURES))
    for name, rows in result["alerts"].items():
        cells = [
            f"{rows[key]['median']:.2f} ({rows[key]['min']:.2f}-{rows[key]['max']:.2f})" if key in rows else "-"
            for key in FIGURES
        ]
        print(f"{name:<44}" + "".join(f"{cell:>20}" for cell in cells))
    for name, many in result["verdicts"].items():
        print(f"{name}: {many.count(Verdict.PASS)} of {len(many)} passed")


if __name__ == "__main__":
    sys.exit(main())
