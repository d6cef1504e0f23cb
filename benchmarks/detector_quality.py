"""How good the detector's alerts are: made-up SLIs with labelled faults, fault-free days, batches, shifts; and rivals."""

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.detector_machine import about, with_one_thread
from benchmarks.detector_rivals import RIVALS, alerts
from detector.alarm import End
from detector.bank import Bank
from detector.kinds import MEASURES, Floats, Kind
from detector.replay import Alert, watch
from detector.scorecard import Scorecard, Window, judge, together
from detector.settings import DAY_S, HOUR_S, Settings
from detector.synthetic import Recorded, World, generate

RESULTS = Path(__file__).parent / "results" / "detector_quality.json"
KINDS = (Kind.TRAFFIC, Kind.LATENCY, Kind.ERRORS)
OURS = "tocsin"
SEED = 1000  # the dials were set on seeds 1 and 9; what is published comes from others
VISIBLE = 3  # a fault of which fewer samples reached Prometheus was shown to nobody
Alerts = Sequence[Alert]


def detector_alerts(recorded: Recorded, settings: Settings | None = None) -> Alerts:
    """What the detector tells, with refits every six hours."""
    step_s = float(recorded.at_s[1] - recorded.at_s[0])
    bank = Bank(kind=recorded.kind, step_s=step_s, settings=settings, size=recorded.values.shape[1])
    return watch(bank, recorded.at_s, recorded.values, recorded.requests)


def native(recorded: Recorded) -> Floats:
    """The values as the rivals see them: ratios of errors."""
    if recorded.requests is None:
        return recorded.values
    with np.errstate(all="ignore"):
        return np.asarray(recorded.values / recorded.requests)


def rival_alerts(name: str, recorded: Recorded) -> Alerts:
    """What a rival tells, in the bad direction only, as the detector does."""
    rule, needed, of = RIVALS[name]
    step_s = float(recorded.at_s[1] - recorded.at_s[0])
    outside = rule(native(recorded), step_s, MEASURES[recorded.kind].direction)
    return alerts(outside, needed=needed, of=of)


def windows(recorded: Recorded) -> list[Window]:
    """The labelled faults that anybody could have seen."""
    seen = np.isfinite(recorded.values)
    return [
        Window(slot=fault.series, start=fault.start, end=fault.end)
        for fault in recorded.faults
        if seen[fault.start : fault.end, fault.series].sum() >= VISIBLE
    ]


def everybody(recorded: Recorded) -> Iterable[tuple[str, Alerts]]:
    """The detector and its rivals on one recording."""
    yield OURS, detector_alerts(recorded)
    for name in RIVALS:
        yield name, rival_alerts(name, recorded)


def peace(kind: Kind, series: int, days: float) -> dict[str, dict[str, float]]:
    """False alerts per fault-free series-day, after a day of history; for the detector also in the first hour."""
    world = World(kind=kind, series=series, days=1.0 + days, seed=SEED + 9)
    recorded = generate(world)
    first = round(DAY_S / world.step_s)
    rows: dict[str, dict[str, float]] = {}
    for name, found in everybody(recorded):
        late = sum(alert.began >= first for alert in found)
        early = sum(alert.began < round(HOUR_S / world.step_s) for alert in found)
        rows[name] = {
            "series_days": series * days,
            "false_per_series_day": round(late / (series * days), 4),
            "false_in_first_hour_per_series": round(early / series, 4),
        }
    return rows


def faults(kind: Kind, series: int, *, strong: bool) -> dict[str, Scorecard]:
    """Two days with a fault every one to two hours, after a day of history."""
    world = World(kind=kind, series=series, days=3.0, seed=SEED + 1)
    recorded = generate(world, faults_after_days=1.0, strong=strong)
    first = round(DAY_S / world.step_s)
    return {name: judge(found, windows(recorded), first=first) for name, found in everybody(recorded)}


def hourly_batches(series: int) -> dict[str, float]:
    """An hourly batch that doubles latency for two minutes: false alerts before and after the season is learned."""
    world = World(kind=Kind.LATENCY, series=series, days=2.0, batch_every_s=HOUR_S, seed=SEED + 5)
    recorded = generate(world)
    first = round(DAY_S / world.step_s)
    without = detector_alerts(recorded, Settings(seasons_s=()))
    found = detector_alerts(recorded)
    return {
        "without_season_per_series_day": round(sum(a.began >= first for a in without) / series, 4),
        "with_season_per_series_day": round(sum(a.began >= first for a in found) / series, 4),
    }


def spiky(series: int) -> dict[str, float]:
    """Latency in which one sample in a hundred is a lone spike: without care two would meet every other day."""
    world = World(kind=Kind.LATENCY, series=series, days=3.0, spike_share=0.01, seed=SEED + 11)
    first = round(DAY_S / world.step_s)
    quiet = detector_alerts(generate(world))
    struck = generate(world, faults_after_days=1.0)
    card = judge(detector_alerts(struck), windows(struck), first=first)
    by_chance = 0.01**2 * DAY_S / world.step_s
    return {
        "two_spikes_meet_per_series_day": round(by_chance, 3),
        "false_per_series_day": round(sum(alert.began >= first for alert in quiet) / (2 * series), 4),
        "strong_recall": round(card.recall, 4),
        "precision": round(card.precision, 4),
        "delay_p50": card.delay(50) or 0.0,
        "delay_p95": card.delay(95) or 0.0,
    }


