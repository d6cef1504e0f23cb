"""The stand-in itself: all its parts, started, reloaded, saved and stopped together."""

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace

import httpx

from stack.standins.grafana import snapshot
from stack.standins.grafana.alerting.evaluation import Evaluator
from stack.standins.grafana.alerting.manager import Manager, Transition
from stack.standins.grafana.alerting.measure import Measures
from stack.standins.grafana.alerting.scheduler import Scheduler
from stack.standins.grafana.alerting.states import Instance
from stack.standins.grafana.annotations import Annotations
from stack.standins.grafana.notify.alerts import alert_of
from stack.standins.grafana.notify.dispatcher import Dispatcher
from stack.standins.grafana.notify.sender import Sender
from stack.standins.grafana.notify.silences import Silences
from stack.standins.grafana.problems import Warnings
from stack.standins.grafana.prometheus import Prometheus
from stack.standins.grafana.provisioning.rules import Rule
from stack.standins.grafana.provisioning.world import Files
from stack.standins.grafana.settings import Settings

SAVE_EVERY_S = 1.0
KEEP_ALIVE = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=60.0)

log = logging.getLogger("grafana")


class Standin:
    """Reads the provisioning when it is made (ProvisioningError); works between `start` and `stop`."""

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.warnings = Warnings()
        self._files = Files(settings, self.warnings, environment)
        self.started_s = clock()
        self.provisioned = self._files.read(self.started_s)
        self.client = httpx.AsyncClient(transport=transport, limits=KEEP_ALIVE, trust_env=False)
        self.prometheus = Prometheus(self.client, settings.evaluation_timeout_s)
        self.annotations = Annotations()
        self.silences = Silences()
        self.measures = Measures(self._states)
        self.measures.set_interval(settings.tick_s)
        self.sender = Sender(self.client, settings.root_url, clock)
        self.dispatcher = Dispatcher(
            lambda: self.provisioned.alerting, self.silences, self.sender, self.measures, clock
        )
        self.manager = Manager(settings.root_url, self._send, self._record)
        self.scheduler = Scheduler(
            settings.tick_s, lambda: self.provisioned.alerting.rules, self.evaluator, self.manager, self.measures
        )
        self.dispatcher.on_told = self.touch
        self._dirty = False
        self._tasks: list[asyncio.Task[None]] = []
        self._restore()

    async def start(self) -> None:
        """
        Begin to evaluate and to tell.
        """
        self.dispatcher.rebuild()
        self._begin(self.dispatcher.run())
        self._begin(self._save())
        if self.settings.execute_alerts:
            self._begin(self.scheduler.run())

    async def stop(self) -> None:
        """
        End all that runs, and save.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        snapshot.write(self.settings.data, self.snapshot())
        await self.client.aclose()

    def evaluator(self) -> Evaluator:
        """
        What evaluates rules now.
        """
        datasources = {datasource.uid: datasource for datasource in self.provisioned.datasources}
        return Evaluator(prometheus=self.prometheus, datasources=datasources)

    def reload_datasources(self) -> None:
        """
        Read the datasources again.
        """
        self.provisioned = replace(self.provisioned, datasources=self._files.datasources())

    def reload_dashboards(self) -> None:
        """
        Read the dashboards again.
        """
        self.provisioned = replace(self.provisioned, dashboards=self._files.dashboards())

    def reload_alerting(self) -> None:
        """
        Read the alerting again; as with a real Grafana, all rules begin anew, also when no file has changed.
        """
        now_s = self.clock()
        old = self.provisioned
        alerting = self._files.alerting(old.datasources, old.dashboards, now_s)
        self.manager.reset(old.alerting.rules, now_s)
        self.provisioned = replace(old, alerting=alerting)
        self.touch()

    def rule(self, uid: str) -> Rule | None:
        """
        The rule of a uid.
        """
        return next((rule for rule in self.provisioned.alerting.rules if rule.uid == uid), None)

    def touch(self) -> None:
        """
        Tell that there is something to save.
        """
        self._dirty = True

    def snapshot(self) -> snapshot.Snapshot:
        """
        All that a restart must not forget.
        """
        told = [(group, integration, entry) for (group, integration), entry in self.dispatcher.log.items()]
        return snapshot.Snapshot(
            instances=list(self.manager.all()),
            alerts=list(self.dispatcher.alerts),
            silences=list(self.silences),
            annotations=list(self.annotations),
            told=told,
        )

    def _restore(self) -> None:
        state = snapshot.read(self.settings.data)
        if state is None:
            return
        known = {rule.uid for rule in self.provisioned.alerting.rules}
        self.manager.restore([one for one in state.instances if one.rule_uid in known])
        for alert in state.alerts:
            self.dispatcher.alerts.put(alert)
        self.silences.restore(state.silences)
        self.annotations.restore(state.annotations)
        self.dispatcher.log.restore({(group, integration): told for group, integration, told in state.told})

    async def _save(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            if self._dirty:
                self._dirty = False
                # The values in it never change, so another thread may write them while rules are evaluated.
                await asyncio.to_thread(snapshot.write, self.settings.data, self.snapshot())

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(functools.partial(_name_failure))
        self._tasks.append(task)

    def _send(self, rule: Rule, instance: Instance) -> None:
        self.dispatcher.put(alert_of(rule, instance, self.clock()))
        self.touch()

    def _record(self, transition: Transition) -> None:
        self.annotations.record(transition, round(self.clock() * 1000))
        self.touch()

    def _states(self) -> list[str]:
        return [str(instance.state).lower() for instance in self.manager.all()]


def _name_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error('msg="a part of the stand-in ended"', exc_info=task.exception())
