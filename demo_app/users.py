"""The users, and what they are charged."""

from typing import Any

from flask import Blueprint
from opentelemetry.trace import Tracer

from demo_app.database import Database, Schema
from demo_app.errors import ApiError
from demo_app.orders import Charge, body

PAGE = 20
USERS = 100

NAMES = ("Ada", "Alan", "Barbara", "Edsger", "Frances", "Grace", "John", "Katherine", "Leslie", "Margaret")

SCHEMA = Schema(
    create="CREATE TABLE IF NOT EXISTS users"
    " (id INTEGER PRIMARY KEY, name TEXT NOT NULL, charged_cents INTEGER NOT NULL)",
    insert="INSERT OR IGNORE INTO users VALUES (?, ?, ?)",
    rows=[(number + 1, f"{NAMES[number % 10]} {number // 10 + 1}", 0) for number in range(USERS)],
)


def routes(database: Database, tracer: Tracer) -> Blueprint:
    """The routes of users."""
    blueprint = Blueprint("users", __name__)

    @blueprint.get("/api/users")
    def list_users() -> dict[str, Any]:
        return {"users": database.query("SELECT id, name FROM users ORDER BY id LIMIT ?", PAGE)}

    @blueprint.get("/api/users/<int:id>")
    def get_user(id: int) -> dict[str, Any]:
        return _user(database, id)

    @blueprint.post("/api/charges")
    def charge() -> tuple[dict[str, Any], int]:
        wanted = body(Charge)
        with tracer.start_as_current_span("charge user", attributes={"shop.order.value": wanted.amount_cents / 100}):
            user = _user(database, wanted.user_id)
            database.query(
                "UPDATE users SET charged_cents = charged_cents + ? WHERE id = ?", wanted.amount_cents, wanted.user_id
            )
        return {"user_id": user["id"], "name": user["name"], "amount_cents": wanted.amount_cents}, 201

    return blueprint


def _user(database: Database, user_id: int) -> dict[str, Any]:
    found = database.query("SELECT id, name FROM users WHERE id = ?", user_id)
    if not found:
        raise ApiError(404, f"there is no user {user_id}")
    return found[0]
