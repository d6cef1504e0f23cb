"""Configuration of the stack's engines: one set of templates, two profiles."""

from stack.config.profile import DRILL, PROFILES, Profile
from stack.config.render import COMPONENTS, ConfigError, render

__all__ = ["COMPONENTS", "DRILL", "PROFILES", "ConfigError", "Profile", "render"]
