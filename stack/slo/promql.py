"""PromQL: the few expressions that rules are made of, as text."""

from collections.abc import Sequence
from fractions import Fraction

from stack.slo.model import IDENTITY, Selector

BY = f"by ({', '.join(IDENTITY)})"
ON = f"on ({', '.join(IDENTITY)})"


def duration(seconds: int) -> str:
    """
    Whole seconds in the largest unit that says them exactly: 300 is `5m`, 90 is `90s`.
    """
    if seconds == 0:
        return "0s"
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    unit, size = next((unit, size) for unit, size in units if seconds % size == 0)
    return f"{seconds // size}{unit}"


def number(value: Fraction) -> str:
    """
    A number as PromQL reads it, without noise of binary fractions: 14.4 x 0.001 is `0.0144`.
    """
    return f"{float(value):.12g}"


def summed_rate(selector: Selector, window_s: int, *, by: Sequence[str] = IDENTITY) -> str:
    """Events per second over a window, one series for each combination of the labels."""
    return f"sum by ({', '.join(by)}) (rate({selector}[{duration(window_s)}]))"


def event_rate(selector: Selector, window_s: int, *, among: Selector) -> str:
    """
    Events per second over a window for each service, where a series that was born in the window counts in full.

    The first failure brings a new series, whose first value `rate()` cannot see: it would be noticed one scrape late,
    and never if no other followed. Born is what was seen in fewer scrapes than its instance; `among` selects all series
    of the instance. After a restart both begin anew, and with a reset `rate()` knows better.
    """
    window = duration(window_s)
    scrapes = f"max by (job, instance) (count_over_time({among}[{window}]))"
    born = f"count_over_time({selector}[{window}]) < on (job, instance) group_left () {scrapes}"
    return (
        f"sum {BY} (\n"
        f"({selector} and {born} unless resets({selector}[{window}]) > 0) / {window_s}\n"
        f"or\nrate({selector}[{window}])\n)"
    )


def quantile(share: Fraction, buckets: Selector, window_s: int, *, by: Sequence[str] = IDENTITY) -> str:
    """A quantile of the histogram, over a window."""
    return f"histogram_quantile({number(share)}, {summed_rate(buckets, window_s, by=(*by, 'le'))})"


def grown(counter: str, window_s: int) -> str:
    """
    By how much counters grew within a window; those that were born in it count in full.

    Counters of failures often appear only with the first failure, which `increase()` alone would miss. A target that
    was not scraped before the window tells nothing about births, so those are left out.
    """
    window = duration(window_s)
    born = f"({counter} > 0 unless {counter} offset {window}) and on (job, instance) (up offset {window} == 1)"
    return f"(increase({counter}[{window}]) > 0 or ({born}))"
