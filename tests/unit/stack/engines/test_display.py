"""The display: bars in a terminal, few plain lines elsewhere."""

import io

import pytest
from rich.console import Console

from stack.engines import Progress, Stage
from stack.engines.display import shown

STEPS = [
    Progress(engine="prometheus", stage=Stage.DOWNLOAD, elapsed_s=0, detail="example.com/[bold]module v1"),
    Progress(engine="prometheus", stage=Stage.COMPILE, elapsed_s=1, done=1, total=4, detail="fmt"),
    Progress(engine="toxiproxy", stage=Stage.COMPILE, elapsed_s=2, done=1, total=2, detail="os"),
    Progress(engine="prometheus", stage=Stage.COMPILE, elapsed_s=9, done=2, total=4, detail="quick"),
    Progress(engine="prometheus", stage=Stage.COMPILE, elapsed_s=17, done=3, total=4, detail="late"),
    Progress(engine="prometheus", stage=Stage.READY, elapsed_s=20, detail="/cache/prometheus"),
    Progress(engine="toxiproxy", stage=Stage.FAILED, elapsed_s=21),
]


def show(*, terminal: bool) -> str:
    """All steps on a console that writes to a string."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None)
    with shown(console) as report:
        for step in STEPS:
            report(step)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_lines_are_few() -> None:
    """In a log file: a line for each new stage, and one every 15 seconds in a long one."""
    assert [line.strip() for line in show(terminal=False).splitlines()] == [
        "0 s  prometheus: downloading example.com/[bold]module v1",
        "1 s  prometheus: compiling 1/4 fmt",
        "2 s  toxiproxy: compiling 1/2 os",
        "17 s  prometheus: compiling 3/4 late",
        "20 s  prometheus: ready /cache/prometheus",
        "21 s  toxiproxy: failed",
    ]


@pytest.mark.parametrize("word", ["prometheus", "toxiproxy", "ready", "failed", "/cache/prometheus"])
def test_bars_show_each_engine(word: str) -> None:
    """In a terminal: one row for each engine, with its last stage."""
    last = show(terminal=True).rpartition("\x1b[1A")[2]

    assert word in last
