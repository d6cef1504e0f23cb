"""What all tests share."""

from hypothesis import settings

pytest_plugins = ["pytester"]

# A busy machine is slow, and that is no bug of what is tested.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
