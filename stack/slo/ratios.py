"""Ratios: what is recorded of one service level: requests, bad ones and their share by window, and the error budget."""

from collections.abc import Callable, Sequence

from stack.config.profile import Profile
from stack.slo.model import Selector, Slo
from stack.slo.promql import BY, ON, duration, event_rate, number, summed_rate
from stack.slo.rule import Recording

BAD_RATE = "slo:sli_bad:rate"
TOTAL_RATE = "slo:sli_total:rate"
ERROR_RATIO = "slo:sli_error:ratio_rate"

BASE_WINDOW_S = 300
"""The window of what is shown and of the budget's sum, in nominal seconds."""


def series(record: str, slo: Slo, window_s: int) -> str:
    """One recorded ratio or rate of a level, over a window."""
    return f'{record}{{slo="{slo.name}",window="{duration(window_s)}"}}'


def recordings(slo: Slo, window_s: int, *, births: bool) -> Sequence[Recording]:
    """
    All and bad requests per second, and the share of bad ones, for each service over one window.

    A service without bad requests has a share of 0; one without requests has none. `births`: the first value of a new
    series counts, which matters to short windows and costs too much in long ones.
    """

    def rate(selector: Selector) -> str:
        return event_rate(selector, window_s, among=slo.sli.total) if births else summed_rate(selector, window_s)

    labels = {"slo": slo.name, "window": duration(window_s)}
    total, bad = series(TOTAL_RATE, slo, window_s), series(BAD_RATE, slo, window_s)
    return [
        Recording(record=TOTAL_RATE, expr=rate(slo.sli.total), labels=labels),
        Recording(record=BAD_RATE, expr=_bad_rate(slo, total, rate), labels=labels),
        Recording(record=ERROR_RATIO, expr=f"{bad} / ({total} > 0)", labels=labels),
    ]


def _bad_rate(slo: Slo, total: str, rate: Callable[[Selector], str]) -> str:
    """A kind of request that never came has no series, so none must count as 0, be it the bad or the good one."""
    none = f"{total} * 0"
    if slo.sli.bad is not None:
        return f"{rate(slo.sli.bad)}\nor {ON}\n{none}"
    assert slo.sli.good is not None
    return f"{total}\n- {ON}\n(\n{rate(slo.sli.good)}\nor {ON}\n{none}\n)"


def budget(slo: Slo, profile: Profile) -> Sequence[Recording]:
    """
    What was promised, for which period, and how much of its error budget is left (1: all, 0: none, below: overspent).

    Weighted by requests: the base window's rates are added up at steps of that window, so that each request counts
    once. Where data are kept for less than the period, it is what would be left at the pace of the time that is there.
    """
    base_s, period_s = profile.window_s(BASE_WINDOW_S), profile.window_s(slo.period_s)
    steps = f"[{duration(period_s)}:{duration(base_s)}]"
    bad, total = (f"sum_over_time({series(rate, slo, base_s)}{steps})" for rate in (BAD_RATE, TOTAL_RATE))
    spent = f"sum {BY} ({bad})\n/\nsum {BY} ({total})"
    labels = {"slo": slo.name}
    return [
        Recording(record="slo:objective:ratio", expr=f"vector({number(slo.objective)})", labels=labels),
        Recording(record="slo:error_budget:ratio", expr=f"vector({number(slo.budget)})", labels=labels),
        Recording(record="slo:period:seconds", expr=f"vector({period_s})", labels=labels),
        Recording(
            record="slo:error_budget_remaining:ratio", expr=f"1 - (\n{spent}\n) / {number(slo.budget)}", labels=labels
        ),
    ]
