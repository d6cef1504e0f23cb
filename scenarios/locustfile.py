"""Locustfile: the drill's users; only Locust's own process imports it, for importing locust patches sockets.

`scenarios.traffic` starts it. Two roles share the work, in one process or in many: the Head knows the plan, says when
to begin, merges what all saw and writes it down; each Hand drives users and tells the Head, second by second.
They talk in Locust's own messages, which a single process sends to itself.

For more than one machine start the same file by hand; the workers need no plan, they are told it, and clocks in step:

    TOCSIN_TRAFFIC_PLAN=plan.json locust -f locustfile.py --headless --only-summary --master --expect-workers 2
        --host http://shop.example -u 1000 -r 1000
    locust -f locustfile.py --worker --master-host the-head
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import getrandbits
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.event import Event
from gevent.lock import RLock
from gevent.socket import wait_read
from locust import FastHttpUser, events, task
from locust.env import Environment
from locust.event import EventHook
from locust.exception import StopUser
from locust.rpc.protocol import Message
from locust.runners import MasterRunner, Runner, WorkerRunner

from scenarios.logbook import Logbook
from scenarios.model import is_kept
from scenarios.pace import Pace
from scenarios.plan import LEASH_VARIABLE, PLAN_VARIABLE, Plan
from scenarios.tally import Limits, Seen, Tally

BEGIN, TRUTH = "tocsin_begin", "tocsin_truth"
LOCAL = "local"
"""Locust's name of the sender when a single process speaks to itself."""
LEAD_S = 0.3
"""How long before the first request several processes are told when it is due."""
URGENT_S = 2.0
"""How long requests in flight may still take when the run is cut short."""
LAST_WORDS_S = 3.0
"""How long the Head waits for the last words of its workers."""

log = logging.getLogger(__name__)


class Hand:
    """One process's users: when they send, what they saw."""

    def __init__(self, environment: Environment, runner: Runner) -> None:
        self.begun = Event()
        self.ending = False
        self._environment = environment
        self._runner = runner
        runner.register_message(BEGIN, self._begin)
        _listen(environment.events.test_stopping, self._hurry)
        _listen(environment.events.test_stop, self._end)

    def now(self) -> float:
        """Seconds after the first request."""
        return time.time() - self.t0

    def _begin(self, msg: Message, **_: Any) -> None:
        """The Head's word: the plan, this process's share in it, and its first moment."""
        self.plan = Plan.model_validate_json(msg.data["plan"])
        self.t0: float = msg.data["t0"]
        self.pace = Pace(self.plan, index=msg.data["index"], of=msg.data["of"])
        self.deck = self.plan.deck()
        self.tally = Tally(Limits.share(self.plan, of=msg.data["of"]))
        self.begun.set()
        _spawn(self._tell_each_second)

    def _tell_each_second(self) -> None:
        while True:
            gevent.sleep(1 - time.time() % 1 + 0.01)
            self.tally.close_before(int(time.time()))
            self._tell()

    def _tell(self, *, final: bool = False) -> None:
        lines = [event.model_dump_json() for event in self.tally.take()]
        self._runner.send_message(TRUTH, {"complete": self.tally.second, "final": final, "lines": lines})

    def _hurry(self, **_: Any) -> None:
        """No new requests. At its planned end a run waits for answers as long as users would; cut short, not so long."""
        self.ending = True
        ended = self.begun.is_set() and self.now() >= self.plan.load.total_s
        self._environment.stop_timeout = self.plan.timeout_s if ended else URGENT_S

    def _end(self, **_: Any) -> None:
        """All users are gone: tell the last, unfinished second too."""
        self._environment.stop_timeout = 0
        if self.begun.is_set():
            self.tally.close_before(int(time.time()) + 1)
            self._tell(final=True)


class Shopper(FastHttpUser):
    """
    One client. It sends nothing that it does not count: no retries, no redirects, a fresh trace for each request.
    """

    hand: Hand
    insecure = False

    def on_start(self) -> None:
        """
        Wait for the beginning, then for one's turn.
        """
        self.hand.begun.wait()
        pool = self.client.client.clientpool
        pool.client_args |= {
            "concurrency": 1,
            "network_timeout": self.hand.plan.timeout_s,
            "connection_timeout": self.hand.plan.timeout_s,
        }
        host = self.host or ""
        self.http = pool.get_client(host)
        # On a broken connection it would silently send again, as often as its pool is large plus one.
        self.http._connection_pool.size = -1
        self.prefix = urlsplit(host).path.rstrip("/")
        self.number = self.hand.pace.enlist()
        self.wait()  # type: ignore[no-untyped-call]

    def wait_time(self) -> float:
        """
        Seconds until this user's next request. Locust may end a user only here, so none is cut off by a change of load.
        """
        hand = self.hand
        while (since := hand.pace.works_from(self.number, now := hand.now())) > now:
            gevent.sleep(since - now)
        return max(0.0, hand.pace.due(now) - hand.now())

    @task
    def send(self) -> None:
        """
        One request, accounted once, whatever becomes of it.
        """
        if self.hand.ending:
            # Locust ends users that wait; one that wakes up just then would be killed with its request in flight.
            raise StopUser
        route = self.hand.deck.deal()
        path, body = route.call()
        ids = f"{getrandbits(192):048x}"
        headers = {"traceparent": f"00-{ids[:32]}-{ids[32:]}-01"}
        if body:
            headers["Content-Type"] = "application/json"
        began, status, error = time.perf_counter(), 0, ""
        try:
            answer = self.http.request(route.method, self.prefix + path, body, headers)
            answer.read()
            status = answer.get_code()
        except gevent.GreenletExit:
            error = "cut off: no answer before the drill's end"
            raise
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"[:200]
        finally:
            took = time.perf_counter() - began
            sampled = is_kept(ids[:32], self.hand.plan.sampling)
            self._account(Seen(route, status, time.time(), took, ids[:32], error, sampled))

    def _account(self, seen: Seen) -> None:
        """For us, and for Locust's own statistics."""
        self.hand.tally.add(seen)
        self.environment.events.request.fire(
            request_type=seen.route.method,
            name=seen.route.template,
            response_time=seen.duration_s * 1000,
            response_length=0,
            exception=RuntimeError(seen.error or f"HTTP {seen.status}") if seen.failed else None,
            context={},
        )


