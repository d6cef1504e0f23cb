"""Mutations and expectations made by hand."""

from typing import Any

from pydantic import TypeAdapter

from scenarios.model import Expectation
from scenarios.model.expectations import Keyed
from stack.mutations import Mutation

ITEM: TypeAdapter[Expectation] = TypeAdapter(Keyed)


def missing(kind: Any, subject: str, source: Any = "prometheus", name: str = "") -> Mutation:
    """One thing that is gone."""
    return Mutation(kind=kind, source=source, subject=subject, name=name or subject, file="f.yaml", places=())


def item(**written: Any) -> Expectation:
    """An expectation as it is written."""
    return ITEM.validate_python(written)


def alert(name: str = "A", **given: Any) -> Expectation:
    """An expectation of an alert."""
    return item(alert={"name": name, "within": "5s"} | given)
