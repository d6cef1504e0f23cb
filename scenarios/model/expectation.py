"""Expectation: what each kind of them is made of: one key with its details."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import model_validator

from scenarios.model.value import Value


class BaseExpectation(Value):
    """Something that must hold; written as one key with its details."""

    KEY: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _details(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and set(value) == {cls.KEY}:
            details = value[cls.KEY]
            return {} if details is None else details
        return value
