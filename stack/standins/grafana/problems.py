"""Mistakes in what the stand-in is given: those that refuse the start, and those that are only named."""

import logging
from collections.abc import Iterator

log = logging.getLogger("grafana")


class ProvisioningError(ValueError):
    """A file, setting or construct with which the stand-in does not start; the text names place and remedy."""


class Warnings:
    """What a real Grafana drops or accepts without a word, in the order in which it was met, each once."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    def add(self, text: str) -> None:
        """
        Keep and log one warning.
        """
        if text not in self._texts:
            self._texts[text] = None
            log.warning('msg="%s"', text)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._texts))

    def __len__(self) -> int:
        return len(self._texts)
