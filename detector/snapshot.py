"""The state on disk: everything that a restart must not forget, in one file that is whole or not there."""

import io
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.bank import Bank
from detector.watcher import Watcher

VERSION = 1
FILE = "detector-state.npz"
Arrays = dict[str, npt.NDArray[Any]]


def bank_arrays(bank: Bank) -> Arrays:
    """All arrays of a bank, by name."""
    found: Arrays = {f"state.{name}": array for name, array in bank.state.arrays().items()}
    found |= {
        "seasons.profile": bank.seasons.profile,
        "seasons.period_s": bank.seasons.period_s,
        "seasons.buckets": bank.seasons.buckets,
        "history.raw": bank.history.raw,
        "ratios.ratios": bank.ratios.ratios,
        "clock": np.array([bank.at_s, bank.late, bank.history.tick, bank.ratios.turn], dtype=np.float64),
    }
    for at, ring in enumerate(bank.history.rings):
        found |= {f"ring{at}.means": ring.means, f"ring{at}.sums": ring.sums, f"ring{at}.counts": ring.counts}
        found[f"ring{at}.bucket"] = np.array([ring.bucket])
    return found


def restore_bank(bank: Bank, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Give a fresh bank of the same kind, step and settings the arrays of another one."""
    bank.grow(max(len(arrays["state.level"]), bank.size))
    for f in fields(bank.state):
        if f.metadata:
            setattr(bank.state, f.name, arrays[f"state.{f.name}"].copy())
    seasons, history, ratios = bank.seasons, bank.history, bank.ratios
    seasons.profile = arrays["seasons.profile"].copy()
    seasons.period_s, seasons.buckets = arrays["seasons.period_s"].copy(), arrays["seasons.buckets"].copy()
    seasons.refresh()
    history.raw, ratios.ratios = arrays["history.raw"].copy(), arrays["ratios.ratios"].copy()
    at_s, late, tick, turn = arrays["clock"]
    bank.state.at_s, bank.late, history.tick, ratios.turn = float(at_s), int(late), int(tick), int(turn)
    for at, ring in enumerate(history.rings):
        ring.means, ring.sums = arrays[f"ring{at}.means"].copy(), arrays[f"ring{at}.sums"].copy()
        ring.counts, ring.bucket = arrays[f"ring{at}.counts"].copy(), int(arrays[f"ring{at}.bucket"][0])


def fingerprint(watcher: Watcher) -> str:
    """What must be the same for a state to be of use: the watch, the step and the dials."""
    return json.dumps([VERSION, watcher.step_s, watcher.watch.model_dump(mode="json")], sort_keys=True)


def pack(watchers: Mapping[str, Watcher]) -> Arrays:
    """Copy the state of all watches."""
    arrays: Arrays = {}
    meta: dict[str, Any] = {"version": VERSION, "watches": {}}
    for name, watcher in watchers.items():
        arrays |= {f"{name}/{key}": array.copy() for key, array in bank_arrays(watcher.bank).items()}
        arrays[f"{name}/fitted_s"] = watcher.fitted_s.copy()
        slots = [[list(map(list, labels)), slot] for labels, slot in watcher.roster.slots.items()]
        refused = [[list(map(list, labels)), why] for labels, why in watcher.roster.refused.items()]
        meta["watches"][name] = {"fingerprint": fingerprint(watcher), "slots": slots, "refused": refused}
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    return arrays


def write(folder: Path, arrays: Arrays) -> None:
    """Write the state of all watches to disk."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    replace_file(folder / FILE, buffer.getbuffer())


def replace_file(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that a crash leaves the old one or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


class Snapshot:
    """A state that was read from disk."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.meta = json.loads(arrays["meta"].tobytes())
        if self.meta["version"] != VERSION:
            raise ValueError(f"state of version {self.meta['version']}, this detector writes version {VERSION}")

    def restore(self, watcher: Watcher) -> bool:
        """Give a watch its state back, if it is still the same watch."""
        name = watcher.watch.name
        saved = self.meta["watches"].get(name)
        if saved is None or saved["fingerprint"] != fingerprint(watcher):
            return False
        prefix = f"{name}/"
        own = {key.removeprefix(prefix): array for key, array in self.arrays.items() if key.startswith(prefix)}
        restore_bank(watcher.bank, own)
        watcher.fitted_s = own["fitted_s"].copy()
        watcher.roster.restore((tuple(map(tuple, labels)), slot) for labels, slot in saved["slots"])
        watcher.roster.refused = {tuple(map(tuple, labels)): why for labels, why in saved["refused"]}
        return True


def read(folder: Path) -> Snapshot | None:
    """The state on disk; None if there is none. One that is damaged or foreign raises ValueError with what is wrong."""
    try:
        with (folder / FILE).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Snapshot({name: arrays[name] for name in arrays.files})
    except FileNotFoundError:
        return None
    except (zipfile.BadZipFile, KeyError, EOFError, OSError, ValueError, AttributeError) as error:
        raise ValueError(
            f"{folder / FILE} cannot be used ({error}); it is left aside and history is read again"
        ) from error
