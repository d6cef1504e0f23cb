"""Backend: asks over HTTP with a deadline; whatever is no good answer is a BackendError that says so."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from assertions.backend import Backend, BackendError, eventually, understanding
from tests.unit.assertions.builders import answering, refusing


def backend(transport: httpx.MockTransport, secret: str = "") -> Backend:
    """A backend that answers so."""
    return Backend("prometheus", "http://prom:9090", transport=transport, secret=secret)


def test_parameters_of_a_get_are_in_the_address() -> None:
    """As an encoded query."""
    asked: list[httpx.Request] = []
    backend(answering({}, asked=asked)).ask_json("/api", {"query": "a b", "n": 1})

    assert (asked[0].method, str(asked[0].url), asked[0].content) == (
        "GET",
        "http://prom:9090/api?query=a+b&n=1",
        b"",
    )


def test_parameters_of_a_post_are_a_form() -> None:
    """A long query does not fit into an address."""
    asked: list[httpx.Request] = []
    backend(answering({}, asked=asked)).ask_json("/api", {"query": "a b"}, method="POST")

    assert (asked[0].method, str(asked[0].url), asked[0].content) == ("POST", "http://prom:9090/api", b"query=a+b")


def test_an_accepted_status_is_an_answer() -> None:
    """Some backends say 404 for nothing there."""
    asked = backend(answering("nothing", 404))

    assert asked.ask("/api", accept=(200, 404)).status_code == 404
    with pytest.raises(BackendError):
        asked.ask("/api")


def test_another_status_is_an_error_with_the_beginning_of_its_text() -> None:
    """A whole page of HTML helps nobody."""
    with pytest.raises(BackendError) as caught:
        backend(answering(" " + "x" * 500, 503)).ask("/api")

    assert str(caught.value) == f"prometheus answered /api with 503: {'x' * 300}"


def test_no_answer_is_an_error_that_says_where_it_was_asked_for() -> None:
    """So that people can try it."""
    with pytest.raises(BackendError) as caught:
        backend(refusing()).ask("/api")

    assert str(caught.value) == "prometheus did not answer /api at http://prom:9090: connection refused"


def test_an_error_without_words_is_called_by_its_kind() -> None:
    """A timeout says nothing itself."""

    def fall_asleep(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(BackendError, match=r"at http://prom:9090: ReadTimeout$"):
        backend(httpx.MockTransport(fall_asleep)).ask("/api")


def test_what_is_not_json_is_an_error() -> None:
    """With its beginning."""
    with pytest.raises(BackendError) as caught:
        backend(answering("<html>" + "x" * 200)).ask_json("/api")

    assert str(caught.value) == f"prometheus answered /api with what is not JSON: {'<html>' + 'x' * 94!r}"


@pytest.mark.parametrize("transport", [refusing(), answering("wrong hush", 401), answering("hush")])
def test_a_secret_is_in_no_error(transport: httpx.MockTransport) -> None:
    """It would end up in a report."""
    with pytest.raises(BackendError) as caught:
        backend(transport, secret="hush").ask_json("/arrivals/hush")

    assert "hush" not in str(caught.value)
    assert "/arrivals/..." in str(caught.value)


@pytest.mark.parametrize(
    "error", [KeyError("a"), TypeError("b"), ValueError("c"), AttributeError("d"), IndexError("e")]
)
def test_an_answer_of_another_shape_is_an_error(error: Exception) -> None:
    """Nobody knows what it means."""
    with pytest.raises(BackendError) as caught, understanding("tempo", "a trace"):
        raise error

    assert str(caught.value) == f"tempo answered for a trace what is none: {type(error).__name__}: {error}"


def test_a_closed_backend_answers_no_more() -> None:
    """Its connections were given back."""
    asked = backend(answering({}))
    asked.close()

    with pytest.raises(RuntimeError, match="closed"):
        asked.ask("/api")


class Time:
    """A clock that only sleep moves on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        """What it shows."""
        return self.now

    def sleep(self, pause_s: float) -> None:
        """Move on."""
        self.slept.append(pause_s)
        self.now += pause_s


def answers(*given: int | Exception) -> Callable[[], int]:
    """Something that answers so, one after the other."""
    left: Iterator[int | Exception] = iter(given)

    def ask() -> int:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def tried(*given: int | Exception, within_s: float) -> tuple[int, list[float]]:
    """The answer at last, and the pauses; done means 3."""
    time = Time()
    answer = eventually(
        answers(*given), lambda n: n == 3, within_s=within_s, pause_s=2, clock=time.clock, sleep=time.sleep
    )
    return answer, time.slept


@pytest.mark.parametrize(
    ("given", "within_s", "expected"),
    [
        ((3,), 0, (3, [])),
        ((1, 2, 3), 10, (3, [2, 2])),
        ((1, 2), 2, (2, [2])),
        ((1, 2, 3), 3, (3, [2, 2])),
        ((1,), 0, (1, [])),
        ((BackendError("down"), 3), 10, (3, [2])),
        ((1, BackendError("down"), 2), 4, (2, [2, 2])),
    ],
)
def test_it_is_asked_until_done_or_the_deadline(
    given: tuple[int | Exception, ...], within_s: float, expected: tuple[int, list[float]]
) -> None:
    """The last answer counts, whatever it is; at the deadline it is asked once more and no pause is made after it."""
    assert tried(*given, within_s=within_s) == expected


@pytest.mark.parametrize("given", [(BackendError("down"),), (1, BackendError("down"))])
def test_without_an_answer_at_the_deadline_it_is_an_error(given: tuple[int | Exception, ...]) -> None:
    """What was known before is too old."""
    with pytest.raises(BackendError, match="down"):
        tried(*given, within_s=2 * (len(given) - 1))


def test_another_error_is_not_tried_again() -> None:
    """It is a mistake of ours."""
    with pytest.raises(ZeroDivisionError):
        tried(ZeroDivisionError(), within_s=10)
