"""The catalog: products, and reservations of them for orders."""

from typing import Any

from flask import Blueprint
from opentelemetry.trace import Tracer

from demo_app.database import Database, Schema
from demo_app.errors import ApiError
from demo_app.orders import Reservation, body

PAGE = 20
PRODUCTS = 100

ADJECTIVES = ("Brass", "Tuned", "Heavy", "Silent", "Ringing", "Cast", "Polished", "Antique", "Alpine", "Naval")
NOUNS = ("Bell", "Gong", "Chime", "Whistle", "Siren", "Lantern", "Horn", "Rattle", "Beacon", "Drum")

SCHEMA = Schema(
    create="CREATE TABLE IF NOT EXISTS products"
    " (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER NOT NULL, reserved INTEGER NOT NULL)",
    insert="INSERT OR IGNORE INTO products VALUES (?, ?, ?, ?)",
    rows=[
        (number + 1, f"{ADJECTIVES[number // 10]} {NOUNS[number % 10]}", 499 + 137 * (number * 7 % PRODUCTS), 0)
        for number in range(PRODUCTS)
    ],
)


def routes(database: Database, tracer: Tracer) -> Blueprint:
    """The catalog's routes."""
    blueprint = Blueprint("catalog", __name__)

    @blueprint.get("/api/products")
    def list_products() -> dict[str, Any]:
        return {"products": database.query("SELECT id, name, price_cents FROM products ORDER BY id LIMIT ?", PAGE)}

    @blueprint.get("/api/products/<int:id>")
    def get_product(id: int) -> dict[str, Any]:
        return _product(database, id)

    @blueprint.post("/api/reservations")
    def reserve() -> tuple[dict[str, Any], int]:
        wanted = body(Reservation)
        with tracer.start_as_current_span("reserve stock", attributes={"shop.cart.lines": len(wanted.items)}):
            lines = [_reserve(database, item.product_id, item.quantity) for item in wanted.items]
        return {"lines": lines, "total_cents": sum(line["cents"] for line in lines)}, 201

    return blueprint


def _reserve(database: Database, product_id: int, quantity: int) -> dict[str, Any]:
    product = _product(database, product_id)
    database.query("UPDATE products SET reserved = reserved + ? WHERE id = ?", quantity, product_id)
    return {"product_id": product_id, "quantity": quantity, "cents": quantity * product["price_cents"]}


def _product(database: Database, product_id: int) -> dict[str, Any]:
    found = database.query("SELECT id, name, price_cents FROM products WHERE id = ?", product_id)
    if not found:
        raise ApiError(404, f"there is no product {product_id}")
    return found[0]
