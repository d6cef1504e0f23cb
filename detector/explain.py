"""One series explained: a page with its values, the band, the score and every decision; no script, no network."""

from dataclasses import dataclass

import jinja2
import numpy as np

from detector.alerts import iso
from detector.kinds import Floats, Kind
from detector.matrix import Labels
from detector.replay import Alert, Trace
from detector.verdict import amount

WIDTH, HEIGHT, SCORE_HEIGHT, LEFT = 1100, 300, 90, 70
MOST_POINTS = 1500

PAGE = jinja2.Template(
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<style>
:root { --ink: #1b1f24; --paper: #fff; --line: #1f5fa8; --band: #1f5fa826; --bad: #c0392b; --soft: #6b7280; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --paper: #16181c; --line: #7db3f0; --band: #7db3f030; --bad: #ff7b6b; --soft: #9aa2ad; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 1180px; padding: 0 1rem; }
svg { width: 100%; height: auto; } text { fill: var(--soft); font-size: 12px; }
.value { fill: none; stroke: var(--line); stroke-width: 1.3; } .band { fill: var(--band); }
.alert { fill: var(--bad); opacity: .16; } .limit { stroke: var(--bad); stroke-dasharray: 4 4; }
.score { fill: none; stroke: var(--ink); } .frame { stroke: var(--soft); fill: none; opacity: .4; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid color-mix(in srgb, var(--soft) 30%, transparent); }
</style></head><body>
<h1>{{ title }}</h1><p>{{ subtitle }}</p>
<svg viewBox="0 0 {{ width + left + 10 }} {{ height + score_height + 60 }}" role="img"
  aria-label="Values with the expected band, and the score below">
{% for x, w in shades %}<rect class="alert" x="{{ x }}" y="0" width="{{ w }}" height="{{ height + score_height + 30 }}"/>
{% endfor %}<rect class="frame" x="{{ left }}" y="0" width="{{ width }}" height="{{ height }}"/>
{% for band in bands %}<polygon class="band" points="{{ band }}"/>{% endfor %}
{% for line in values %}<polyline class="value" points="{{ line }}"/>{% endfor %}
<text x="0" y="12">{{ top }}</text><text x="0" y="{{ height }}">{{ bottom }}</text>
<g transform="translate(0,{{ height + 30 }})">
<rect class="frame" x="{{ left }}" y="0" width="{{ width }}" height="{{ score_height }}"/>
<line class="limit" x1="{{ left }}" x2="{{ left + width }}" y1="{{ score_height / 2 }}" y2="{{ score_height / 2 }}"/>
{% for line in scores %}<polyline class="score" points="{{ line }}"/>{% endfor %}
<text x="0" y="12">score 1</text><text x="0" y="{{ score_height / 2 + 4 }}">limit</text>
<text x="{{ left }}" y="{{ score_height + 18 }}">{{ from_time }}</text>
<text x="{{ left + width }}" y="{{ score_height + 18 }}" text-anchor="end">{{ to_time }}</text></g>
</svg>
<h2>Decisions</h2>
{% if rows %}<table><thead><tr><th>from</th><th>until</th><th>why it ended</th><th>value</th><th>expected</th><th>band</th></tr></thead>
<tbody>{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>{% else %}<p>No alert in this time.</p>{% endif %}
</body></html>
""",
    autoescape=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is explained: a series of a watch, by name, kind and labels."""

    watch: str
    kind: Kind
    labels: Labels
    slot: int


def page(subject: Subject, values: Floats, trace: Trace) -> str:
    """The page for one series; `values` are in the units that people know."""
    rows = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS)).astype(np.int64))
    low, high, seen = trace.lower[:, subject.slot], trace.upper[:, subject.slot], values[:, subject.slot]
    bottom, top = extent(np.concatenate([seen, low, high]))
    across = LEFT + WIDTH * rows / max(len(values) - 1, 1)
    own = [alert for alert in trace.alerts if alert.slot == subject.slot]

    def height(part: Floats) -> Floats:
        return np.asarray(HEIGHT * (1.0 - (np.clip(part[rows], bottom, top) - bottom) / (top - bottom)))

    drawn: str = PAGE.render(
        title=f"{subject.watch}: {', '.join(value for _, value in subject.labels) or subject.kind}",
        subtitle=", ".join(f"{name}={value}" for name, value in subject.labels),
        width=WIDTH, height=HEIGHT, score_height=SCORE_HEIGHT, left=LEFT,
        shades=[shade(alert, len(values)) for alert in own],
        bands=polygons(across, height(low), height(high)),
        values=polylines(across, height(seen)),
        scores=polylines(across, SCORE_HEIGHT * (1.0 - trace.score[rows, subject.slot])),
        top=amount(subject.kind, top), bottom=amount(subject.kind, bottom),
        from_time=iso(float(trace.at_s[0])), to_time=iso(float(trace.at_s[-1])),
        rows=[decision(subject, alert, seen, trace) for alert in own],
    )  # fmt: skip
    return drawn


def extent(numbers: Floats) -> tuple[float, float]:
    """The range that is drawn: all but the wildest thousandth, never empty."""
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return 0.0, 1.0
    bottom, top = (float(edge) for edge in np.percentile(finite, [0.05, 99.95]))
    return (bottom, top) if top > bottom else (bottom - 0.5, top + 0.5)


def stretches(there: Floats) -> list[tuple[int, int]]:
    """Where numbers follow each other without a gap: from, and until before which."""
    finite = np.concatenate([[False], np.isfinite(there), [False]])
    edges = np.flatnonzero(finite[1:] != finite[:-1])
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def polylines(across: Floats, heights: Floats) -> list[str]:
    """One line for each stretch without a gap."""
    return [points(across[start:end], heights[start:end]) for start, end in stretches(heights)]


def polygons(across: Floats, low: Floats, high: Floats) -> list[str]:
    """One band for each stretch without a gap."""
    found = []
    for start, end in stretches(low + high):
        there, back = points(across[start:end], high[start:end]), points(across[start:end][::-1], low[start:end][::-1])
        found.append(f"{there} {back}")
    return found


def points(across: Floats, heights: Floats) -> str:
    """Pairs as SVG writes them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, heights, strict=True))


def shade(alert: Alert, count: int) -> tuple[float, float]:
    """Where an alert is shaded: left edge and width."""
    unit = WIDTH / max(count - 1, 1)
    ended = count - 1 if alert.ended is None else alert.ended
    return round(LEFT + alert.began * unit, 1), round(max((ended - alert.began) * unit, 2.0), 1)


def decision(subject: Subject, alert: Alert, seen: Floats, trace: Trace) -> tuple[str, ...]:
    """One alert as a row of the table."""
    at, slot, kind = alert.began, subject.slot, subject.kind
    band = f"{amount(kind, float(trace.lower[at, slot]))} to {amount(kind, float(trace.upper[at, slot]))}"
    return (
        iso(float(trace.at_s[at])),
        iso(float(trace.at_s[alert.ended])) if alert.ended is not None else "still active",
        str(alert.end) if alert.end else "",
        amount(kind, float(seen[at])),
        amount(kind, float(trace.expected[at, slot])),
        band,
    )
