"""Topology: the parts of the demo app and of the stack, and the routes between them."""

from collections.abc import Mapping
from typing import Literal

Role = Literal["frontend", "catalog", "users"]
"""A part of the demo app."""

Component = Literal["collector", "prometheus", "alertmanager", "tempo", "grafana", "detector", "sink"]
"""A part of the stack under test."""

OPTIONAL = frozenset({"grafana", "detector", "toxiproxy"})
"""Parts of a stack that are there only where somebody needs them; Toxiproxy is no part under test."""

ENTRY_SERVICE: Role = "frontend"
"""The demo app's role that clients talk to; what they see is its truth."""

ROUTES: Mapping[str, tuple[Role, ...]] = {
    "/api/products": ("frontend", "catalog"),
    "/api/products/<int:id>": ("frontend", "catalog"),
    "/api/users": ("frontend", "users"),
    "/api/users/<int:id>": ("frontend", "users"),
    "/api/checkout": ("frontend", "catalog", "users"),
}
"""The demo app's routes, as clients call them, and the services that each passes through."""

ROLE_ROUTES: Mapping[Role, tuple[str, ...]] = {
    "frontend": tuple(ROUTES),
    "catalog": ("/api/products", "/api/products/<int:id>", "/api/reservations"),
    "users": ("/api/users", "/api/users/<int:id>", "/api/charges"),
}
"""The routes that each role itself serves; a checkout reserves at the catalog and charges at users."""

CHECKOUT_PARTS = frozenset({"/api/reservations", "/api/charges"})
"""Routes that clients reach only by `/api/checkout`."""
