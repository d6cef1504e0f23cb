"""Schema: the scenario language as JSON schema, so that editors complete and check drills while they are written."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from scenarios.model import EXPECTATIONS, Scenario
from scenarios.units import format_duration, format_ratio

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The version of JSON schema."""


def json_schema() -> dict[str, Any]:
    """
    The schema of a drill as it is written in YAML: durations and ratios as texts, expectations as one key each.

    It knows the form only; that the parts fit together is checked when the drill is loaded.
    """
    schema = TypeAdapter(Scenario).json_schema(by_alias=True, schema_generator=_Generator, mode="validation")
    return {"$schema": DIALECT, "title": "Tocsin drill", **{k: v for k, v in schema.items() if k != "title"}}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, but with defaults as they would be written, and expectations as one key each."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """A default in the form in which people would write it."""
        made = super().default_schema(schema)
        default = made.get("default")
        if "pattern" in made and isinstance(default, int | float):
            made["default"] = format_ratio(default) if made["pattern"].endswith("%$") else format_duration(default)
        return made

    def field_title_should_be_set(self, schema: object) -> bool:
        """A key is its own title."""
        return False

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Expectations are told apart by their key; everything else is left to pydantic."""
        if set(schema["choices"]) != set(EXPECTATIONS):
            return super().tagged_union_schema(schema)
        return {"oneOf": [self._keyed(str(key), choice) for key, choice in schema["choices"].items()]}

    def _keyed(self, key: str, choice: core_schema.CoreSchema) -> JsonSchemaValue:
        details = self.generate_inner(choice)
        required = any(field.is_required() for field in EXPECTATIONS[key].model_fields.values())
        body: Mapping[str, Any] = details if required else {"anyOf": [details, {"type": "null"}]}
        return {"type": "object", "properties": {key: body}, "required": [key], "additionalProperties": False}
