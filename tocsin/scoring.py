"""Scoring: saved runs as the scorecard of the anomaly detector wants them."""

import json

from assertions.scorecard import Drilled
from scenarios.history import History
from scenarios.model import Scenario
from tocsin.rundir import RunDir


def drilled(run: RunDir) -> Drilled | None:
    """
    A run whose stack had the detector; None for any other, and for one that was never carried out.

    Raises OSError or ValueError when its files cannot be read.
    """
    if not (run.setting.exists() and run.history.exists()):
        return None
    setting = json.loads(run.setting.read_text(encoding="utf-8"))
    if not any(part["name"] == "detector" for part in setting.get("parts", [])):
        return None
    scenario = Scenario.model_validate(json.loads(run.scenario.read_text(encoding="utf-8")))
    return Drilled(scenario=scenario, history=History.read(run.history), namespace=run.id)
