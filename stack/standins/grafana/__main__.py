"""The command line: `server` and its flags as `grafana` has them."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from stack.standins.grafana.alerting.measure import VERSION
from stack.standins.grafana.config import read_settings
from stack.standins.grafana.problems import ProvisioningError
from stack.standins.grafana.server import serve

START_ERROR = 1


def main(arguments: Sequence[str]) -> int:
    """
    Run the stand-in; the exit status is 0 after SIGTERM, 1 when it cannot start, 2 for a wrong flag.
    """
    flags = _parser().parse_args(arguments)
    if flags.version:
        print(f"Version {VERSION} (Tocsin's stand-in for Grafana 13, not Grafana)")
        return 0
    form = "logger=%(name)s level=%(levelname)s t=%(asctime)s %(message)s"
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=form)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        serve(read_settings(flags.homepath, flags.config))
    except (ProvisioningError, OSError) as error:
        print(f"Error: ✗ {error}", file=sys.stderr)
        return START_ERROR
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("grafana", description=main.__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("command", nargs="?", choices=["server"], default="server")
    add("-homepath", "--homepath", type=Path, default=Path.cwd(), metavar="DIR")
    add("-config", "--config", type=Path, default=None, metavar="FILE")
    add("-v", "--version", dest="version", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
