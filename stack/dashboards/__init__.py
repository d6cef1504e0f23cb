"""Dashboards: what people look at during an incident, written as data and generated as Grafana's classic JSON."""
