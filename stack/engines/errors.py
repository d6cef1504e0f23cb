"""What can go wrong with an engine, and what to try: a log's words turned into advice."""

from collections.abc import Sequence
from pathlib import Path

from stack.errors import StackError


class EngineError(StackError):
    """An engine is not there and could not be built; the message holds what to try and the tail of the build's log."""


ADVICE: Sequence[tuple[tuple[str, ...], str]] = (
    (
        ("no space left on device", "disk quota exceeded"),
        "the disk is full: a build from nothing takes about 5 GB in the Go caches (`go env GOCACHE GOMODCACHE`), "
        "the folder for temporary files (TMPDIR) and Tocsin's own (TOCSIN_CACHE); free some, or let these point to another disk",
    ),
    (
        ("checksum mismatch", "security error", "do not match the hashes"),
        "a download differs from its pinned checksum: `go clean -modcache` and try again; "
        "if it stays, something between you and the registry changes files",
    ),
    (
        ("requires go >=", "invalid go version"),
        "Go is too old: put a newer one on PATH, or take it off PATH so that the pinned one is installed",
    ),
    (
        (
            "dial tcp",
            "no such host",
            "i/o timeout",
            "connection refused",
            "connection reset",
            "tls handshake",
            "certificate",
            "forbidden",
            "bad gateway",
            "service unavailable",
            "module lookup disabled",
            "could not find a version",
            "max retries exceeded",
            "name resolution",
        ),
        "the registry did not serve a download: check the network and the proxy (`go env GOPROXY`, `pip config list`), then try again; "
        "what has been downloaded is kept",
    ),
    (
        ("unable to pick chroot mode", "must be run as root", "newuidmap"),
        "mmdebstrap needs root (`sudo`), or a user with sub-ids in /etc/subuid and the program `newuidmap` (package uidmap)",
    ),
    (
        ("no_pubkey", "keyring", "not signed"),
        "Debian's keys are missing: `sudo apt-get install debian-archive-keyring`",
    ),
    (
        ("signal: killed", "cannot allocate memory", "out of memory"),
        "memory ran out: 2 GB free are enough with `--jobs 1`",
    ),
)

DEFAULT_ADVICE = "try again: what has been compiled is kept; if it fails at the same place, the full log says why"


def advice(text: str) -> str:
    """What to try, from the words of a failed program's output."""
    text = text.lower()
    return next((advice for words, advice in ADVICE if any(word in text for word in words)), DEFAULT_ADVICE)


def explain(what: str, tail: Sequence[str], *, log: Path) -> str:
    """The message of a failed step: what failed, what to try, where the log is and how it ends."""
    last = "\n".join(f"  | {line}" for line in tail) or "  | (it printed nothing)"
    return f"{what}\n  try: {advice(chr(10).join(tail))}\n  log: {log}\n{last}"
