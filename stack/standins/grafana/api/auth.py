"""Who asks: the administrator by basic authentication, or somebody anonymous; and what they may do."""

import base64
import binascii
import hmac
from dataclasses import dataclass

from starlette.requests import Request

from stack.standins.grafana.api.answers import Refused, denied, refused
from stack.standins.grafana.settings import Settings

RANKS = {"Viewer": 1, "Editor": 2, "Admin": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody with a role; only a signed-in administrator administers the server."""

    login: str
    role: str
    is_server_admin: bool = False

    def at_least(self, role: str) -> bool:
        """
        Whether the role includes another.
        """
        return RANKS[self.role] >= RANKS[role]


def identify(request: Request, settings: Settings) -> Identity:
    """
    Who asks; 401 for wrong credentials (also where anonymous access is on) and for none where they are needed.
    """
    header = request.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        raise refused(401, "invalid API key")
    if scheme.lower() == "basic" and settings.basic_auth:
        return _administrator(value, settings)
    if settings.anonymous_role is None:
        raise Refused(401, {"message": "Unauthorized"})
    return Identity(login="", role=settings.anonymous_role)


def need(request: Request, settings: Settings, role: str, permission: str) -> Identity:
    """
    Who asks, if the role suffices; 403 that names the permission if it does not.
    """
    who = identify(request, settings)
    if not who.at_least(role):
        raise denied(permission)
    return who


def need_server_admin(request: Request, settings: Settings, permission: str) -> Identity:
    """
    Who asks, if it is the signed-in administrator.
    """
    who = identify(request, settings)
    if not who.is_server_admin:
        raise denied(permission)
    return who


def _administrator(value: str, settings: Settings) -> Identity:
    try:
        given = base64.b64decode(value, validate=True)
    except binascii.Error:
        given = b""
    known = f"{settings.admin_user}:{settings.admin_password}".encode()
    if not hmac.compare_digest(given, known):
        raise Refused(
            401,
            {
                "message": "Invalid username or password",
                "messageId": "password-auth.failed",
                "statusCode": 401,
                "traceID": "",
            },
        )
    return Identity(login=settings.admin_user, role="Admin", is_server_admin=True)
