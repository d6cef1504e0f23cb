"""LinkAct: a fault of the network between two neighbours, made by Toxiproxy and proved by a connection of our own."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from scenarios.act import Act, Detail, FaultError, Services
from scenarios.model import CutLinkFault, HungLinkFault, NetworkFault, ResetLinkFault, SlowLinkFault, ThrottledLinkFault
from scenarios.probe import SAID, Ending, Probe, probe
from scenarios.toxiproxy import Toxiproxy

SILENCE_S = 1.0
"""How long nothing must come back over a link that swallows everything."""

CAME_BACK: tuple[Ending, ...] = ("answered", "closed", "reset")
"""What a link does that works: not everybody answers, and who does not read all that was sent resets."""

NOTHING_BACK: tuple[Ending, ...] = ("refused", "reset", "closed")
"""What becomes of a connection that is refused or reset: where an engine publishes ports, its own proxy takes it first."""

PATIENCE_S = 5.0
"""How much longer than meant a probe may take on a busy machine."""

LOAD_BYTES = 4_000
"""What is sent over a throttled link to see that it takes its time."""

SLICE_S = 0.1
"""Toxiproxy throttles in slices of this length; the first one may be all that the other side reads before it closes."""


@dataclass(kw_only=True)
class LinkAct(Act):
    """
    A link is slowed, throttled, hung, reset or cut in all its proxies. They end with the stack, which nobody else shares.
    """

    APPLY_FOR_S: ClassVar[float] = 3.0

    id: str
    fault: NetworkFault
    services: Services

    def apply(self) -> Detail:
        """Do it to each proxy, read back that it is so, and see for ourselves what becomes of a connection."""
        for proxy in self._proxies:
            for name, toxic in self._toxics.items():
                self._toxiproxy.add_toxic(proxy, name, toxic)
            if isinstance(self.fault, CutLinkFault):
                self._toxiproxy.switch(proxy, on=False)
        self._check_state()
        return {"proof": self._prove()}

    def renew(self) -> Detail:
        """Read back that it is still so."""
        self._check_state()
        return {}

    def heal(self) -> Detail:
        """Undo it in each proxy, whether it was done there or not."""
        for proxy in self._proxies:
            for name in self._toxics:
                self._toxiproxy.remove_toxic(proxy, name)
            if isinstance(self.fault, CutLinkFault):
                self._toxiproxy.switch(proxy, on=True)
        return {}

    @cached_property
    def _toxiproxy(self) -> Toxiproxy:
        return Toxiproxy(self.services.toxiproxy())

    @cached_property
    def _proxies(self) -> Mapping[str, str]:
        found = self.services.proxies(self.fault.target)
        if not found:
            raise FaultError(f"nothing of this stack goes over {self.fault.target}", final=True)
        return found

    @cached_property
    def _toxics(self) -> Mapping[str, Mapping[str, object]]:
        return {f"{self.id}-{number}": toxic for number, toxic in enumerate(self.fault.toxics(), 1)}

    def _check_state(self) -> None:
        for proxy in self._proxies:
            there = self._toxiproxy.toxics(proxy)
            missing = [name for name, toxic in self._toxics.items() if there.get(name) != toxic]
            if missing:
                raise FaultError(f"toxiproxy does not do {self.fault.kind} to {proxy}: it lacks {', '.join(missing)}")
            if isinstance(self.fault, CutLinkFault) and self._toxiproxy.serves(proxy):
                raise FaultError(f"toxiproxy still serves {proxy}, which should be cut")

    def _prove(self) -> str:
        """What became of a connection over each proxy."""
        wanted = Wanted.of(self.fault)
        seen = [probe(place, within_s=wanted.within_s, size=wanted.size) for place in self._proxies.values()]
        unmet = next((one for one in seen if not wanted.met_by(one)), None)
        if unmet:
            raise FaultError(f"a connection over {self.fault.target} {unmet}; expected: it {wanted}")
        return f"a connection over it {', another one '.join(map(str, seen))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What must become of a connection over a broken link, of `size` bytes and watched for `within_s` seconds."""

    endings: tuple[Ending, ...]
    at_least_s: float = 0.0
    within_s: float = PATIENCE_S
    size: int = 64

    @classmethod
    def of(cls, fault: NetworkFault) -> "Wanted":
        """What a fault must do to it."""
        match fault:
            case SlowLinkFault():
                least_s = max(0.0, fault.delay - fault.jitter)
                return cls(endings=CAME_BACK, at_least_s=least_s, within_s=fault.delay + fault.jitter + PATIENCE_S)
            case ThrottledLinkFault():
                whole_s = LOAD_BYTES / (fault.rate * 1000)
                least_s = min(whole_s, SLICE_S)
                return cls(
                    endings=CAME_BACK,
                    # Toxiproxy's clock ticks in milliseconds.
                    at_least_s=max(0.0, least_s - 0.002),
                    within_s=whole_s + PATIENCE_S,
                    size=LOAD_BYTES,
                )
            case HungLinkFault():
                return cls(endings=("silent",), within_s=SILENCE_S)
            case ResetLinkFault():
                return cls(endings=NOTHING_BACK[1:])
            case _:
                return cls(endings=NOTHING_BACK)

    def met_by(self, seen: Probe) -> bool:
        """Whether it became of it."""
        return seen.ending in self.endings and seen.after_s >= self.at_least_s

    def __str__(self) -> str:
        later = f" after {self.at_least_s:.2f} s at the earliest" if self.at_least_s else ""
        return " or ".join(SAID[ending] for ending in self.endings) + later
