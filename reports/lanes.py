"""Lanes: pictures of the drill's phases, its faults, parts that were not ready and alerts' lives, on the charts' time axis."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from reports import figures
from reports.charts import Shade, backdrop
from reports.condition import WORDS, Upkeep
from reports.lifecycle import Lane
from reports.svg import Attribute, element, group, titled
from reports.window import Window
from scenarios.history import History, Notification, Phase

MOST_MARKS = 100
"""Of one kind in one lane; a lane that leaves some out says so."""

MOST_WORDS = 20
"""Changes of one kind that are said of one lane."""

_PHASES: Mapping[str, str] = {"warm_up": "warm-up", "drive": "drive", "cool_down": "cool-down"}
_PHASE_HEIGHT, _FAULT_HEIGHT, _LANE_HEIGHT, _PART_HEIGHT = 20, 20, 44, 30


def phases(history: History, window: Window) -> Markup:
    """
    The drill's phases as one band; their labels are cut where they do not fit.
    """
    entered = list(history.of(Phase))
    bands = []
    for number, phase in enumerate(entered):
        name = _PHASES.get(phase.name)
        until = entered[number + 1].t if number + 1 < len(entered) else window.end
        if name and until > phase.t:
            label = element("text", name, x=6, y=13, class_="tick")
            box = element("rect", width="100%", height=_PHASE_HEIGHT - 3, class_=f"phase {phase.name}")
            place = {"x": window.x(phase.t), "width": window.width(phase.t, until)}
            title = f"{name}, {figures.seconds(until - phase.t)}"
            bands.append(titled(element("svg", box, label, height=_PHASE_HEIGHT, class_="clip", **place), title))
    words = "Phases: " + ", ".join(_PHASES.get(phase.name, phase.name) for phase in entered)
    return _picture(bands, _PHASE_HEIGHT, words)


def faults(shades: Sequence[Shade], window: Window) -> Markup:
    """
    The faults as bars, one row each.
    """
    rows = []
    for number, each in enumerate(shades):
        y = number * _FAULT_HEIGHT
        late = window.share(each.start) > 0.5
        bar = element(
            "rect",
            x=window.x(each.start),
            y=y + 1,
            width=window.width(each.start, each.end),
            height=_FAULT_HEIGHT - 4,
            rx=2,
            class_="fault noise" if each.noise else "fault",
        )
        name = element(
            "text",
            figures.shortened(each.label, 60),
            x=window.x(each.end if late else each.start),
            y=y + 13,
            dx=-6 if late else 6,
            class_="label end" if late else "label",
        )
        span = f"{figures.seconds(each.start - window.zero)} to {figures.seconds(each.end - window.zero)}"
        rows.append(titled(group(bar, name), f"{each.label}, {span}"))
    words = "Faults: " + "; ".join(each.label for each in shades)
    return _picture(rows, _FAULT_HEIGHT * len(shades), words)


def alert(lane: Lane, window: Window, shades: Sequence[Shade]) -> Markup:
    """
    One alert's life: pending, firing, resolved, the notifications' arrivals, and the bound by which it had to fire.
    """
    marks: list[Markup] = [backdrop(window, shades, _LANE_HEIGHT), _title(lane)]
    for stretch in lane.stretches[:MOST_MARKS]:
        shown = {"x": window.x(stretch.start), "width": window.width(stretch.start, stretch.end)}
        bar = element(
            "rect", y=26, height=12, class_=f"alert {stretch.state}{' routine' if lane.routine else ''}", **shown
        )
        marks.append(titled(bar, f"{stretch.state} for {figures.seconds(stretch.end - stretch.start)}"))
    if lane.bound_t is not None and window.contains(lane.bound_t):
        ends: dict[str, Attribute] = {
            "x1": window.x(lane.bound_t),
            "x2": window.x(lane.bound_t),
            "y1": 20.0,
            "y2": 43.0,
        }
        line = group(element("line", class_="halo", **ends), element("line", class_="bound", **ends))
        marks.append(titled(line, f"computed bound, {figures.seconds(lane.bound_t - window.zero)}"))
    if lane.resolved_t is not None:
        marks.append(_dot(lane.resolved_t, window, "resolved", "resolved"))
    arrivals = [notice for notice in lane.notifications if window.contains(notice.t)]
    marks += [_arrival(notice, window) for notice in arrivals[:MOST_MARKS]]
    return _picture(marks, _LANE_HEIGHT, words(lane, window))


def component(one: Upkeep, window: Window, shades: Sequence[Shade]) -> Markup:
    """
    When one part was not ready, and when a new process of it was started.
    """
    marks: list[Markup] = [backdrop(window, shades, _PART_HEIGHT)]
    marks.append(element("text", element("tspan", one.name, class_="strong"), x=0, y=12, class_="label"))
    told = []
    for spell in one.spells[:MOST_MARKS]:
        place = {"x": window.x(spell.start), "width": window.width(spell.start, spell.end)}
        title = f"{WORDS[spell.state]} for {figures.seconds(spell.end - spell.start)}"
        marks.append(titled(element("rect", y=18, height=8, class_=f"part {spell.state}", **place), title))
        told.append(f"{WORDS[spell.state]} from {_offset(spell.start, window)} to {_offset(spell.end, window)}")
    for start in one.starts[:MOST_MARKS]:
        dot = element("circle", cx=window.x(start), cy=22, r=4, class_="started")
        marks.append(titled(dot, f"started again at {_offset(start, window)}"))
        told.append(f"started again at {_offset(start, window)}")
    return _picture(marks, _PART_HEIGHT, f"{one.name}: {', '.join(told[:MOST_WORDS])}.")


def _offset(t: float, window: Window) -> str:
    return figures.seconds(t - window.zero)


def words(lane: Lane, window: Window) -> str:
    """
    The same in words, for those who do not see the picture.
    """
    who = f"{lane.name}{f' of {lane.service}' if lane.service else ''}"
    parts = [
        f"{each.state} from {figures.seconds(each.start - window.zero)} to {figures.seconds(each.end - window.zero)}"
        for each in lane.stretches[:MOST_WORDS]
    ]
    parts += [
        f"notified ({notice.status}) at {figures.seconds(notice.t - window.zero)}"
        for notice in lane.notifications[:MOST_WORDS]
    ]
    if lane.bound_t is not None:
        parts.append(f"bound at {figures.seconds(lane.bound_t - window.zero)}")
    return f"{who}: {', '.join(parts)}."


def _title(lane: Lane) -> Markup:
    left_out = max(0, len(lane.stretches) - MOST_MARKS) + max(0, len(lane.notifications) - MOST_MARKS)
    source = "" if lane.source == "prometheus" else lane.source
    more = f"{left_out} more changes" if left_out else ""
    extra = " · ".join(part for part in (lane.service, source, more) if part)
    name = element("tspan", figures.shortened(lane.name, 60), class_="strong")
    text = element("text", name, figures.shortened(f"  {extra}", 40), x=0, y=12, class_="label")
    return titled(text, ", ".join(f"{key}={value}" for key, value in sorted(lane.labels.items())))


def _dot(t: float, window: Window, kind: str, what: str) -> Markup:
    dot = element("circle", cx=window.x(t), cy=32, r=4.5, class_=kind)
    return titled(dot, f"{what} at {figures.seconds(t - window.zero)}")


def _arrival(notice: Notification, window: Window) -> Markup:
    """A pennant: filled when somebody was told of the fire, hollow when told of its end."""
    at: dict[str, Attribute] = {"x": window.x(notice.t), "y": 13}
    flag = element("path", d="M1,29V2L11,6.5L1,11")
    pole = element("path", d="M1,29V2", class_="halo")
    pennant = element("svg", pole, flag, width=14, height=30, class_=f"told {notice.status}", **at)
    return titled(pennant, f"{notice.receiver} told: {notice.status}, at {figures.seconds(notice.t - window.zero)}")


def _picture(marks: Sequence[Markup], height: int, words: str) -> Markup:
    return element("svg", *marks, class_="lane", width="100%", height=height, role="img", aria_label=words)
