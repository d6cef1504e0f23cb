"""Explanations: every field that a body may have can be explained."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from demo_app.explain import unknown
from demo_app.faults.kinds import KINDS
from demo_app.orders import Cart, Charge, Item, Reservation

BODIES: list[type[BaseModel]] = [*KINDS.values(), Cart, Item, Reservation, Charge]


@pytest.mark.parametrize("model", BODIES, ids=lambda model: str(model.__name__))
def test_every_field_says_what_is_allowed(model: type[BaseModel]) -> None:
    """
    An error is made of these descriptions, so none may be missing.
    """
    undescribed = [name for name, field in model.model_fields.items() if not field.description and name != "kind"]

    assert undescribed == []


def test_an_unknown_name_is_told_with_what_was_perhaps_meant() -> None:
    """
    A near miss is suggested; something quite different is not.
    """
    assert unknown("route", "/api/user", ["/api/users"]) == (
        "unknown route '/api/user' (did you mean /api/users?); known: /api/users"
    )
    assert unknown("route", "x", ["/api/users"]) == "unknown route 'x'; known: /api/users"


def test_a_long_value_is_shortened() -> None:
    """
    Nobody gets a page of their own body back.
    """
    assert len(unknown("field", "x" * 10_000, ["kind"])) < 120
