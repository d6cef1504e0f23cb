"""The engines: real programs that the processes runtime runs, found on PATH or built once from their pinned Go modules."""

from stack.engines.cache import folder as cache_folder
from stack.engines.errors import EngineError
from stack.engines.progress import Progress, Report, Stage
from stack.engines.search import Found, Status, built, locate, maker, status
from stack.engines.supply import JOBS, ensure
from stack.engines.table import ENGINES, MAKERS, Engine
from stack.engines.toolchain import WISH as GO_WISH
from stack.engines.toolchain import Go
from stack.engines.toolchain import find as find_go

__all__ = [
    "ENGINES",
    "GO_WISH",
    "JOBS",
    "MAKERS",
    "Engine",
    "EngineError",
    "Found",
    "Go",
    "Progress",
    "Report",
    "Stage",
    "Status",
    "built",
    "cache_folder",
    "ensure",
    "find_go",
    "locate",
    "maker",
    "status",
]
