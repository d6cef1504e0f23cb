"""Plan: all that the Locust process is told: whom to call, how much, how it swings, and where to write what it saw.

It travels as JSON: to the head of the process in a file, from there to each worker in Locust's own messages.
All times are seconds after the first request (the drill's clock shows that moment only when it comes).
"""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from scenarios.curve import Curve, Piece
from scenarios.model import Load, TrafficFault

PLAN_VARIABLE = "TOCSIN_TRAFFIC_PLAN"
"""The environment variable that names the plan's file."""

LEASH_VARIABLE = "TOCSIN_TRAFFIC_LEASH"
"""Set when the process must end as soon as its standard input does, for then its harness is dead."""

IDS = 50
"""Ids in URLs go from 1 to this."""

USUAL_MIX: Mapping[str, int] = {
    "/api/products": 30,
    "/api/products/<int:id>": 30,
    "/api/users": 15,
    "/api/users/<int:id>": 15,
    "/api/checkout": 10,
}
"""The weights of the routes when the load names none: a shop with more lookers than buyers."""

PhaseName = Literal["warm_up", "drive", "cool_down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """
    One thing that clients ask for, again and again, each time of another id.
    """

    template: str
    method: str = "GET"

    def call(self) -> tuple[str, bytes]:
        """
        The path and the body of one request.
        """
        if self.method == "POST":
            return self.template, (
                f'{{"user_id":{random.randint(1, IDS)},'  # noqa: S311 - no secret
                f'"items":[{{"product_id":{random.randint(1, IDS)},"quantity":{random.randint(1, 3)}}}]}}'  # noqa: S311
            ).encode()
        return self.template.replace("<int:id>", str(random.randint(1, IDS))), b""  # noqa: S311


class Deck:
    """
    Routes, dealt in random order, yet in exact shares: each as often as its weight in every pass through the deck.
    """

    def __init__(self, weights: Mapping[str, int]) -> None:
        common = reduce(math.gcd, weights.values())
        self._cards = [_route(template) for template, weight in weights.items() for _ in range(weight // common)]
        self._dealt: Iterator[Route] = iter(())

    def deal(self) -> Route:
        """
        The next route.
        """
        for route in self._dealt:
            return route
        random.shuffle(self._cards)
        self._dealt = iter(self._cards)
        return next(self._dealt)


class Plan(BaseModel):
    """
    What to do, complete and immutable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(pattern=r"^https?://")
    events: Path
    load: Load
    faults: tuple[TrafficFault, ...] = ()
    timeout_s: float = Field(default=10.0, gt=0, description="how long a client waits for an answer's next bytes")
    failures: int = Field(default=2000, ge=0, description="failed requests that are all kept; later ones are sampled")
    sample_per_s: int = Field(default=5, ge=0, description="requests of each second of which all is kept")
    sampling: float = Field(default=1.0, gt=0, le=1, description="the share of traces that the app's SDKs keep")

    def to_json(self) -> str:
        """
        The plan as `Plan.model_validate_json` reads it.
        """
        return self.model_dump_json(by_alias=True)

    @property
    def phases(self) -> tuple[tuple[PhaseName, float], ...]:
        """
        When each phase begins; a phase of no length begins nevertheless.
        """
        drive = self.load.warm_up
        return ("warm_up", 0.0), ("drive", drive), ("cool_down", drive + self.load.for_s)

    def rate(self) -> Curve | None:
        """
        Requests per second of all users together; None when they go as fast as they can.
        """
        if self.load.rate is None:
            return None
        return Curve.product(self.load.rate, until=self.load.total_s, swings=self._swings())

    def crowd(self) -> Curve:
        """
        Users at work. With a rate, only more traffic changes their number, lest a spike be held up by too few.
        """
        swings = self._swings()
        if self.load.rate is not None:
            swings = tuple(swing for swing in swings if min(swing.first, swing.last) >= 1)
        return Curve.product(self.load.users, until=self.load.total_s, swings=swings)

    def deck(self) -> Deck:
        """
        The routes by their weights.
        """
        return Deck(self.load.routes or USUAL_MIX)

    def _swings(self) -> tuple[Piece, ...]:
        """What multiplies the load, each while it lasts."""
        load = self.load
        rise = [Piece(start=0, end=load.warm_up, first=0, last=1)] if load.shape == "ramp" and load.warm_up else []
        faults = (
            Piece(
                start=load.warm_up + fault.at,
                end=load.warm_up + fault.end_s,
                first=1 if fault.kind == "ramp" else fault.factor,
                last=fault.factor,
            )
            for fault in self.faults
        )
        return tuple(chain(rise, faults))


def _route(template: str) -> Route:
    """The route as clients call it."""
    return Route(template=template, method="POST" if template == "/api/checkout" else "GET")
