"""What the stand-in acts on, of all of Grafana's settings."""

from dataclasses import dataclass
from pathlib import Path

SAFE_HOST = "127.0.0.1"
BASE_TICK_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Values with Grafana's defaults, but for the address: the stand-in listens on the loopback unless told."""

    host: str = SAFE_HOST
    port: int = 3000
    root_url: str = "http://localhost:3000/"
    provisioning: Path
    data: Path
    admin_user: str = "admin"
    admin_password: str = "admin"  # noqa: S105 - Grafana's own default
    basic_auth: bool = True
    anonymous_role: str | None = None
    tick_s: float = BASE_TICK_S
    min_interval_s: float = BASE_TICK_S
    evaluation_timeout_s: float = 30.0
    execute_alerts: bool = True
    anonymous_org: str = "Main Org."
    metrics: bool = True
