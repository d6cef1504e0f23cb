"""An image: what a component runs, and whether that is the one which was asked for."""

from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """What an image is."""

    AS_NAMED = "as named"
    OURS = "built here"
    LOCAL = "local"
    STAND_IN = "stand-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """
    What component `name` runs: `reference`, in place of or the same as `wanted`, and the engine's id of it.

    `digest` is what a registry knows it by (`sha256:...`); empty if it comes from none.
    """

    name: str
    wanted: str
    reference: str
    id: str
    origin: Origin
    digest: str = ""

    def __str__(self) -> str:
        if self.origin is Origin.LOCAL:
            return f"{self.reference} (built here, in place of {self.wanted})"
        if self.origin is Origin.STAND_IN:
            return f"{self.reference} (a stand-in for {self.wanted})"
        return f"{self.reference} ({self.digest or self.id})" if "@" not in self.reference else self.reference
