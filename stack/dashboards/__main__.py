"""Command line: `python -m stack.dashboards generate` writes all that Grafana shows and judges; `inspect` finds mistakes in it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stack.config.grafana.inspection import DEFAULT_TICK_S, inspect
from stack.dashboards.generate import STACK, generate, stale, write
from stack.slo.errors import SloError
from stack.slo.generate import SOURCE


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: done, in step, no mistake; 1: out of step, or mistakes; 2: the service level file or a folder is wrong."""
    options = _parser().parse_args(argv)
    try:
        code: int = options.run(options)
    except (SloError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return code


def _generate(options: argparse.Namespace) -> int:
    files = generate(options.slo)
    if not options.check:
        write(files, options.out)
        print(f"wrote {len(files)} files to {options.out}")
        return 0
    differing = stale(files, options.out)
    for name in differing:
        print(f"{options.out / name}: out of step; run `python -m stack.dashboards generate`", file=sys.stderr)
    return 1 if differing else 0


def _inspect(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in (".yaml", ".yml", ".json")]
    if not paths:
        raise FileNotFoundError(
            f"{folder}: holds no files; give the folder that has provisioning/ and dashboards/ in it"
        )
    files = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    mistakes = inspect(files, tick_s=options.tick)
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    print(f"{len(files)} files, {len(mistakes)} mistakes")
    return 1 if mistakes else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stack.dashboards", description="Dashboards and Grafana's alert rules from service levels."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("generate", help="write the dashboards, and the alert rules of all profiles")
    command.add_argument("--check", action="store_true", help="write nothing; fail if they are out of step")
    command.add_argument("--slo", type=Path, default=SOURCE, help="OpenSLO file (default: the demo shop's)")
    command.add_argument("--out", type=Path, default=STACK, help="folder to write to (default: the stack's own)")
    command.set_defaults(run=_generate)
    command = commands.add_parser("inspect", help="find mistakes in what a Grafana is provisioned with")
    command.add_argument("folder", type=Path, metavar="DIR", help="has provisioning/ and dashboards/ in it")
    command.add_argument(
        "--tick", type=int, default=DEFAULT_TICK_S, help="seconds of the scheduler's tick (default: 10)"
    )
    command.set_defaults(run=_inspect)
    return parser


if __name__ == "__main__":
    sys.exit(main())
