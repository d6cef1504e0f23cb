"""Settings from grafana.ini and from `GF_<SECTION>_<KEY>` variables, which win."""

import configparser
import os
import re
from collections.abc import Mapping
from pathlib import Path

from stack.standins.grafana.durations import format_duration, parse_duration
from stack.standins.grafana.problems import ProvisioningError
from stack.standins.grafana.settings import BASE_TICK_S, SAFE_HOST, Settings

ROLES = ("Viewer", "Editor", "Admin")
TICK_TOGGLE = "configurableSchedulerTick"
TRUE, FALSE = ("true", "1", "yes", "on", "t"), ("false", "0", "no", "off", "f", "")


def read_settings(homepath: Path, config: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """
    The settings of a Grafana started with this home, configuration file (None for `conf/custom.ini`) and environment.

    ProvisioningError names the file or variable, what was found and what is allowed.
    """
    reader = Reader(homepath, config, os.environ if environment is None else environment)
    tick_s = _tick(reader)
    _refuse_legacy(reader)
    port = reader.port("server", "http_port", 3000)
    root = reader.text("server", "root_url", "%(protocol)s://%(domain)s:%(http_port)s/")
    names = {"protocol": "http", "domain": reader.text("server", "domain", "localhost"), "http_port": str(port)}
    return Settings(
        host=reader.text("server", "http_addr", SAFE_HOST) or SAFE_HOST,
        port=port,
        root_url=re.sub(r"%\((\w+)\)s", lambda match: names.get(match[1], match[0]), root).rstrip("/") + "/",
        provisioning=reader.path("paths", "provisioning", homepath / "conf" / "provisioning"),
        data=reader.path("paths", "data", homepath / "data"),
        admin_user=reader.text("security", "admin_user", "admin"),
        admin_password=reader.text("security", "admin_password", "admin"),
        basic_auth=reader.flag("auth.basic", "enabled", True),
        anonymous_role=_anonymous(reader),
        tick_s=tick_s,
        min_interval_s=_min_interval(reader, tick_s),
        evaluation_timeout_s=reader.seconds("unified_alerting", "evaluation_timeout", 30.0),
        execute_alerts=reader.flag("unified_alerting", "execute_alerts", True),
        metrics=reader.flag("metrics", "enabled", True),
    )


class Reader:
    """Settings by section and key, each error with its place."""

    def __init__(self, homepath: Path, config: Path | None, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._homepath = homepath
        self._file = config if config is not None else homepath / "conf" / "custom.ini"
        self._parser = configparser.RawConfigParser(strict=False, comment_prefixes=(";", "#"), allow_no_value=True)
        if config is None and not self._file.exists():
            return
        try:
            self._parser.read_string("[DEFAULT]\n" + self._file.read_text("utf-8"), str(self._file))
        except OSError as error:
            raise ProvisioningError(f"{self._file}: cannot be read: {error.strerror}") from error
        except configparser.Error as error:
            raise ProvisioningError(f"{self._file}: not an ini file: {error}") from error

    def text(self, section: str, key: str, default: str) -> str:
        """
        A text; from the environment if it is there, else from the file.
        """
        variable = self._variable(section, key)
        if variable in self._environment:
            return self._environment[variable]
        value = self._parser.get(section, key, fallback=None)
        return default if value is None else self._expanded(value.strip().strip('"'))

    def flag(self, section: str, key: str, default: bool) -> bool:
        """
        True or false.
        """
        text = self.text(section, key, str(default)).lower()
        if text not in TRUE + FALSE:
            raise self.error(section, key, f"must be true or false, found {text!r}")
        return text in TRUE

    def seconds(self, section: str, key: str, default_s: float) -> float:
        """
        A duration in seconds.
        """
        text = self.text(section, key, "")
        try:
            return parse_duration(text) if text else default_s
        except ValueError as error:
            raise self.error(section, key, str(error)) from error

    def port(self, section: str, key: str, default: int) -> int:
        """
        A port; 0 lets the system choose.
        """
        text = self.text(section, key, str(default))
        if not text.isdecimal() or int(text) > 65535:
            raise self.error(section, key, f"must be a port from 0 to 65535, found {text!r}")
        return int(text)

    def path(self, section: str, key: str, default: Path) -> Path:
        """
        A path; a relative one is below the home path.
        """
        text = self.text(section, key, "")
        return self._homepath / text if text else default

    def error(self, section: str, key: str, problem: str) -> ProvisioningError:
        """
        An error that names where the setting stands.
        """
        variable = self._variable(section, key)
        place = variable if variable in self._environment else f"{self._file}: [{section}] {key}"
        return ProvisioningError(f"{place}: {problem}")

    def _expanded(self, text: str) -> str:
        return re.sub(r"\$\{(\w+)\}|\$__env\{(\w+)\}", lambda m: self._environment.get(m[1] or m[2], ""), text)

    @staticmethod
    def _variable(section: str, key: str) -> str:
        return f"GF_{re.sub(r'[.-]', '_', section)}_{key}".upper()


def _tick(reader: Reader) -> float:
    toggles = re.split(r"[\s,]+", reader.text("feature_toggles", "enable", ""))
    tick_s = reader.seconds("unified_alerting", "scheduler_tick_interval", BASE_TICK_S)
    on = TICK_TOGGLE in toggles or reader.flag("feature_toggles", TICK_TOGGLE, False)
    if tick_s <= 0:
        raise reader.error("unified_alerting", "scheduler_tick_interval", "must be above 0")
    # Without the toggle Grafana ignores the interval.
    return tick_s if on else BASE_TICK_S


def _min_interval(reader: Reader, tick_s: float) -> float:
    seconds = reader.seconds("unified_alerting", "min_interval", tick_s)
    if seconds < tick_s:
        base = format_duration(tick_s)
        hint = f"; for a shorter one set the feature toggle {TICK_TOGGLE} and scheduler_tick_interval"
        problem = f"value of setting 'min_interval' should be greater than the base interval ({base}){hint}"
        raise reader.error("unified_alerting", "min_interval", problem)
    if seconds % tick_s:
        raise reader.error(
            "unified_alerting",
            "min_interval",
            f"value of setting 'min_interval' should be times of base interval ({format_duration(tick_s)})",
        )
    return seconds


def _refuse_legacy(reader: Reader) -> None:
    if reader.flag("alerting", "enabled", False):
        problem = "legacy and unified alerting cannot both be enabled at the same time: leave the first out"
        raise reader.error("alerting", "enabled", problem)
    if not reader.flag("unified_alerting", "enabled", True):
        raise reader.error("unified_alerting", "enabled", "must be true: the stand-in has no other alerting")
    if reader.text("server", "protocol", "http") != "http":
        raise reader.error("server", "protocol", "must be http: the stand-in speaks nothing else")
    if reader.flag("server", "serve_from_sub_path", False):
        raise reader.error("server", "serve_from_sub_path", "is not supported by the stand-in: leave it out")


def _anonymous(reader: Reader) -> str | None:
    if not reader.flag("auth.anonymous", "enabled", False):
        return None
    role = reader.text("auth.anonymous", "org_role", "Viewer")
    if role not in ROLES:
        raise reader.error("auth.anonymous", "org_role", f"must be one of {', '.join(ROLES)}, found {role!r}")
    return role
