"""The fault API: switch faults on, renew them, switch them off; for whoever holds the token."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from flask import Flask, Response, jsonify, request
from pydantic import BaseModel, Field, ValidationError

from demo_app import errors
from demo_app.errors import ApiError
from demo_app.explain import sentence, unknown
from demo_app.faults import kinds
from demo_app.faults.background import Background
from demo_app.faults.leases import Lease, Leases

M = TypeVar("M", bound=BaseModel)

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,99}")
MOST_LIVE = 100
"""Faults that can be on at a time: far more than a drill needs, few enough to look through at each request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What a role has that a fault can hit."""

    role: str
    routes: Sequence[str]
    upstreams: Sequence[str]
    has_database: bool

    def check(self, fault: kinds.Fault) -> None:
        """Refuse, with 422, a fault that could never hit anything of this role."""
        route = getattr(fault, "route", None)
        if route is not None and route not in self.routes:
            raise ApiError(422, unknown(f"route of {self.role}", route, self.routes))
        if isinstance(fault, kinds.SlowDatabase) and not self.has_database:
            raise ApiError(422, f"{self.role} has no database; allowed for: catalog, users")
        if isinstance(fault, kinds.DependencyTimeout | kinds.RetryStorm | kinds.BrokenContext) and not self.upstreams:
            raise ApiError(422, f"{self.role} calls no upstream; {fault.kind} is allowed for: frontend")
        upstream = getattr(fault, "upstream", None)
        if upstream is not None and upstream not in self.upstreams:
            raise ApiError(422, unknown(f"upstream of {self.role}", upstream, self.upstreams))


def create_fault_api(token: str, leases: Leases, places: Places, background: Background) -> Flask:
    """The WSGI application of the fault API; it must be served by threads of its own, so that it outlives a hang."""
    app = Flask("demo_app.faults")
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    errors.install(app)

    @app.before_request
    def refuse_strangers() -> None:
        offered = request.headers.get("Authorization", "")
        if not hmac.compare_digest(offered.encode(), f"Bearer {token}".encode()):
            raise ApiError(401, "this needs the header `Authorization: Bearer <DEMO_FAULT_TOKEN>`")

    @app.get("/faults")
    def list_faults() -> Response:
        return jsonify({"faults": [_described(lease, leases) for lease in leases.live()]})

    @app.put("/faults/<path:fault_id>")
    def switch_on(fault_id: str) -> Response:
        _check_id(fault_id, leases)
        fault = _read(request.get_data())
        places.check(fault)
        lease, new = leases.put(fault_id, fault)
        if new:
            background.start(lease)
        return jsonify(_described(lease, leases))

    @app.delete("/faults/<path:fault_id>")
    def switch_off(fault_id: str) -> tuple[str, int]:
        leases.remove(fault_id)
        return "", 204

    return app


def _check_id(fault_id: str, leases: Leases) -> None:
    if not ID.fullmatch(fault_id):
        raise ApiError(422, f"id {fault_id!r} cannot be used; allowed: 1 to 100 letters, digits and . _ / : -")
    ids = {lease.id for lease in leases.live()}
    if len(ids) >= MOST_LIVE and fault_id not in ids:
        raise ApiError(422, f"{MOST_LIVE} faults are on; allowed: at most that many; switch some off first")


def _described(lease: Lease, leases: Leases) -> dict[str, Any]:
    return {
        "id": lease.id,
        "kind": lease.fault.kind,
        "expires_in_s": round(leases.expires_in_s(lease), 3),
        "affected": lease.affected,
    }


def _read(body: bytes) -> kinds.Fault:
    kind = _validated(_Kind, body).kind
    if kind not in kinds.KINDS:
        raise ApiError(422, unknown("kind", kind, sorted(kinds.KINDS)))
    return _validated(kinds.KINDS[kind], body)


class _Kind(BaseModel):
    """The field that says what the others are."""

    kind: Annotated[str, Field(description=f"one of {', '.join(sorted(kinds.KINDS))}")]


def _validated(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise ApiError(422, sentence(error, model)) from None
