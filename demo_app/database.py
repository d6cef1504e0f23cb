"""One role's SQLite file: created and filled if absent, one connection per thread, a span for every statement."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry.instrumentation import dbapi

from demo_app.faults.kinds import SlowDatabase
from demo_app.faults.leases import Leases
from demo_app.telemetry import Telemetry

BUSY_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """How a role's database begins: what makes its table, what puts a row in (unless it is there), and the rows."""

    create: str
    insert: str
    rows: Sequence[tuple[Any, ...]]


class DatabaseError(RuntimeError):
    """The file cannot be used: which, and why."""


class Database:
    """Statements on one SQLite file, from any thread."""

    def __init__(self, path: Path, name: str, telemetry: Telemetry, leases: Leases) -> None:
        self._path = path
        self._name = name
        self._telemetry = telemetry
        self._leases = leases
        self._threads = threading.local()

    def create(self, schema: Schema) -> None:
        """Make the table and its first rows, unless they are there; safe while another process does the same."""
        try:
            connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S)
            try:
                with connection:
                    # Readers do not wait for a writer.
                    connection.execute("PRAGMA journal_mode=WAL")
                    connection.execute(schema.create)
                    connection.executemany(schema.insert, schema.rows)
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise DatabaseError(f"cannot use {self._path}: {error}") from error

    def query(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        """All rows that a statement gives."""
        cursor = self._connection().cursor()
        try:
            cursor.execute(statement, parameters)
            return [dict(row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def check(self) -> str | None:
        """Why the file cannot be used, None if it can; leaves no span, and no fault slows it down."""
        try:
            connection = sqlite3.connect(f"file:{self._path}?mode=rw", uri=True, timeout=BUSY_TIMEOUT_S)
            try:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            finally:
                connection.close()
        except sqlite3.Error as error:
            return f"database: {error}"
        return None

    def _connection(self) -> Any:
        if not hasattr(self._threads, "connection"):
            self._threads.connection = self._connect()
        return self._threads.connection

    def _connect(self) -> Any:
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, factory=_Connection)
        # A demo shop may lose its last orders with the machine's power.
        connection.execute("PRAGMA synchronous=OFF")
        connection.row_factory = sqlite3.Row
        connection.name = self._name
        connection.delay = self._delay
        return dbapi.instrument_connection(
            "opentelemetry.instrumentation.sqlite3",
            connection,
            "sqlite",
            connection_attributes={"database": "name"},
            tracer_provider=self._telemetry.traces,
            meter_provider=self._telemetry.metrics,
        )

    def _delay(self) -> None:
        for slow in self._leases.strikes(SlowDatabase):
            time.sleep(slow.fault.delay(slow.nth))


class _Connection(sqlite3.Connection):
    """A connection whose statements can be slowed down, and which knows its name for the spans."""

    name = ""
    delay: Callable[[], None] = staticmethod(lambda: None)

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _Cursor)


class _Cursor(sqlite3.Cursor):
    """A cursor that may dawdle: below the instrumentation, so that the span of the statement shows it."""

    def execute(self, statement: str, parameters: Any = (), /) -> "_Cursor":
        connection = self.connection
        assert isinstance(connection, _Connection)
        connection.delay()
        super().execute(statement, parameters)
        return self
