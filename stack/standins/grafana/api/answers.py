"""Answers in Grafana's shapes: JSON, messages, refusals."""

import itertools
import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "deny",
}
_refusals = itertools.count(1_000_000_000)


class Refused(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, status: int, body: Mapping[str, object] | None) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


def answer(body: object, status: int = 200) -> Response:
    """
    A JSON answer.
    """
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Response(text, status, headers={**SAFE_HEADERS, "Content-Type": "application/json"})


def message(text: str, status: int = 200, **more: object) -> Response:
    """
    A JSON answer with a message.
    """
    return answer({**more, "message": text}, status)


def refused(status: int, text: str, **more: object) -> Refused:
    """
    A refusal with a message, and the (empty) trace id that Grafana's errors carry.
    """
    return Refused(status, {"message": text, "traceID": "", **more})


def denied(permission: str) -> Refused:
    """
    The refusal for want of a permission.
    """
    text = f"You'll need additional permissions to perform this action. Permissions needed: {permission}"
    return Refused(403, {"accessErrorId": f"ACE{next(_refusals)}", "message": text, "title": "Access denied"})


def not_found() -> Refused:
    """
    The refusal of an unknown path.
    """
    return Refused(404, {"message": "Not found"})


def not_here(what: str) -> Refused:
    """
    The refusal of what a real Grafana would do and the stand-in does not.
    """
    return refused(501, f"{what} is not supported by the stand-in: provision it by files and reload")


async def body_of(request: Request) -> Mapping[str, object]:
    """
    The JSON mapping of a request; 400 in Grafana's words when it is none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        tree = json.loads(await request.body()) if kind == "application/json" else None
    except ValueError:
        tree = None
    if not isinstance(tree, dict):
        raise refused(400, "bad request data")
    return tree
