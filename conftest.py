"""What all tests share."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

# A busy machine is slow, and that is no bug of what is tested.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
