"""A stand-in for Grafana 13, used only where the real one cannot be had."""
