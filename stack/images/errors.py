"""What can go wrong with an image or with the engine that keeps it, and what to try."""

from collections.abc import Sequence

import docker.errors

from stack.errors import StackError


class ImageError(StackError):
    """An image is not there and can be neither pulled nor built; the message says which, why, and what to try."""


ADVICE: Sequence[tuple[tuple[str, ...], str]] = (
    (
        ("no space left on device", "disk quota exceeded"),
        "the engine's disk is full: `docker system df` shows what fills it, `docker image prune` frees some",
    ),
    (
        ("toomanyrequests", "rate limit"),
        "the registry limits pulls: `docker login`, or wait; images that are there are not pulled again",
    ),
    (
        ("unauthorized", "denied", "authentication required", "no basic auth"),
        "the registry wants a login (`docker login`), or has no such repository",
    ),
    (
        ("manifest unknown", "manifest for", "not found"),
        "there is no such image: look at its tag; TOCSIN_IMAGE_<COMPONENT> names another one",
    ),
    (
        ("no such host", "dial tcp", "i/o timeout", "connection refused", "tls handshake", "certificate", "eof"),
        "the registry cannot be reached from the engine: check its network and proxy, bring the image by `docker load`, "
        "name another one by TOCSIN_IMAGE_<COMPONENT>, or build local ones: `python -m stack.images build --local`",
    ),
)

DEFAULT_ADVICE = "`docker pull` or `docker build` by hand shows the engine's own words"


def advice(text: str) -> str:
    """What to try, from the words of an engine or a registry."""
    text = text.lower()
    return next((advice for words, advice in ADVICE if any(word in text for word in words)), DEFAULT_ADVICE)


def words_of(error: Exception) -> str:
    """What the engine itself said, without the address of its API."""
    if isinstance(error, docker.errors.APIError) and error.explanation:
        return str(error.explanation)
    return str(error)