def patient(series: int) -> dict[str, Any]:
    """Latency with three samples to confirm in place of two: the other end of the bargain."""
    settings, first = Settings(confirm=3), 5760
    struck = generate(World(kind=Kind.LATENCY, series=series, days=3.0, seed=SEED + 1), faults_after_days=1.0)
    quiet = generate(World(kind=Kind.LATENCY, series=2 * series, days=4.0, seed=SEED + 9))
    late = sum(alert.began >= first for alert in detector_alerts(quiet, settings))
    card = judge(detector_alerts(struck, settings), windows(struck), first=first).as_dict()
    return {**card, "false_per_series_day": round(late / (6 * series), 4)}


def level_shifts(series: int) -> dict[str, float]:
    """A lasting rise of latency by 80 %: told once, forgiven as the new normal, not told again."""
    world = World(kind=Kind.LATENCY, series=series, days=2.0, spike_share=0.0, outages_per_day=0.0, seed=SEED + 6)
    recorded = generate(world)
    at = round(1.25 * DAY_S / world.step_s)
    recorded.values[at:] *= 1.8
    found = [alert for alert in detector_alerts(recorded) if alert.began >= at]
    return {
        "alerts_per_shift": round(len(found) / series, 3),
        "rebaselined": round(sum(a.end is End.REBASELINED for a in found) / series, 3),
        "delay_p50": float(np.median([a.began - at for a in found])),
    }


def early_faults(series: int) -> dict[str, Any]:
    """Strong faults of latency that begin when only twenty samples are known."""
    world = World(kind=Kind.LATENCY, series=series, days=0.25, outages_per_day=0.0, seed=SEED + 7)
    recorded = generate(world)
    recorded.values[22:40] *= 2.5
    card = judge(detector_alerts(recorded), [Window(slot=slot, start=22, end=40) for slot in range(series)])
    return card.as_dict()


def ratio_only(series: int) -> dict[str, Any]:
    """Error ratios without counts, strong faults: what is lost when nobody says how many requests there were."""
    recorded = generate(World(kind=Kind.ERRORS, series=series, days=2.0, seed=SEED + 1), faults_after_days=1.0)
    plain = replace(recorded, values=native(recorded), requests=None)
    return judge(detector_alerts(plain), windows(recorded), first=5760).as_dict()


def measure(series: int, days: float) -> dict[str, Any]:
    """Everything."""
    strong = {kind: faults(kind, series, strong=True) for kind in KINDS}
    weak = {kind: faults(kind, series, strong=False) for kind in KINDS}
    quiet = {kind: peace(kind, 2 * series, days) for kind in KINDS}
    names = (OURS, *RIVALS)
    return {
        "strong": {n: {str(k): strong[k][n].as_dict() for k in KINDS} for n in names},
        "weak": {n: {str(k): weak[k][n].as_dict() for k in KINDS} for n in names},
        "quiet": {n: {str(k): quiet[k][n] for k in KINDS} for n in names},
        "all_strong": {n: together([strong[k][n] for k in KINDS]).as_dict() for n in names},
        "all_weak": {n: together([weak[k][n] for k in KINDS]).as_dict() for n in names},
        "hourly_batches": hourly_batches(max(series // 3, 5)),
        "spiky_latency": spiky(series // 2),
        "latency_confirm_3": patient(series),
        "level_shifts": level_shifts(max(series // 3, 5)),
        "early_faults": early_faults(series),
        "errors_without_counts": ratio_only(max(series // 3, 5)),
    }


def show(found: dict[str, Any]) -> None:
    """The figures as a table."""
    table = Table(
        "who", "signal", "strong recall", "precision", "delay p50/p95", "weak recall", "false per quiet series-day"
    )
    for name in (OURS, *RIVALS):
        for kind in map(str, KINDS):
            strong, weak, quiet = found["strong"][name][kind], found["weak"][name][kind], found["quiet"][name][kind]
            table.add_row(
                name, kind, f"{strong['recall']:.4f}", f"{strong['precision']:.4f}",
                f"{strong['delay_p50']}/{strong['delay_p95']}", f"{weak['recall']:.3f}", f"{quiet['false_per_series_day']:.4f}",
            )  # fmt: skip
    console = Console(width=140)
    console.print(table)
    for name in (
        "hourly_batches",
        "spiky_latency",
        "latency_confirm_3",
        "level_shifts",
        "early_faults",
        "errors_without_counts",
    ):
        console.print(name, found[name])


def main() -> None:
    """Run, print, and write the figures with the machine's cores and the date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=60, help="series per signal")
    parser.add_argument("--days", type=float, default=3.0, help="fault-free days")
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    started = time.process_time()
    found = measure(chosen.series, chosen.days)
    show(found)
    note = about(cpu_s=round(time.process_time() - started), series=chosen.series, fault_free_days=chosen.days)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps({"about": note, **found}, indent=1) + "\n")


if __name__ == "__main__":
    with_one_thread("benchmarks.detector_quality")
    main()
