"""Label sets: their identity, and how they are printed."""

from collections.abc import Mapping

Labels = Mapping[str, str]

_OFFSET = 14695981039346656037
_PRIME = 1099511628211
_MASK = (1 << 64) - 1


def fingerprint(labels: Labels) -> str:
    """
    The identity of a label set as Prometheus and Alertmanager compute it: FNV-1a over sorted names and values.
    """
    value = _OFFSET
    for name in sorted(labels):
        for part in (name, labels[name]):
            for byte in (*part.encode(), 0xFF):
                value = ((value ^ byte) * _PRIME) & _MASK
    return f"{value:016x}"


def comma_separated(labels: Labels) -> str:
    """
    `a=1, b=2`, sorted by name.
    """
    return ", ".join(f"{name}={labels[name]}" for name in sorted(labels))


def quoted(labels: Labels) -> str:
    """
    `{a="1", b="2"}`, sorted by name, as a group key has it.
    """
    return "{" + ", ".join(f'{name}="{labels[name]}"' for name in sorted(labels)) + "}"


def covers(outer: Labels, inner: Labels) -> bool:
    """
    Whether each label of `inner` is in `outer` with the same value.
    """
    return all(outer.get(name) == value for name, value in inner.items())


def public(labels: Labels) -> dict[str, str]:
    """
    The labels without those in double underscores, which a notification does not show.
    """
    return {name: labels[name] for name in sorted(labels) if not _is_private(name)}


def _is_private(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
