"""Evidence: on disk before anything is judged, and read again as it was."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from assertions.evidence import Evidence, Trace
from tests.unit.assertions.builders import evidence, service, spans


def test_evidence_is_read_as_it_was_saved(tmp_path: Path) -> None:
    """So that a run can be judged again."""
    found = evidence(
        services={"catalog": service()},
        traces={"expect/1": (Trace(trace_id="t", route="/", status=200, duration_s=1, spans=spans()),)},
        stored_spans={"frontend": 7},
        problems={"tempo": "it did not answer"},
    )
    found.save(tmp_path / "evidence.json")

    assert Evidence.read(tmp_path / "evidence.json") == found
    assert [path.name for path in tmp_path.iterdir()] == ["evidence.json"]


def test_evidence_that_is_none_is_an_error(tmp_path: Path) -> None:
    """Half of a file, or somebody else's."""
    path = tmp_path / "evidence.json"
    for text in ("", '{"asked_t": 1', '{"unknown": 1}'):
        path.write_text(text)
        with pytest.raises(ValidationError):
            Evidence.read(path)
    with pytest.raises(FileNotFoundError):
        Evidence.read(tmp_path / "missing.json")


def test_evidence_cannot_be_changed() -> None:
    """What was said was said."""
    with pytest.raises(ValidationError):
        setattr(evidence(), "asked_t", 7)  # noqa: B010 - mypy knows it, too
