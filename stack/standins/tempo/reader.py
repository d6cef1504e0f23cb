"""A configuration tree, read field by field: each value converted, each error with its place, each look remembered."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from stack.standins.tempo.durations import parse_duration
from stack.standins.tempo.fields import ConfigError, Path, leaves
from stack.standins.tempo.settings import SECOND

T = TypeVar("T")


class Reader:
    """A configuration tree that converts what is asked of it and remembers which fields were asked for."""

    def __init__(self, tree: Mapping[str, object], lines: Mapping[Path, int], name: str) -> None:
        self._tree = tree
        self._lines = lines
        self._name = name
        self._asked: set[Path] = set()

    def get(self, dotted: str, kind: type[T], default: T) -> T:
        """
        The value at a dotted path, or `default`; ConfigError when it is of another type.
        """
        path = tuple(dotted.split("."))
        self._asked.add(path)
        value: object = self._tree
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None:
            return default
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return kind(value)  # type: ignore[call-arg]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(dotted, f"must be of type {kind.__name__}, found {value!r}")
        return value

    def has(self, dotted: str) -> bool:
        """
        Whether the field is written in the file, be it with no value.
        """
        return tuple(dotted.split(".")) in self._lines

    def duration_ns(self, dotted: str, default_ns: int) -> int:
        """
        A duration in nanoseconds.
        """
        text = self.get(dotted, object, None)
        if text is None:
            return default_ns
        try:
            return parse_duration(str(text))
        except ValueError as error:
            raise self.error(dotted, str(error)) from error

    def seconds(self, dotted: str, default_s: float) -> float:
        """
        A duration in seconds.
        """
        return self.duration_ns(dotted, round(default_s * SECOND)) / SECOND

    def texts(self, dotted: str, default: Sequence[str]) -> Sequence[str]:
        """
        A list of texts.
        """
        return tuple(str(item) for item in self.get(dotted, list, list(default)))

    def numbers(self, dotted: str, default: Sequence[float]) -> Sequence[float]:
        """
        A list of numbers in rising order.
        """
        values = self.get(dotted, list, list(default))
        if not all(isinstance(value, int | float) for value in values) or sorted(values) != values:
            raise self.error(dotted, f"must be rising numbers, found {values!r}")
        return tuple(float(value) for value in values)

    def error(self, dotted: str, problem: str) -> ConfigError:
        """
        An error that names file, line and field.
        """
        return ConfigError(f"{self._name}:{self._lines.get(tuple(dotted.split('.')), 0)}: field {dotted!r} {problem}")

    def unasked(self) -> Sequence[str]:
        """
        The fields in the file that nobody asked for, sorted.
        """
        return sorted(".".join(path) for path in leaves(self._tree) if not self._covered(path))

    def _covered(self, path: Path) -> bool:
        return any(path[: len(asked)] == asked for asked in self._asked)
