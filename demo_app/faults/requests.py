"""Faults that hit requests on their way in: late, refused, crashed, or never answered."""

import time
from collections.abc import Callable

from flask import Flask, request

from demo_app.errors import ApiError
from demo_app.faults.kinds import Errors, Hang, Latency, Raised
from demo_app.faults.leases import Leases

API_PREFIX = "/api/"


def api_routes(app: Flask) -> list[str]:
    """The route templates that a fault can hit: all but the probes."""
    return sorted({rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(API_PREFIX)})


def install(app: Flask, leases: Leases, sleep: Callable[[float], None] = time.sleep) -> None:
    """Let faults hit this app's requests, inside of their server span and of their measured duration."""

    @app.before_request
    def break_request() -> None:
        rule = request.url_rule
        if rule is None or not rule.rule.startswith(API_PREFIX):
            return
        for late in leases.strikes(Latency, rule.rule):
            sleep(late.fault.delay(late.nth))
        for hung in leases.strikes(Hang, rule.rule):
            leases.wait_out(hung.lease)
        for refused in leases.strikes(Errors, rule.rule):
            raise ApiError(refused.fault.status)
        for crashed in leases.strikes(Raised, rule.rule):
            raise crashed.fault.exception()
