"""The detector's configuration as values: what to watch, where to read it, whom to tell."""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from detector.kinds import Direction, Kind
from detector.settings import AUTO_SEASONS_S, Settings
from detector.units import Address, SeasonChoice, Seconds, Share, WebUrl

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
RESERVED = ("alertname", "signal", "watch")


class Model(BaseModel):
    """Frozen, and closed: a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class BasicAuth(Model):
    """A user, and the file that holds the password, so that no secret stands in the configuration."""

    username: str = Field(min_length=1)
    password_file: Path = Field(strict=False)


class Tls(Model):
    """Certificates: whom to trust, and who we are."""

    ca_file: Path | None = Field(default=None, strict=False)
    cert_file: Path | None = Field(default=None, strict=False)
    key_file: Path | None = Field(default=None, strict=False)

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together: give both or none")
        return self


class Peer(Model):
    """Somebody we talk to over HTTP."""

    url: WebUrl
    timeout: Seconds = 10.0
    basic_auth: BasicAuth | None = None
    bearer_token_file: Path | None = Field(default=None, strict=False)
    tls: Tls = Tls()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.basic_auth and self.bearer_token_file:
            raise ValueError("basic_auth and bearer_token_file exclude each other: keep one")
        if self.timeout <= 0:
            raise ValueError("timeout must be longer than 0s")
        return self


class AlertmanagerPeer(Peer):
    """An Alertmanager (API v2). An active alert is sent again every `resend` and ends by itself after four of them."""

    resend: Seconds = 30.0

    @field_validator("resend")
    @classmethod
    def _often(cls, value: float) -> float:
        if not 1.0 <= value <= 600.0:
            raise ValueError("must be between 1s and 10m; Alertmanager forgets an alert that is not sent again")
        return value


class Sinks(Model):
    """Who is told."""

    alertmanager: tuple[AlertmanagerPeer, ...] = Field(default=(), strict=False)
    webhook: tuple[Peer, ...] = Field(default=(), strict=False)


class Watch(Model):
    """
    One query, and with it one series for each set of labels in its answer.

    `rate_window` is the range of the `rate()` in the query where that is longer than a step: it says how many requests
    stand behind a value, and with that how much of its wobble is chance.
    """

    name: str
    query: str = Field(min_length=1)
    kind: Annotated[Kind, Field(strict=False)]
    requests_query: str | None = Field(default=None, min_length=1)
    direction: Annotated[Direction, Field(strict=False)] | None = None
    season: SeasonChoice = "auto"
    sensitivity: float = Field(default=1.0, ge=0.1, le=10.0, strict=False)
    confirm: int = Field(default=2, ge=1, le=4)
    min_effect: Share | None = None
    objective: Share | None = None
    rate_window: Seconds | None = None
    absent_after: int = Field(default=0, ge=0, le=10_000)
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError("must be lower-case letters, digits, - and _, beginning with a letter, at most 63")
        return value

    @field_validator("query", "requests_query")
    @classmethod
    def _said(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("must be a PromQL expression, not blank")
        return value

    @field_validator("labels")
    @classmethod
    def _labels(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if not LABEL.fullmatch(name):
                raise ValueError(f"label name {name!r} must match {LABEL.pattern}")
            if name in RESERVED:
                raise ValueError(f"label {name!r} is set by the detector itself; reserved: {', '.join(RESERVED)}")
        return value

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.requests_query is not None and self.kind is not Kind.ERRORS:
            raise ValueError(f"requests_query belongs to kind errors, not to kind {self.kind}: remove it")
        if self.rate_window is not None and self.kind not in (Kind.ERRORS, Kind.TRAFFIC):
            raise ValueError(f"rate_window belongs to the kinds traffic and errors, not to {self.kind}: remove it")
        if self.min_effect is not None and self.min_effect < 0:
            raise ValueError("min_effect must not be negative")
        return self

    def settings(self, step_s: float) -> Settings:
        """The detector's dials for this watch."""
        seasons: tuple[float, ...] = AUTO_SEASONS_S if self.season == "auto" else ()
        if isinstance(self.season, float):
            seasons = (self.season,)
        return Settings(
            sensitivity=self.sensitivity,
            confirm=self.confirm,
            direction=self.direction,
            min_effect=self.min_effect,
            objective=self.objective,
            counted_over_s=self.rate_window,
            seasons_s=tuple(period for period in seasons if period >= 8 * step_s),
        )


class Config(Model):
    """All of it. Times are seconds here; in the file they carry their unit."""

    prometheus: Peer
    series: tuple[Watch, ...] = Field(min_length=1, strict=False)
    sinks: Sinks = Sinks()
    interval: Seconds = 15.0
    lag: Seconds | None = None
    lookback: Seconds = 21_600.0
    refit_every: Seconds = 21_600.0
    forget_after: Seconds = 3_600.0
    snapshot_every: Seconds = 300.0
    state_dir: Path | None = Field(default=None, strict=False)
    max_series: int = Field(default=1000, ge=1, le=100_000)
    listen: Address = ("127.0.0.1", 9099)
    explore_url: WebUrl | None = None

    @property
    def lag_s(self) -> float:
        """How late a moment is asked for: one step, unless told otherwise, so that its scrape has arrived."""
        return self.interval if self.lag is None else self.lag

    @field_validator("interval")
    @classmethod
    def _pace(cls, value: float) -> float:
        if not 0.1 <= value <= 3600.0:
            raise ValueError("must be between 100ms and 1h")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [watch.name for watch in self.series]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"series: the name {twice[0]!r} is used twice; each series needs a name of its own")
        if self.prometheus.timeout > self.interval and "timeout" in self.prometheus.model_fields_set:
            raise ValueError("prometheus.timeout must not be longer than interval: a late answer would delay the next")
        for watch in self.series:
            if isinstance(watch.season, float) and watch.season < 8 * self.interval:
                raise ValueError(f"series {watch.name!r}: season must be at least 8 intervals long")
        for name in ("lookback", "refit_every", "forget_after", "snapshot_every"):
            if getattr(self, name) < self.interval:
                raise ValueError(f"{name} must not be shorter than interval")
        return self
