"""A workshop for tests: a PATH and a cache of their own, a Go that only pretends, and programs that say a version."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FAKE_GO = """#!/bin/sh
# Pretends to be Go: notes how it is called, and "builds" scripts that say the version they were linked with.
PATH=/usr/bin:/bin
workshop="$(dirname "$(dirname "$0")")"
echo "$PWD: $*" >> "$workshop/calls"
case "$1" in
env) cat "$workshop/go-version"; exit ;;
list) echo "go: downloading example.com/module v1.0.0"; echo fmt; echo os; exit ;;
esac
if [ -f "$workshop/failure" ]; then echo example.com/package; cat "$workshop/failure"; echo example.com/other; exit 1; fi
[ ! -p "$workshop/gate" ] || read -r _ < "$workshop/gate"
version=0.155.0
previous=
for argument in "$@"; do
    case "$previous$argument" in
    -o*) target="$argument" ;;
    -ldflags*=*) version="${argument##*=}" ;;
    esac
    previous="$argument"
    [ "$argument" = -o ] || [ "$argument" = -ldflags ] || previous=
done
case "$target" in
*/) names="$(for package in "$@"; do case "$package" in */cmd/*) echo "$target${package##*/}" ;; esac; done)" ;;
*) names="$target" ;;
esac
for name in $names; do
    printf '#!/bin/sh\\nif [ "$1" = --version ]; then echo "%s, version %s"; else /bin/mkdir source; fi\\n' \\
        "$(basename "$name")" "$version" > "$name"
    chmod +x "$name"
done
"""


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where a test's programs and its cache are."""

    folder: Path

    @property
    def path(self) -> Path:
        """The only folder on PATH."""
        return self.folder / "bin"

    @property
    def cache(self) -> Path:
        """The folder that $TOCSIN_CACHE names."""
        return self.folder / "cache"

    @property
    def calls(self) -> list[str]:
        """How Go was called: folder and arguments."""
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def builds(self) -> list[str]:
        """The calls that built something."""
        return [call for call in self.calls if ": build " in call]

    def install(self, name: str, script: str) -> Path:
        """Put a program on PATH."""
        program = self.path / name
        program.write_text(script)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    def install_go(self, version: str = "go1.26.8") -> Path:
        """Put the pretended Go on PATH."""
        (self.folder / "go-version").write_text(version + "\n")
        return self.install("go", FAKE_GO)

    def install_engine(self, name: str, said: str, components: str = "") -> Path:
        """Put a binary on PATH that answers `--version` (and `components`) so."""
        return self.install(
            name, f"#!/bin/sh\nif [ \"$1\" = --version ]; then echo '{said}'; else echo '{components}'; fi\n"
        )

    def let_builds_fail(self, output: str) -> None:
        """From now on each build prints this, and fails."""
        (self.folder / "failure").write_text(output + "\n")

    def close_gate(self) -> Callable[[], None]:
        """From now on each build waits; call the answer to let the waiting one go on, and those after it not wait at all."""
        gate = self.folder / "gate"
        os.mkfifo(gate)

        def open_gate() -> None:
            with gate.open("w") as opened:
                gate.unlink()
                opened.write("go\n")

        return open_gate

    def entries(self) -> set[str]:
        """What is in the cache's folder of engines, without locks and logs."""
        return {
            path.name for path in (self.cache / "engines").glob("*") if path.suffix != ".lock" and path.name != "logs"
        }
