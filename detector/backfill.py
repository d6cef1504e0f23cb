"""Made-up weeks of history for Prometheus: the synthetic world as OpenMetrics text, and as blocks by promtool."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from detector.kinds import Floats, Kind
from detector.synthetic import Recorded, World, generate

PROMTOOL_TIMEOUT_S = 600.0
METRICS = {Kind.TRAFFIC: "sli_requests_per_second", Kind.LATENCY: "sli_latency_p95_seconds"}
ERRORS, REQUESTS = "sli_errors_per_second", "sli_asked_per_second"


class BackfillError(RuntimeError):
    """promtool did not make blocks; the message has what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """How much history of which shape; `until_s` lies some hours back, since Prometheus' head holds the rest."""

    until_s: float
    days: float = 21.0
    step_s: float = 60.0
    services: int = 2
    namespace: str = "backfill"
    batch_every_s: float = 3600.0
    faults: bool = True
    seed: int = 1

    def world(self, kind: Kind) -> World:
        """The synthetic world of one kind."""
        return World(
            kind=kind,
            step_s=self.step_s,
            series=self.services,
            days=self.days,
            start_s=(self.until_s - self.days * 86_400.0) // self.step_s * self.step_s,
            weekend=0.7,
            batch_every_s=self.batch_every_s if kind is Kind.TRAFFIC else 0.0,
            batch_s=max(120.0, 2.0 * self.step_s),
            seed=self.seed,
        )


def history(weeks: Weeks) -> list[Recorded]:
    """All kinds; faults, if wanted, on the last day only, so that there is peace to learn from."""
    after = max(weeks.days - 1.0, 0.0) if weeks.faults else None
    return [generate(weeks.world(kind), faults_after_days=after) for kind in (Kind.TRAFFIC, Kind.LATENCY, Kind.ERRORS)]


def write_openmetrics(weeks: Weeks, recorded: list[Recorded], out: TextIO) -> int:
    """Write the text that promtool reads: families one after the other, `# EOF` last. Returns the sample count."""
    samples = 0
    for name, at_s, values in families(recorded):
        out.write(f"# TYPE {name} gauge\n")
        for column in range(values.shape[1]):
            labels = f'{{service_name="service-{column}",service_namespace="{weeks.namespace}"}}'
            for row in np.flatnonzero(np.isfinite(values[:, column])):
                out.write(f"{name}{labels} {values[row, column]:.6g} {at_s[row]:.3f}\n")
                samples += 1
    out.write("# EOF\n")
    return samples


def families(recorded: list[Recorded]) -> Iterator[tuple[str, Floats, Floats]]:
    """Each metric with its moments and values."""
    for part in recorded:
        if part.requests is None:
            yield METRICS[part.kind], part.at_s, part.values
        else:
            yield ERRORS, part.at_s, part.values
            yield REQUESTS, part.at_s, np.where(np.isfinite(part.values), part.requests, np.nan)


def write_labels(weeks: Weeks, recorded: list[Recorded], path: Path) -> int:
    """Write the faults as the backtest reads them. Returns their number."""
    entries = [
        {
            "watch": str(part.kind),
            "labels": {"service_name": f"service-{fault.series}", "service_namespace": weeks.namespace},
            "start": float(part.at_s[fault.start]),
            "end": float(part.at_s[fault.end - 1] + weeks.step_s),
            "size": fault.size,
        }
        for part in recorded
        for fault in part.faults
    ]
    path.write_text(json.dumps(entries, indent=1))
    return len(entries)


def make_blocks(promtool: Path, openmetrics: Path, data_dir: Path) -> None:
    """Turn the text into blocks in Prometheus' data folder, best while it does not run; raises BackfillError."""
    command = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", str(openmetrics), str(data_dir)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROMTOOL_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackfillError(
            f"{promtool} could not be run: {error}; give the path of promtool with --promtool"
        ) from None
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise BackfillError(f"promtool made no blocks from {openmetrics} (exit code {done.returncode}):\n{tail}")
