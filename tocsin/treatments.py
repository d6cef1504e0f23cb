"""Treatments: what the treatments of a drill change in the profile of its stack and of its app."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import reduce

from scenarios.model import (
    DropLabelTreatment,
    ExportIntervalTreatment,
    LiveTracesTreatment,
    MemoryLimitTreatment,
    QueueTreatment,
    SamplingTreatment,
    ScrapeIntervalTreatment,
    Treatment,
)
from stack.config import DRILL, Profile


def treated(profile: Profile, treatments: Sequence[Treatment]) -> Profile:
    """
    The profile with all of them; its name, and so its rules, stay what they are. Doing it twice changes nothing more.
    """
    return reduce(_treated, treatments, profile)


def drill_profile(treatments: Sequence[Treatment], *, small_disks: Collection[str]) -> Profile:
    """The profile of a stack that one drill has for itself, with small disks for the components that it fills."""
    return replace(treated(DRILL, treatments), small_disks=tuple(sorted(small_disks)))


def _treated(profile: Profile, treatment: Treatment) -> Profile:
    match treatment:
        case SamplingTreatment():
            return replace(profile, trace_ratio=treatment.ratio)
        case ExportIntervalTreatment():
            return replace(profile, export_interval_s=treatment.every)
        case ScrapeIntervalTreatment():
            return replace(profile, scrape_interval_s=int(treatment.every))
        case DropLabelTreatment():
            labels = dict.fromkeys((*profile.dropped_labels, treatment.label))
            return replace(profile, dropped_labels=tuple(labels))
        case MemoryLimitTreatment():
            return replace(profile, memory_limit_mib=treatment.mib)
        case QueueTreatment():
            return replace(profile, queue_size=treatment.spans)
        case LiveTracesTreatment():
            return replace(profile, trace_live_limit=treatment.traces)
