"""SVG: elements as text, escaped. Pictures are pure functions from values to such text, with no library and no script."""

from markupsafe import Markup, escape

Attribute = str | float | None


def element(name: str, *children: str, **attributes: Attribute) -> Markup:
    """
    One element. Children that are `Markup` stay as they are, other text is escaped; an attribute of None is left out.

    Underscores in names stand for hyphens; one at the end is dropped, so `class_` can be written.
    """
    opening = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{name}{opening}>{inner}</{name}>" if inner else f"<{name}{opening}/>")  # noqa: S704 - escaped above


def group(*children: str, **attributes: Attribute) -> Markup:
    """
    Several elements as one.
    """
    return element("g", *children, **attributes)


def _value(value: str | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(escape(value))


def share(value: float) -> str:
    """
    A place or length across the picture, 0 to 1, in per cent; so pictures stretch with the page and their text does not.
    """
    return f"{value * 100:.2f}".rstrip("0").rstrip(".") + "%"


def titled(shape: str, title: str, **attributes: Attribute) -> Markup:
    """
    A shape with a tooltip.
    """
    return group(element("title", title), shape, **attributes)