class Head:
    """Knows the plan; begins, merges, writes, ends."""

    def __init__(self, environment: Environment, runner: Runner, plan: Plan) -> None:
        self._environment = environment
        self._runner = runner
        self._plan = plan
        self._logbook: Logbook | None = None
        self._finishing = RLock()
        self._finished = self._unwritable = self._incomplete = False
        runner.register_message(TRUTH, self._hear)
        _listen(environment.events.spawning_complete, self._begin)
        _listen(environment.events.quitting, self._quit)

    def _begin(self, **_: Any) -> None:
        """All users are there: agree on the first moment, and write it down at once."""
        if self._logbook:
            return
        master = self._runner if isinstance(self._runner, MasterRunner) else None
        workers = list(master.clients) if master else [LOCAL]
        t0 = time.time() + (LEAD_S if master else 0)
        self._logbook = Logbook(self._plan, t0=t0, workers=workers)
        for index, worker in enumerate(workers):
            share = {"plan": self._plan.to_json(), "t0": t0, "index": index, "of": len(workers)}
            self._runner.send_message(BEGIN, share, worker)
        self._write()
        _spawn(self._write_each_second)
        _spawn(self._end, after_s=t0 + self._plan.load.total_s - time.time())

    def _hear(self, msg: Message, **_: Any) -> None:
        if self._logbook:
            self._logbook.hear(msg.node_id, msg.data["lines"], complete=msg.data["complete"], final=msg.data["final"])

    def _write_each_second(self) -> None:
        while not self._unwritable:
            gevent.sleep(1 - time.time() % 1 + 0.05)
            self._write()

    def _write(self) -> None:
        """Without its account a run is worthless, so it ends when that cannot be written."""
        if not self._logbook or self._logbook.closed or self._unwritable:
            return
        try:
            self._logbook.write(time.time())
        except OSError as error:
            self._unwritable = True
            log.error("cannot write %s: %s", self._plan.events, error)
            _spawn(self._end)

    def _end(self) -> None:
        self._finish()
        self._runner.quit()

    def _quit(self, **_: Any) -> None:
        """Locust ends, at our own word or at a signal's."""
        self._finish()
        failed = self._unwritable or self._incomplete or self._runner.exceptions
        self._environment.process_exit_code = 1 if failed else 0

    def _finish(self) -> None:
        """No new requests; wait for those in flight, and for what all processes have to tell; once."""
        with self._finishing:
            if self._finished:
                return
            self._finished = True
            self._runner.stop()
            if self._logbook:
                self._await_last_words(self._logbook)
                self._write()
                self._logbook.close()

    def _await_last_words(self, logbook: Logbook) -> None:
        with gevent.Timeout(LAST_WORDS_S, False):
            while logbook.missing:
                gevent.sleep(0.02)
        for worker in logbook.missing:
            log.error("worker %s vanished; what it saw last is unknown", worker)
            logbook.give_up(worker, time.time())
            self._incomplete = True


def _listen(hook: EventHook, listener: Callable[..., None]) -> None:
    hook.add_listener(listener)  # type: ignore[no-untyped-call]


def _spawn(work: Callable[[], None], *, after_s: float = 0.0) -> None:
    """Run beside the users; if it breaks, so does the whole process, for traffic without its account is worthless."""
    gevent.spawn_later(after_s, work).link_exception(_give_up)


def _give_up(*_: Any) -> None:
    os._exit(1)


def _leash(harness_pipe: bool) -> None:
    """End this process when the one that started it is dead: a killed harness must leave no traffic behind."""
    parent = os.getppid()

    def end(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        _spawn(_give_up, after_s=2 * URGENT_S + LAST_WORDS_S)

    def watch_pipe() -> None:
        wait_read(sys.stdin.fileno())
        end()

    def watch_parent() -> None:
        while os.getppid() == parent:
            gevent.sleep(0.5)
        end()

    for watch in (watch_pipe, watch_parent) if harness_pipe else (watch_parent,):
        _spawn(watch)


def _attach(environment: Environment, **_: Any) -> None:
    """Give this process its roles: the Head where the plan is, a Hand where users are."""
    runner = environment.runner
    assert runner is not None, "Locust makes the runner before it says `init`"
    logging.getLogger("locust.stats_logger").disabled = True  # its tables would bury what went wrong
    _leash(harness_pipe=LEASH_VARIABLE in os.environ)
    if not isinstance(runner, WorkerRunner):
        Head(environment, runner, Plan.model_validate_json(Path(os.environ[PLAN_VARIABLE]).read_bytes()))
    if not isinstance(runner, MasterRunner):
        Shopper.hand = Hand(environment, runner)


_listen(events.init, _attach)
