"""The schema that every other one inherits."""

from typing import Any

import marshmallow
from marshmallow import RAISE
from marshmallow.fields import Field

_PLAIN_WORDS = {
    name: (Field.default_error_messages[name], ours)
    for name, ours in (("required", "This is needed."), ("null", "This may not be empty."))
}


class Schema(marshmallow.Schema):
    """A schema that refuses what it does not know.

    When it describes an answer, every field of it is there; one that may be absent says so with
    ``metadata={"optional": True}``.
    """

    class Meta:
        """Marshmallow reads it."""

        unknown = RAISE

    error_messages: dict[str, str] = {  # noqa: RUF012 - Marshmallow reads it as declared
        "unknown": "There is no such field.",
        "type": "This must be an object.",
    }

    def on_bind_field(self, field_name: str, field_obj: Field[Any]) -> None:  # noqa: ARG002 - Marshmallow's signature
        """Say what is missing as a person would."""
        for name, (stock, ours) in _PLAIN_WORDS.items():
            if field_obj.error_messages.get(name) == stock:
                field_obj.error_messages[name] = ours


class NothingSchema(Schema):
    """What is sent to an operation that asks for nothing."""


def name_of(schema: marshmallow.Schema | type[marshmallow.Schema] | str) -> str:
    """Name the component of a schema: ``VehicleSchema`` is ``Vehicle``, a part of it says which."""
    if isinstance(schema, str):
        return schema.removesuffix("Schema") or schema
    if isinstance(schema, type):
        return name_of(schema.__name__)
    name = name_of(type(schema).__name__)
    chosen: list[Any] = []
    if schema.only is not None:
        chosen += ["Only", *sorted(schema.only)]
    if schema.exclude:
        chosen += ["Without", *sorted(schema.exclude)]
    if schema.partial:
        chosen += ["Partial"]
    return "_".join([name, *map(str, chosen)])
