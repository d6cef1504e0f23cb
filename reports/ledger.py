"""Ledger: how much of each signal passed each place on its way, and what got lost there."""

from dataclasses import dataclass

from reports.evidence import Hop


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One hop; `difference` is None where a number is missing.
    """

    hop: Hop
    difference: float | None

    @property
    def state(self) -> str:
        """`even`, `off` (something is missing, or there is too much), or `unknown`."""
        if self.difference is None:
            return "unknown"
        return "off" if self.difference else "even"

    @property
    def share(self) -> float | None:
        """The difference as a share of what was expected, or None where that says nothing."""
        return self.difference / self.hop.expected if self.difference and self.hop.expected else None


def entry(hop: Hop) -> Entry:
    """
    Compare what a hop counted with what was expected there.
    """
    known = hop.count is not None and hop.expected is not None
    return Entry(hop=hop, difference=(hop.count or 0.0) - (hop.expected or 0.0) if known else None)
