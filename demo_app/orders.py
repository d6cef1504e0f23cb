"""What an order is made of, as it travels between the roles."""

from typing import Annotated, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from demo_app.errors import ApiError
from demo_app.explain import sentence


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Id = Annotated[int, Field(ge=1, description="a whole number from 1")]


class Item(_Body):
    """So many pieces of one product."""

    product_id: Id
    quantity: Annotated[int, Field(ge=1, le=100, description="a whole number from 1 to 100")] = 1


Items = Annotated[tuple[Item, ...], Field(min_length=1, max_length=50, description="a list of 1 to 50 items")]


class Cart(_Body):
    """What a client checks out: POST /api/checkout."""

    user_id: Id
    items: Items

    @property
    def pieces(self) -> int:
        """How many pieces there are in it."""
        return sum(item.quantity for item in self.items)


class Reservation(_Body):
    """What the frontend asks of the catalog: POST /api/reservations."""

    items: Items


class Charge(_Body):
    """What the frontend asks of users: POST /api/charges."""

    user_id: Id
    amount_cents: Annotated[int, Field(ge=1, description="whole cents from 1")]


B = TypeVar("B", bound=_Body)


def body(model: type[B]) -> B:
    """The current request's body as a `model`; if it is not one, the answer is 400 and says why."""
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        raise ApiError(400, sentence(error, model)) from None
