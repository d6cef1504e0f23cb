"""Settings: `tocsin.toml` in the folder where a command is run: the runtime, and the images of components."""

import difflib
import os
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

FILE = "tocsin.toml"
KEYS = ("runtime", "images")


class SettingsError(ValueError):
    """The file is wrong; the message says where, what is allowed, and what may have been meant."""


def apply(folder: Path = Path()) -> None:
    """
    Let the folder's settings count where the environment says nothing; without a file nothing happens. Raises SettingsError.
    """
    path = folder / FILE
    if path.exists():
        for name, value in variables(path).items():
            os.environ.setdefault(name, value)


def variables(path: Path) -> Mapping[str, str]:
    """What a file says, as the environment variables that say the same. Raises SettingsError."""
    # Most commands find no file, and need not wait for these.
    from stack.components import APP, COMPONENTS
    from stack.images.supply import variable
    from tocsin.runtime import CHOICES, VARIABLE

    text = path.read_text(encoding="utf-8")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from error
    reader = _Reader(path, text)
    reader.known(found, KEYS)
    images = found.get("images", {})
    if not isinstance(images, dict):
        raise reader.error(
            "images", 'must be a table: `[images]`, then a line such as `prometheus = "prom/prometheus:v3"`'
        )
    reader.known(images, (*COMPONENTS, *APP))
    said = {variable(name): reader.text(name, image) for name, image in images.items()}
    if "runtime" in found:
        said[VARIABLE] = reader.text("runtime", found["runtime"], CHOICES)
    return said


class _Reader:
    """Says of what it reads where it is."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def error(self, key: str, what: str) -> SettingsError:
        """An error about a key, with the line that has it."""
        wanted = re.compile(rf"\s*\[?\s*[\"']?{re.escape(key)}[\"']?\s*[=\].]")
        number = next((number for number, line in enumerate(self._lines, 1) if wanted.match(line)), 1)
        return SettingsError(f"{self._path}:{number}: `{key}` {what}")

    def known(self, found: Mapping[str, Any], keys: Collection[str]) -> None:
        """Refuse keys that nobody knows."""
        for key in found:
            if key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                meant = f"; did you mean `{near[0]}`?" if near else ""
                raise self.error(key, f"is not known; known: {', '.join(keys)}{meant}")

    def text(self, key: str, value: object, allowed: Collection[str] = ()) -> str:
        """A value that must be text, and maybe one of some."""
        if not isinstance(value, str) or not value:
            raise self.error(key, f"is {value!r}; it must be text in quotes")
        if allowed and value not in allowed:
            raise self.error(key, f"is {value!r}; allowed: {', '.join(allowed)}")
        return value
