"""
The anomaly detector: watches SLIs and says when one is not as it should be.

`Detector` takes one sample at a time, `detect` a recorded series, `Bank` thousands of series at once. As a service it
reads Prometheus and tells Alertmanager: `python -m detector run --config FILE`.
"""

from detector.bank import Bank
from detector.kinds import Direction, Kind
from detector.model import Detector, Scores, detect
from detector.settings import Settings
from detector.verdict import Severity, Status, Verdict

__all__ = ["Bank", "Detector", "Direction", "Kind", "Scores", "Settings", "Severity", "Status", "Verdict", "detect"]
