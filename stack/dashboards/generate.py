"""Generation: dashboards and Grafana's alert rules from one service level file, and whether the committed ones still agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.config.grafana.render import alert_rules
from stack.config.profile import PROFILES
from stack.dashboards.boards import boards
from stack.dashboards.page import page
from stack.slo.generate import SOURCE
from stack.slo.grafana import Clock
from stack.slo.loader import load

STACK = Path(__file__).parents[1]
DASHBOARDS, RULES = "dashboards/generated", "config/grafana/generated"
"""Where the committed files are, below the stack's folder: dashboards, and by profile the alert rules."""


def generate(source: Path = SOURCE) -> Mapping[str, str]:
    """
    The texts of all files by their path below the stack's folder. Raises SloError if the service level file is wrong.
    """
    slos = load(source)
    found = boards(slos)
    files = {f"{DASHBOARDS}/{board.uid}.json": page(board, found) for board in found}
    for name, profile in PROFILES.items():
        rules = alert_rules(slos, profile, Clock.of(profile), detector=True)
        files |= {f"{RULES}/{name}/{Path(path).name}": text for path, text in rules.items()}
    return files


def write(files: Mapping[str, str], folder: Path = STACK) -> None:
    """Write the files, and remove those that are not generated any more."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in _present(folder) - files.keys():
        (folder / name).unlink()


def stale(files: Mapping[str, str], folder: Path = STACK) -> Sequence[str]:
    """The files that differ from what is in the folder: changed, missing, or left over."""
    present = _present(folder)
    changed = {name for name in files.keys() & present if (folder / name).read_text(encoding="utf-8") != files[name]}
    return sorted(changed | (files.keys() ^ present))


def _present(folder: Path) -> set[str]:
    found = [*(folder / DASHBOARDS).glob("*.json"), *(folder / RULES).glob("*/*.yaml")]
    return {path.relative_to(folder).as_posix() for path in found}
