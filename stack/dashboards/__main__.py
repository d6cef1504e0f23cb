"""Command line: `python -m stack.dashboards generate` writes all that Grafana shows and judges, `--check` only compares."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stack.dashboards.generate import STACK, generate, stale, write
from stack.slo.errors import SloError
from stack.slo.generate import SOURCE


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: done, or in step; 1: out of step; 2: the service level file is wrong."""
    options = _parser().parse_args(argv)
    try:
        files = generate(options.slo)
    except SloError as error:
        print(error, file=sys.stderr)
        return 2
    if not options.check:
        write(files, options.out)
        print(f"wrote {len(files)} files to {options.out}")
        return 0
    differing = stale(files, options.out)
    for name in differing:
        print(f"{options.out / name}: out of step; run `python -m stack.dashboards generate`", file=sys.stderr)
    return 1 if differing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stack.dashboards", description="Dashboards and Grafana's alert rules from service levels."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("generate", help="write the dashboards, and the alert rules of all profiles")
    command.add_argument("--check", action="store_true", help="write nothing; fail if they are out of step")
    command.add_argument("--slo", type=Path, default=SOURCE, help="OpenSLO file (default: the demo shop's)")
    command.add_argument("--out", type=Path, default=STACK, help="folder to write to (default: the stack's own)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
