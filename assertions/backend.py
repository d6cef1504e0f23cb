"""Backend: one place to look; asks over HTTP, with a deadline, and says so when there was no answer."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import httpx

_T = TypeVar("_T")

TIMEOUT_S = 5.0


class BackendError(RuntimeError):
    """A backend did not answer, or answered something that cannot be understood: the verdict is UNKNOWN."""


class Backend:
    """
    A named HTTP service. `transport` is the seam for tests (httpx.MockTransport); `secret` is never shown in an error.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout_s: float = TIMEOUT_S,
        secret: str = "",
        user: str = "",
    ) -> None:
        self.name = name
        self.url = url
        self._secret = secret
        auth = (user, secret) if user else None
        self._http = httpx.Client(base_url=url, transport=transport, timeout=timeout_s, auth=auth)

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def ask(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        method: Literal["GET", "POST", "PATCH", "DELETE"] = "GET",
        body: Any = None,
        accept: tuple[int, ...] = (200,),
    ) -> httpx.Response:
        """
        One request; a POST sends `body` as JSON, or the parameters as a form. Raises BackendError for no answer or another status
        than accepted.
        """
        sent: dict[str, Any] = {"data": dict(params or {})} if method == "POST" else {"params": dict(params or {})}
        if body is not None:
            sent = {"json": body}
        try:
            response = self._http.request(method, path, **sent)
        except httpx.HTTPError as error:
            raise self._error(f"did not answer {path} at {self.url}: {str(error) or type(error).__name__}") from error
        if response.status_code not in accept:
            raise self._error(f"answered {path} with {response.status_code}: {response.text.strip()[:300]}")
        return response

    def ask_json(
        self, path: str, params: Mapping[str, Any] | None = None, *, method: Literal["GET", "POST"] = "GET"
    ) -> Any:
        """The same, for an answer in JSON. Raises BackendError when it is none."""
        response = self.ask(path, params, method=method)
        try:
            return response.json()
        except ValueError as error:
            raise self._error(f"answered {path} with what is not JSON: {response.text[:100]!r}") from error

    def _error(self, text: str) -> BackendError:
        return BackendError(f"{self.name} {text.replace(self._secret, '...') if self._secret else text}")


@contextmanager
def understanding(backend: str, what: str) -> Iterator[None]:
    """
    Turn whatever goes wrong while an answer of an unexpected shape is read into a BackendError.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise BackendError(f"{backend} answered for {what} what is none: {type(error).__name__}: {error}") from error


def eventually(
    ask: Callable[[], _T],
    done: Callable[[_T], bool],
    *,
    within_s: float,
    pause_s: float = 0.25,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> _T:
    """
    Ask until the answer is `done` or the deadline has passed, and return the last answer either way.

    A BackendError is tried again too; it is raised when the last try had none before the deadline passed.
    """
    deadline = clock() + within_s
    while True:
        try:
            answer = ask()
        except BackendError:
            if clock() >= deadline:
                raise
        else:
            if done(answer) or clock() >= deadline:
                return answer
        sleep(pause_s)
