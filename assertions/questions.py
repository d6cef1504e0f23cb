"""Questions: what single expectations ask of the backends, beside what every drill needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assertions import traces
from scenarios.history import History
from scenarios.model import Expectation, Traces

if TYPE_CHECKING:
    from assertions.gather import Backends


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whom to ask for which part of the evidence; every expectation has an answer of its own there, by the id of its check."""

    backend: str
    part: str
    ask: Callable[..., Any]


def _traces(item: Traces, history: History, backends: "Backends") -> Any:
    return traces.gather(item, history, backends.tempo, within_s=backends.patience_s)


QUESTIONS: Mapping[type[Expectation], Sequence[Question]] = {
    Traces: [Question(backend="tempo", part="traces", ask=_traces)],
}
"""What each kind of expectation asks; a kind that is not here needs nothing of its own."""
