"""Configuration of Grafana: settings, datasources, dashboards, its own alert rules, and who they tell."""

from stack.config.grafana.render import render_grafana

__all__ = ["render_grafana"]
