"""The command line: Tempo's own flags, and two for how much memory the stand-in may use."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from stack.standins.tempo.config import read_settings
from stack.standins.tempo.exposition import VERSION
from stack.standins.tempo.fields import ConfigError
from stack.standins.tempo.server import serve
from stack.standins.tempo.store import Cap

USAGE_ERROR = 2
START_ERROR = 1


def main(arguments: Sequence[str]) -> int:
    """
    Run the stand-in; the exit status is 0 after SIGTERM, 1 when it cannot start, 2 for a wrong flag or file.
    """
    flags = _parser().parse_args(arguments)
    if flags.version:
        print(f"tempo, version {VERSION} (Tocsin's stand-in for Grafana Tempo 3, not Tempo)")
        return 0
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="level=%(levelname)s ts=%(asctime)s %(message)s")
    try:
        settings = read_settings(flags.config_file, expand_env=flags.expand_env)
    except ConfigError as error:
        print(f"failed parsing config: {error}", file=sys.stderr)
        return USAGE_ERROR
    if flags.verify:
        return 0
    try:
        serve(settings, Cap(spans=flags.max_spans, bytes=flags.max_bytes))
    except OSError as error:
        print(f"error running Tempo stand-in: {error}", file=sys.stderr)
        return START_ERROR
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tempo", description=main.__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("-config.file", "--config.file", dest="config_file", type=Path, default=Path("tempo.yaml"), metavar="FILE")
    add("-config.verify", "--config.verify", dest="verify", type=_bool, nargs="?", const=True, default=False)
    add(
        "-config.expand-env", "--config.expand-env", dest="expand_env", type=_bool, nargs="?", const=True, default=False
    )
    add("-version", "--version", dest="version", action="store_true")
    add("-target", "--target", dest="target", choices=["all"], default="all")
    add("-standin.max-spans", dest="max_spans", type=_positive, default=_from_env("SPANS", Cap().spans))
    add("-standin.max-bytes", dest="max_bytes", type=_positive, default=_from_env("BYTES", Cap().bytes))
    return parser


def _from_env(name: str, default: int) -> str:
    return os.environ.get(f"TEMPO_STANDIN_MAX_{name}", str(default))


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"must be true or false, found {text!r}")
    return text.lower() == "true"


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, found {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
