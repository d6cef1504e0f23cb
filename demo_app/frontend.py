"""The front door: what clients call; it asks catalog and users, and places orders with both."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint
from opentelemetry.trace import Tracer

from demo_app.errors import ApiError
from demo_app.metrics import ShopMetrics
from demo_app.orders import Cart, body
from demo_app.upstream import Upstream

log = logging.getLogger(__name__)


def routes(catalog: Upstream, users: Upstream, tracer: Tracer, metrics: ShopMetrics) -> Blueprint:
    """The front door's routes."""
    blueprint = Blueprint("frontend", __name__)

    @blueprint.get("/api/products")
    def list_products() -> Any:
        return catalog.get("/api/products")

    @blueprint.get("/api/products/<int:id>")
    def get_product(id: int) -> Any:
        return catalog.get(f"/api/products/{id}")

    @blueprint.get("/api/users")
    def list_users() -> Any:
        return users.get("/api/users")

    @blueprint.get("/api/users/<int:id>")
    def get_user(id: int) -> Any:
        return users.get(f"/api/users/{id}")

    @blueprint.post("/api/checkout")
    def checkout() -> tuple[dict[str, Any], int]:
        return _check_out(body(Cart), lambda cart: _place(cart, catalog, users, tracer), metrics), 201

    return blueprint


def _check_out(cart: Cart, place: Callable[[Cart], dict[str, Any]], metrics: ShopMetrics) -> dict[str, Any]:
    """Place an order, and count how it went."""
    metrics.cart_items.record(cart.pieces)
    try:
        order = place(cart)
    except ApiError as error:
        metrics.orders.add(1, {"shop.order.outcome": "failed" if (error.code or 500) >= 500 else "refused"})
        raise
    value = order["total_cents"] / 100
    metrics.orders.add(1, {"shop.order.outcome": "placed"})
    metrics.order_value.record(value)
    log.info("order placed", extra={"shop.order.id": order["order_id"], "shop.order.value": value})
    return order


def _place(cart: Cart, catalog: Upstream, users: Upstream, tracer: Tracer) -> dict[str, Any]:
    """Reserve, then charge, under one span: the business's own view of an order."""
    order_id = uuid.uuid4().hex
    attributes: dict[str, str | int] = {"shop.order.id": order_id, "shop.cart.items": cart.pieces}
    with tracer.start_as_current_span("checkout", attributes=attributes) as span:
        reserved = catalog.post("/api/reservations", {"items": [item.model_dump() for item in cart.items]})
        total_cents = reserved["total_cents"]
        span.set_attribute("shop.order.value", total_cents / 100)
        users.post("/api/charges", {"user_id": cart.user_id, "amount_cents": total_cents})
    return {"order_id": order_id, "user_id": cart.user_id, "lines": reserved["lines"], "total_cents": total_cents}
