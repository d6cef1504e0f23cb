"""Links: what can break on the network between two neighbours, as values; `scenarios.linkact` makes it happen.

A link is written as an edge of the service graph is: who calls whom. Toxiproxy stands in the middle of it.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from scenarios.model.basefault import BaseFault
from scenarios.units import DURATION_SCHEMA, POSITIVE_DURATION_SCHEMA, PositiveSeconds, Seconds, Whole

Link = Literal[
    "app -> collector",
    "collector -> tempo",
    "prometheus -> collector",
    "grafana -> prometheus",
    "alertmanager -> sink",
]
"""Who calls whom, where a network can be broken. `app` is every role of the demo app."""

Toxic = Mapping[str, Any]
"""One effect in Toxiproxy's own words: `type`, `stream` and `attributes`; times in milliseconds."""

LinkDelay = Annotated[PositiveSeconds, Field(ge=0.001, le=60), POSITIVE_DURATION_SCHEMA]
"""Toxiproxy reckons in milliseconds."""

LinkJitter = Annotated[Seconds, Field(le=60), DURATION_SCHEMA]
"""The same, and may be nought."""


class LinkFault(BaseFault):
    """The network between two neighbours misbehaves, for connections that are open as well as for new ones."""

    FELT_BY_CLIENT: ClassVar[bool] = False

    target: Link = Field(description="the link: who calls whom")

    @property
    def breaks_the_stack(self) -> bool:
        """All drills on a stack share its links."""
        return True

    @property
    def needs(self) -> frozenset[str]:
        """Optional components of the stack without which there is no such link."""
        return frozenset({"toxiproxy", "grafana"} if self.target.startswith("grafana") else {"toxiproxy"})

    def toxics(self) -> Sequence[Toxic]:
        """What Toxiproxy has to do to each connection; nothing when it has to refuse them all."""
        return ()


class SlowLinkFault(LinkFault):
    """What is sent arrives later by `delay`, give or take `jitter`."""

    kind: Literal["slow_link"]
    delay: LinkDelay = Field(description="how much later")
    jitter: LinkJitter = Field(default=0.0, description="give or take so much, spread evenly")

    def toxics(self) -> Sequence[Toxic]:
        """One way only, so that a call takes longer by `delay`, not by twice as much."""
        return (_toxic("latency", "upstream", latency=round(self.delay * 1000), jitter=round(self.jitter * 1000)),)


class ThrottledLinkFault(LinkFault):
    """Each connection passes only so many bytes per second."""

    kind: Literal["throttled_link"]
    rate: Whole = Field(ge=1, le=100_000, description="kilobytes per second, in either direction")

    def toxics(self) -> Sequence[Toxic]:
        """Both ways: some links are heavy in what is asked, some in what is answered."""
        return tuple(_toxic("bandwidth", stream, rate=self.rate) for stream in ("upstream", "downstream"))


class HungLinkFault(LinkFault):
    """Connections stay open, and all that is sent is lost: neither an answer nor an error ever comes."""

    kind: Literal["hung_link"]

    def toxics(self) -> Sequence[Toxic]:
        """Without a time after which it would close connections; they are closed when it is healed."""
        return tuple(_toxic("timeout", stream, timeout=0) for stream in ("upstream", "downstream"))


class ResetLinkFault(LinkFault):
    """Every connection is reset as soon as something is sent over it."""

    kind: Literal["reset_link"]

    def toxics(self) -> Sequence[Toxic]:
        """The caller sends first on every link of ours."""
        return (_toxic("reset_peer", "upstream", timeout=0),)


class CutLinkFault(LinkFault):
    """Open connections are closed, and new ones are refused."""

    kind: Literal["cut_link"]


NetworkFault = SlowLinkFault | ThrottledLinkFault | HungLinkFault | ResetLinkFault | CutLinkFault
"""Any of them."""


def _toxic(kind: str, stream: str, **attributes: int) -> Toxic:
    return {"type": kind, "stream": stream, "attributes": attributes}
