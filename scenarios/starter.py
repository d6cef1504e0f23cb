"""Starter: the files from which people begin their own drills."""

from collections.abc import Mapping
from pathlib import Path

from scenarios.errors import Problem, ScenarioError

DRILL = """\
# A drill: drive traffic, break something on purpose, and prove that every signal told the truth in time.
# Run it:   tocsin run my-first.drill.yaml        or, together with your tests:   pytest
# Editors complete and check it with the schema that `tocsin schema` prints.

name: my-first                      # small letters, digits and dashes
why: A burst of server errors must page somebody within seconds, and leave error traces to look at.

load:
  users: 4                          # clients at the same time ...
  rate: 20                          # ... who make so many requests per second together
  warm_up: 12s                      # the baseline: nothing is broken yet, and no alert may fire
  for: 22s                          # time nought is here; faults happen in this time
  cool_down: 16s                    # everything is healed, and the alert has to go away

faults:                             # what breaks; `at` counts from the end of the warm-up
  - kind: errors                    # others: latency, slow_database, telemetry_silent, spike, kill, ...
    target: catalog
    route: /api/products
    ratio: 60%                      # the share of its requests
    at: 3s
    for: 15s

noise: []                           # what may happen beside it, and must not raise an alert

abort:                              # stop and heal, when clients suffer more than was meant to be tried
  - {failed: 80%, for: 5s}

expect:                             # each one is a test of its own
  - sli: {name: availability, within: 2%}          # Prometheus agrees with what the clients saw
  - alert:
      name: ErrorBudgetBurnFast
      labels: {severity: page, service_name: frontend}
      within: 10s                   # after the fault was applied
      resolves_within: 20s          # after it was healed
  - traces: {where: error, found: 99%}             # the failed requests' own traces are in Tempo
  - delivered: {}                                  # no request and no span got lost on the way
  - silent: {except: [ErrorBudgetBurnFast, ErrorBudgetBurnSlow, ErrorBudgetBurnTicket, ErrorRateHigh]}
"""
"""A drill that can be run as it stands, each line explained."""

TEST = '''\
"""What holds for all drills in this folder, checked in a moment and without a stack.

pytest runs the drills themselves too, one test for each expectation: `pytest --collect-only` lists them.
"""

from pathlib import Path

import pytest

from scenarios.loader import SUFFIX, load

DRILLS = sorted(Path(__file__).parent.glob(f"*{SUFFIX}"))


@pytest.mark.parametrize("path", DRILLS, ids=lambda path: path.name)
def test_drill_is_well_formed(path: Path) -> None:
    """A slip of the pen is found before anything is started."""
    assert load(path).name == path.name.removesuffix(SUFFIX)
'''
"""A test that needs nothing but the files."""

FILES: Mapping[str, str] = {"my-first.drill.yaml": DRILL, "test_drills.py": TEST}
"""What a new folder of drills holds."""


def write(folder: Path) -> list[Path]:
    """
    Write the files to begin with into a folder, which is made if need be; returns their paths.

    Raises ScenarioError, with nothing written, when one of them is there already or the folder cannot be written to.
    """
    paths = [folder / name for name in FILES]
    there = [path for path in paths if path.exists() or path.is_symlink()]
    if there:
        text = "is there already, and nothing is ever overwritten; choose another folder, or move it away"
        raise ScenarioError(Problem(source=str(path), line=0, text=text) for path in there)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            with path.open("x", encoding="utf-8") as file:
                file.write(FILES[path.name])
    except OSError as error:
        text = f"cannot be written: {error.strerror}; choose another folder"
        raise ScenarioError([Problem(source=str(error.filename or folder), line=0, text=text)]) from error
    return paths
