"""Load: how much traffic, on which routes, for how long."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from scenarios.errors import did_you_mean
from scenarios.model.topology import ROUTES
from scenarios.model.value import Misfit, Value
from scenarios.units import Number, PositiveSeconds, Seconds, Whole


class Load(Value):
    """
    How much traffic, for how long: `users` at their own pace, or a steady `rate` that they share.

    The run is warm-up (not judged for silence), drive (faults happen here), cool-down (all is healed, traffic goes on).
    """

    users: Whole = Field(default=8, ge=1, le=100_000, description="how many clients at the same time")
    rate: Number | None = Field(
        default=40,
        gt=0,
        le=1_000_000,
        description="requests per second of all users together; null: as fast as they can",
    )
    warm_up: Seconds = Field(default=10.0, description="traffic before time nought; the baseline")
    for_s: PositiveSeconds = Field(alias="for", description="how long the drive lasts; faults happen in it")
    cool_down: Seconds = Field(default=0.0, description="traffic after the drive, with everything healed")
    shape: Literal["constant", "ramp"] = Field(
        default="constant", description="ramp: the traffic grows from nought during the warm-up"
    )
    routes: Mapping[str, Whole] | None = Field(default=None, description="weight of each route; null: the usual mix")
    processes: Whole = Field(default=1, ge=1, le=64, description="processes of Locust's own distribution")

    @property
    def total_s(self) -> float:
        """The traffic's whole length, from its first to its last second."""
        return self.warm_up + self.for_s + self.cool_down

    def uses(self, route: str) -> bool:
        """Whether any client calls the route."""
        return self.routes is None or self.routes.get(route, 0) > 0

    @field_validator("routes")
    @classmethod
    def _known_routes(cls, routes: Mapping[str, int] | None) -> Mapping[str, int] | None:
        for route, weight in (routes or {}).items():
            if route not in ROUTES:
                raise Misfit(
                    f"unknown route {route!r}; known: {', '.join(ROUTES)}{did_you_mean(route, list(ROUTES))}", route
                )
            if weight < 0:
                raise Misfit(f"route {route!r}: a weight cannot be negative, got {weight}", route)
        if routes is not None and not any(routes.values()):
            raise Misfit("no traffic: at least one route needs a weight above 0")
        return routes
