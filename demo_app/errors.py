"""Errors as clients see them: a status and a JSON object whose `error` is one sentence."""

import logging
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

log = logging.getLogger(__name__)


class ApiError(HTTPException):
    """Answer with this status, this sentence and these details."""

    def __init__(self, status: int, error: str | None = None, **details: Any) -> None:
        super().__init__(error)
        self.code = status
        self.details = details


def install(app: Flask) -> None:
    """Answer every error in JSON, and log each that is the server's fault, inside of the request's span."""

    @app.errorhandler(HTTPException)
    def answer(error: HTTPException) -> tuple[Response, int]:
        status = error.code or 500
        # Flask itself logs an exception that nobody handled, with its traceback.
        if status >= 500 and getattr(error, "original_exception", None) is None:
            log.error("%s %s failed: %d %s", request.method, request.path, status, _sentence(error))
        details = error.details if isinstance(error, ApiError) else {}
        return jsonify({"error": _sentence(error), **details}), status


def _sentence(error: HTTPException) -> str:
    return error.description or error.name
