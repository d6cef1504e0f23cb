"""What the shop and its process count beside HTTP: orders, carts, failed calls, memory, threads, waiting requests."""

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, Meter, Observation

STATM = Path("/proc/self/statm")


class ShopMetrics:
    """The business's own numbers."""

    def __init__(self, meter: Meter) -> None:
        self.orders = meter.create_counter("shop.orders", unit="{order}", description="Orders by outcome.")
        self.order_value = meter.create_histogram(
            "shop.order.value", unit="{EUR}", description="Value of the orders that were placed."
        )
        self.cart_items = meter.create_histogram(
            "shop.cart.items", unit="{item}", description="Pieces in the carts that were checked out."
        )
        self.upstream_failures = meter.create_counter(
            "shop.upstream.failures", unit="{call}", description="Calls to an upstream that got no good answer."
        )
        self.cart_events = meter.create_counter(
            "shop.cart.events", unit="{event}", description="What carts went through."
        )

    def add_cart(self, cart: str) -> None:
        """Count a cart under its own id: the mistake that the `label_cardinality` fault makes on purpose."""
        self.cart_events.add(1, {"shop.cart.id": cart})


def observe_process(meter: Meter, waiting: Callable[[], int]) -> None:
    """Report what this process uses, and by `waiting` how many requests wait for a thread."""

    def cpu(_: CallbackOptions) -> Iterable[Observation]:
        times = os.times()
        yield Observation(times.user, {"cpu.mode": "user"})
        yield Observation(times.system, {"cpu.mode": "system"})

    def threads(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(threading.active_count())

    def memory(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))

    def queue(_: CallbackOptions) -> Iterable[Observation]:
        yield Observation(waiting())

    meter.create_observable_counter("process.cpu.time", [cpu], unit="s", description="CPU seconds used.")
    meter.create_observable_up_down_counter("process.thread.count", [threads], unit="{thread}", description="Threads.")
    if STATM.exists():
        meter.create_observable_up_down_counter(
            "process.memory.usage", [memory], unit="By", description="Resident memory."
        )
    meter.create_observable_up_down_counter(
        "shop.server.waiting_requests", [queue], unit="{request}", description="Requests that wait for a free thread."
    )
