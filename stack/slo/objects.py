"""Objects: what all OpenSLO documents have in common."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from stack.slo.fields import Name


class Strict(BaseModel):
    """A frozen value that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


class Metadata(Strict):
    """An object's name; its annotations mean nothing here."""

    name: Name
    displayName: str | None = None
    labels: Mapping[str, str | list[str]] = {}
    annotations: Mapping[str, str] = {}


class OpenSlo(Strict):
    """What all documents begin with."""

    apiVersion: Literal["openslo/v1"]
