"""The system that suffers: a small shop in three roles, whole in its telemetry, with switches to break it on purpose."""
