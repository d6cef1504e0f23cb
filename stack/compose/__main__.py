"""Compose by hand: `python -m stack.compose generate` writes the committed files, `--check` only says whether they are in step."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stack.compose.files import COMMITTED, files, stale, write

CHECKOUT = "../.."
"""The way from the committed files to the sources."""


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: done, or in step; 1: out of step."""
    options = _parser().parse_args(argv)
    made = files("production", checkout=CHECKOUT)
    if not options.check:
        write(made, options.out)
        print(f"wrote {len(made)} files to {options.out}")
        return 0
    differing = stale(made, options.out)
    for name in differing:
        print(f"{options.out / name}: out of step; run `python -m stack.compose generate`", file=sys.stderr)
    return 1 if differing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack.compose", description="The standing stack for Compose.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("generate", help="write the files of the production profile")
    command.add_argument("--check", action="store_true", help="write nothing; fail if they are out of step")
    command.add_argument("--out", type=Path, default=COMMITTED, help="folder to write to (default: the committed one)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
