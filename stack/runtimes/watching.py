"""Watching: whether those who raise alerts are really at it: everything scraped, everything evaluated, everybody reachable."""

import httpx

NEVER = "0001"
"""The year in which a rule that was not evaluated yet was last evaluated."""


def prometheus_watches(prometheus: httpx.Client, state: dict[str, str]) -> bool:
    """Whether Prometheus scrapes, evaluates and notifies; if not, `state` says what it waits for."""
    try:
        targets = prometheus.get("/api/v1/targets", params={"state": "active"}).json()["data"]["activeTargets"]
        groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
        managers = prometheus.get("/api/v1/alertmanagers").json()["data"]["activeAlertmanagers"]
    except (httpx.HTTPError, KeyError, ValueError):
        return False
    down = sorted({target["scrapePool"] for target in targets if target["health"] != "up"})
    # Slower groups look back for minutes; their first evaluation comes long before any drill could need it.
    tick_s = min((group["interval"] for group in groups), default=0)
    waiting = [group for group in groups if group["lastEvaluation"].startswith(NEVER) and group["interval"] == tick_s]
    unevaluated = sorted({group["name"] for group in waiting})
    if down or not targets:
        state["waits for"] = f"targets that are not up: {', '.join(down) or 'none is known'}"
    elif unevaluated:
        state["waits for"] = f"rule groups that were not evaluated: {', '.join(unevaluated)}"
    elif not managers:
        state["waits for"] = "an Alertmanager"
    else:
        return True
    return False


def grafana_watches(url: str, state: dict[str, str]) -> bool:
    """
    Whether Grafana evaluates its rules and has taken over its provisioned policies; if not, `state` says what it waits for.

    Until it has, alerts go to a default that nobody reads.
    """
    try:
        groups = httpx.get(f"{url}/api/prometheus/grafana/api/v1/rules", timeout=5).json()["data"]["groups"]
        status = httpx.get(f"{url}/api/alertmanager/grafana/api/v2/status", timeout=5).json()
        receiver = status["config"]["route"]["receiver"]
    except (httpx.HTTPError, KeyError, TypeError, ValueError):
        return False
    tick_s = min((group["interval"] for group in groups), default=0)
    waiting = [group for group in groups if group["interval"] == tick_s and _unevaluated(group)]
    if not groups or waiting:
        state["waits for"] = f"rules that were not evaluated: {', '.join(group['name'] for group in waiting) or 'all'}"
    elif not receiver.startswith("grafana-") or receiver == "grafana-default-email":
        state["waits for"] = f"its provisioned policies; it still tells {receiver}"
    else:
        return True
    return False


def _unevaluated(group: dict[str, list[dict[str, str]]]) -> bool:
    return any(rule.get("lastEvaluation", NEVER).startswith(NEVER) for rule in group["rules"])
