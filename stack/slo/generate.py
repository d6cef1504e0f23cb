"""Generation: all rule files of all profiles from one service level file, and whether the committed ones still agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stack.config.profile import PROFILES
from stack.slo import http_metrics, levels, pipeline, saturation
from stack.slo.loader import load
from stack.slo.rule import text

SOURCE = Path(__file__).with_name("slo.yaml")
GENERATED = Path(__file__).with_name("generated")
"""The service levels of the demo shop, and the committed rules made from them, by profile."""


def rules_dir(profile: str) -> Path:
    """The folder of a profile's committed rule files, which Prometheus reads."""
    return GENERATED / profile


def generate(source: Path = SOURCE) -> Mapping[str, str]:
    """
    The texts of all rule files, by their path below the output folder.

    Raises SloError if the service level file is wrong.
    """
    slos = load(source)
    files: dict[str, str] = {}
    for name, profile in PROFILES.items():
        level_groups = [group for slo in slos for group in levels.groups(slo, profile)]
        files[f"{name}/slo.rules.yaml"] = text(level_groups, source=source.name)
        files[f"{name}/http.rules.yaml"] = text(http_metrics.groups(profile), source="stack/slo/http_metrics.py")
        files[f"{name}/saturation.rules.yaml"] = text(saturation.groups(profile), source="stack/slo/saturation.py")
        files[f"{name}/pipeline.rules.yaml"] = text(pipeline.groups(profile), source="stack/slo/pipeline.py")
    return files


def write(files: Mapping[str, str], folder: Path = GENERATED) -> None:
    """Write the files, and remove rule files that are not generated any more."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    for name in _present(folder) - files.keys():
        (folder / name).unlink()


def stale(files: Mapping[str, str], folder: Path = GENERATED) -> Sequence[str]:
    """The files that differ from what is in the folder: changed, missing, or left over."""
    present = _present(folder)
    changed = {name for name in files.keys() & present if (folder / name).read_text(encoding="utf-8") != files[name]}
    return sorted(changed | (files.keys() ^ present))


def _present(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.glob("*/*.rules.yaml")}
