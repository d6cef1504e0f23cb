"""A stand-in for Grafana Tempo 3: the same configuration file, the same wire, all in memory; run it with `python -m`."""
