"""The display: builds as bars in a terminal, as plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from stack.engines.progress import Progress, Report, Stage

ENDS = (Stage.READY, Stage.FAILED)
LINE_EVERY_S = 15.0
DETAIL_WIDTH = 48


@contextmanager
def shown(console: Console) -> Iterator[Report]:
    """A report for `ensure` that shows each engine's progress on the console while the body runs."""
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        SpinnerColumn(finished_text="[green]✔"),
        TextColumn("{task.description:<13}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[stage]} [dim]{task.fields[detail]}"),
    )
    with Bars(*columns, console=console) as bars:
        yield Rows(bars)


class Rows:
    """One row with a bar for each engine."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, progress: Progress) -> None:
        """Move the engine's bar."""
        task = self._tasks.get(progress.engine)
        if task is None:
            task = self._tasks[progress.engine] = self._bars.add_task(progress.engine, total=None, stage="", detail="")
        ended = progress.stage in ENDS
        total = 1 if ended else progress.total or None
        done = 1 if progress.stage is Stage.READY else progress.done
        detail = escape(progress.detail[-DETAIL_WIDTH:])
        self._bars.update(task, completed=done, total=total, stage=progress.stage.value, detail=detail)
        if ended:
            self._bars.stop_task(task)


class Lines:
    """One line for each new stage of an engine, and one now and then that shows it is alive."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str, Progress] = {}

    def __call__(self, progress: Progress) -> None:
        """Print the step if it is worth a line."""
        last = self._last.get(progress.engine)
        if last and last.stage is progress.stage and progress.elapsed_s - last.elapsed_s < LINE_EVERY_S:
            return
        self._last[progress.engine] = progress
        count = f" {progress.done}/{progress.total}" if progress.total else ""
        line = f"{progress.elapsed_s:5.0f} s  {progress.engine}: {progress.stage.value}{count} {progress.detail}"
        self._console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
