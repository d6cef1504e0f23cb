"""What a restart must not forget, as one JSON file that is replaced whole."""

import json
import os
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from stack.standins.grafana.alerting.states import Instance
from stack.standins.grafana.annotations import Annotation
from stack.standins.grafana.notify.alerts import Alert
from stack.standins.grafana.notify.log import Told
from stack.standins.grafana.notify.silences import Silence
from stack.standins.grafana.problems import ProvisioningError

FILE = "grafana-standin.json"
FORMAT = 1
_writing = threading.Lock()


@dataclass(frozen=True, kw_only=True, config=ConfigDict(ser_json_inf_nan="strings"))
class Snapshot:
    """The stand-in's state; `told` maps group and integration to what was told."""

    format: int = FORMAT
    instances: list[Instance]
    alerts: list[Alert]
    silences: list[Silence]
    annotations: list[Annotation]
    told: list[tuple[str, str, Told]]


def write(folder: Path, snapshot: Snapshot) -> None:
    """
    Replace the file; a crash leaves the old one or the new one, never half of one.
    """
    with _writing:  # a write that is still under way ends first, so the last one asked for is the one that stays
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f".{FILE}.new"
        new.write_bytes(_adapter().dump_json(snapshot))
        os.replace(new, folder / FILE)


def read(folder: Path) -> Snapshot | None:
    """
    The file's content; None when there is none; ProvisioningError when it cannot be read.
    """
    path = folder / FILE
    try:
        content: Mapping[str, Any] = json.loads(path.read_bytes())
        return _adapter().validate_python(content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ProvisioningError(f"{path}: the saved state cannot be read, remove it to begin anew: {error}") from error


@cache
def _adapter() -> TypeAdapter[Snapshot]:
    return TypeAdapter(Snapshot)
