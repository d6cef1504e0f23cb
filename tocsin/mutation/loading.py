"""Loading: a stack's configuration with something missing, loaded by whoever reads it without a restart, and put right again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from stack.mutations import Mutation, apply
from stack.runtimes.stack import Stack

WITHIN_S = 30.0


class Loader:
    """Changes the configuration of one running stack."""

    def __init__(self, stack: Stack, *, transport: httpx.BaseTransport | None = None) -> None:
        self._stack = stack
        self._http = httpx.Client(transport=transport, timeout=WITHIN_S)
        self.root: Path = stack.roster.path / "config"

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    @contextmanager
    def without(self, mutations: Sequence[Mutation]) -> Iterator[str]:
        """
        Run a block without these things of one file; what is given says why the changed file was refused, nothing if it was loaded.

        Afterwards the file is as before, but it is loaded only with the next change, or by `load`.
        """
        file = mutations[0].file
        path = self.root / file
        before = path.read_bytes()
        apply(mutations, self.root)
        try:
            yield self.load(file)
        finally:
            path.write_bytes(before)

    def load(self, file: str) -> str:
        """Have a file loaded. Returns the words by which it is refused, or nothing."""
        url, user = self._reload(file)
        auth = (
            httpx.BasicAuth(user, self._stack.secrets["grafana_admin_password"]) if user else httpx.USE_CLIENT_DEFAULT
        )
        answer = self._http.post(url, auth=auth)
        return "" if answer.is_success else f"{answer.status_code}: {' '.join(answer.text.split())[:300]}"

    def _reload(self, file: str) -> tuple[str, str]:
        """Where to ask for it, and as whom."""
        folder, _, rest = file.partition("/")
        if folder != "grafana":
            component = "alertmanager" if file == "alertmanager.yaml" else "prometheus"
            return f"{self._stack.url(f'{component}.http')}/-/reload", ""
        part = rest.removeprefix("provisioning/").partition("/")[0]
        return f"{self._stack.url('grafana.http')}/api/admin/provisioning/{part}/reload", "admin"
