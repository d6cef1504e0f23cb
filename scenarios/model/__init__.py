"""Scenario: one experiment, immutable: the load, what breaks, and what must then hold.

Pure values without I/O. `scenarios.loader` makes them from YAML; README.md in the folder above specifies the language.
All times are seconds relative to the start of the drive (the end of the warm-up), unless a name says otherwise.
"""

from scenarios.model.expectations import (
    EXPECTATIONS,
    Alert,
    Anomaly,
    Dashboard,
    Delivered,
    Exemplar,
    Expectation,
    Logs,
    Semconv,
    ServiceGraph,
    Silent,
    Sli,
    Traces,
)
from scenarios.model.faults import (
    AppFault,
    BrokenContextFault,
    CommandFault,
    ComponentFault,
    CpuFault,
    DependencyTimeoutFault,
    ErrorsFault,
    ExceptionFault,
    Fault,
    HangFault,
    HttpFault,
    LabelCardinalityFault,
    LatencyFault,
    MemoryLeakFault,
    RetryStormFault,
    SlowDatabaseFault,
    TelemetrySilentFault,
    TrafficFault,
)
from scenarios.model.load import Load
from scenarios.model.outages import Budget, ComponentState, Recovered, Watchdog
from scenarios.model.scenario import Abort, Scenario
from scenarios.model.shapes import SpanShape
from scenarios.model.topology import ENTRY_SERVICE, ROLE_ROUTES, ROUTES, Component, Role
from scenarios.model.value import Misfit, Misfits

__all__ = [
    "ENTRY_SERVICE",
    "EXPECTATIONS",
    "ROLE_ROUTES",
    "ROUTES",
    "Abort",
    "Alert",
    "Anomaly",
    "AppFault",
    "BrokenContextFault",
    "Budget",
    "CommandFault",
    "Component",
    "ComponentFault",
    "ComponentState",
    "CpuFault",
    "Dashboard",
    "Delivered",
    "DependencyTimeoutFault",
    "ErrorsFault",
    "ExceptionFault",
    "Exemplar",
    "Expectation",
    "Fault",
    "HangFault",
    "HttpFault",
    "LabelCardinalityFault",
    "LatencyFault",
    "Load",
    "Logs",
    "MemoryLeakFault",
    "Misfit",
    "Misfits",
    "Recovered",
    "RetryStormFault",
    "Role",
    "Scenario",
    "Semconv",
    "ServiceGraph",
    "Silent",
    "Sli",
    "SlowDatabaseFault",
    "SpanShape",
    "TelemetrySilentFault",
    "Traces",
    "TrafficFault",
    "Watchdog",
]
