"""Act: a fault that can be made to happen: applied, kept up, healed; and what it may do to the stack."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

Detail = Mapping[str, Any]
"""What a history says of one step of a fault."""


class FaultError(RuntimeError):
    """
    A fault could not be applied, renewed or healed: what was tried, and what came back.

    `final` means that the same try would fail again, so none is made.
    """

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


class Services(Protocol):
    """What a fault may do to the stack and to the drill's instances of the demo app; names are components or roles."""

    def kill(self, name: str) -> None:
        """End it at once, without a chance to tidy up."""

    def pause(self, name: str) -> None:
        """Freeze it."""

    def unpause(self, name: str) -> None:
        """Thaw it; harmless when it is not frozen."""

    def restart(self, name: str) -> None:
        """Stop it where it runs, start it, and return when it is ready."""

    def fault_api(self, role: str) -> tuple[str, str]:
        """The address and the token of the fault API of one role of the demo app."""

    def marker(self) -> Mapping[str, str]:
        """The environment by which whoever clears up after us knows what we have started."""

    def fill_disk(self, name: str) -> None:
        """Fill the disk that is its own, until not a byte more can be written; raises where it has none."""

    def free_disk(self, name: str) -> None:
        """Take away what filled it; harmless when nothing did."""

    def toxiproxy(self) -> str:
        """The address of the API of the Toxiproxy that the links between components go through."""

    def proxies(self, link: str) -> Mapping[str, str]:
        """The proxies that a link, such as `collector -> tempo`, goes through: by name, where each is reached from here."""


class Act(ABC):
    """
    One fault that can be made to happen. Each step may raise, may be repeated, and may take its time.

    Healing is asked for also when applying failed, for it may have failed half way.
    """

    APPLY_FOR_S: ClassVar[float] = 0.0
    """How long a failed apply is tried again; 0 where a second try might break more."""

    HEAL_FOR_S: ClassVar[float] = 30.0
    """How long a failed heal is tried again."""

    LEASED: ClassVar[bool] = False
    """Whether it is off by itself when nobody has been able to renew or heal it for that long."""

    over: bool = False
    """Whether it has passed already, as a restart has when the target is ready again."""

    @abstractmethod
    def apply(self) -> Detail:
        """Break it."""

    def renew(self) -> Detail:
        """Keep it broken; asked about once a second. What it returns is recorded when it changes."""
        return {}

    @abstractmethod
    def heal(self) -> Detail:
        """Make it whole."""
