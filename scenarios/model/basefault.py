"""BaseFault: what every fault has: when it begins, how long it lasts, and who can tell that it was there."""

from typing import ClassVar

from pydantic import Field

from scenarios.model.value import Value
from scenarios.units import PositiveSeconds, Seconds


class BaseFault(Value):
    """What breaks, when (after the warm-up), and for how long."""

    FELT_BY_CLIENT: ClassVar[bool] = True

    at: Seconds = Field(description="when it is applied, after the warm-up")
    for_s: PositiveSeconds = Field(alias="for", description="how long until it is healed")

    @property
    def end_s(self) -> float:
        """When it is healed, in seconds after the warm-up."""
        return self.at + self.for_s

    @property
    def felt_by_client(self) -> bool:
        """Whether a client must see it; if not, the target's own word is the proof that it was applied."""
        return self.FELT_BY_CLIENT

    @property
    def breaks_the_stack(self) -> bool:
        """Whether it hits the stack under test, which other drills may share."""
        return False

    @property
    def needs(self) -> frozenset[str]:
        """Optional components of the stack without which it cannot be applied."""
        return frozenset()
