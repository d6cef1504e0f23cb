"""`python -m demo_app`: start one role, as its environment variables say."""

import os
import signal
import sys

from demo_app.settings import SettingsError, from_environment, usage


def main(arguments: list[str]) -> int:
    """Run one role until it is told to stop; 0: stopped as told, 1: a port or a file cannot be had, 2: a wrong setting."""
    if arguments in (["--help"], ["-h"]):
        print(usage())
        return 0
    if arguments:
        return _complain(f"unknown argument {arguments[0]!r}; all settings are environment variables: see --help", 2)
    try:
        settings = from_environment(os.environ)
    except SettingsError as error:
        return _complain(str(error), 2)
    for number in (signal.SIGTERM, signal.SIGINT):
        # Told to stop before there is anything to finish: unwind, with code 0 all the same.
        signal.signal(number, lambda *_: sys.exit(0))
    # A wrong setting is told before the seconds that the rest takes to import.
    from demo_app import service

    service.apply_defaults(settings, os.environ)
    try:
        service.run(settings)
    except (service.ListenError, service.DatabaseError) as error:
        return _complain(str(error), 1)
    return 0


def _complain(error: str, code: int) -> int:
    print(f"demo_app: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
