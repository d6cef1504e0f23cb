"""JUnit: what a test report's properties say of a drill, for tools that draw them over many builds."""

from reports import story
from reports.figures import printable
from scenarios.record import Record


def properties(record: Record) -> list[tuple[str, str]]:
    """
    Names and values: of the drill first, then each outcome's verdict, rung and numbers (`expect/3.time_to_detect_s`).
    """
    pairs: list[tuple[str, object]] = [
        ("tocsin.scenario", story.scenario_name(record)),
        ("tocsin.run_id", record.run_id),
        ("tocsin.verdict", record.verdict),
        ("tocsin.runtime", record.runtime),
        ("tocsin.profile", record.profile),
        ("tocsin.duration_s", f"{record.ended_t - record.started_t:.3f}"),
        ("tocsin.stand_ins", ", ".join(part.name for part in record.parts if part.stand_in)),
    ]
    for outcome in record.outcomes:
        pairs.append((f"{outcome.id}.verdict", outcome.verdict))
        if outcome.rung:
            pairs.append((f"{outcome.id}.rung", outcome.rung))
        pairs += [(f"{outcome.id}.{key}", f"{value:.10g}") for key, value in story.measured(outcome).items()]
    return [(printable(name), printable(str(value))) for name, value in pairs]
