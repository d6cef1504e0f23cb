"""Blocks: data as YAML text in which expressions of several lines are blocks, so that people can read them."""

from typing import Any

import yaml


def dump(data: Any) -> str:
    """The YAML text, the same on each call, keys in the order in which they were given."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    """Writes strings of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        """Anchors would save a few lines and cost every reader a search."""
        return True


def _string(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _string)
