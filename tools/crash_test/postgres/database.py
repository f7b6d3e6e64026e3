"""PostgreSQL as a Database of the crash test."""

import contextlib
import pathlib
import random
import threading
import time

import psycopg
from psycopg import errors

import compare
from database import CannotCompare, Compared, Database
from pg_server import PgServer
from postgres import transforms
from postgres.operations import SPECIAL, Session
from postgres.tables import BALANCES, BANK, FILL, REWRITTEN, SCHEMA, TABLES
from postgres.writer import PostgresWriter

SERVER = {
    "logical_decoding_work_mem": "64kB",  # so that nearly every large transaction is streamed
    "max_prepared_transactions": "30",
    "max_connections": "60",
    "deadlock_timeout": "100ms",
    "wal_sender_timeout": "20s",
}
SLOT_RELEASE_SECONDS_MAX = 30


class PostgresDatabase(Database):
    title = "PostgreSQL"
    tables = TABLES
    bank = {f"public.{name}" for name in BANK}
    knobs = {"binary": [True, False], "frame_bytes": ["64KiB", "256KiB"]}
    features = [*SPECIAL, "prepared", "rewrite", "transforms"]
    upheavals = {"gap", "empty", "tables", "rebuild", "sql"}
    foreign_failpoints = ("mongodb.",)

    def __init__(self, folder: pathlib.Path, options):
        self.server = PgServer(folder / "postgres", options.bindir, SERVER)

    def balances_of(self, source: dict) -> str:
        return BALANCES

    @contextlib.contextmanager
    def running(self):
        with self.server:
            with self._connect() as connection:
                connection.execute(SCHEMA)
                connection.execute("SET synchronous_commit = off")
                for statement in FILL.values():
                    connection.execute(statement)
            yield

    def crash(self) -> None:
        self.server.restart("immediate")
        self._end_prepared()

    def writer(self, number: int, rng: random.Random, without: set[str]) -> PostgresWriter:
        return PostgresWriter(self.server.uri(), number, rng, without)

    def fill(self) -> None:
        with self._connect(autocommit=True) as connection:
            for statement in FILL.values():
                with contextlib.suppress(errors.DeadlockDetected, errors.UniqueViolation):
                    connection.execute(statement)

    def settle(self) -> None:
        self._end_prepared()
        with self._connect() as connection:
            session = Session(connection, random.Random(0), 0)
            session.insert("orders", {"id": 1}, "ON CONFLICT (id) DO UPDATE SET customer = 1")
            session.insert("people", {"name": "last"},
                           "ON CONFLICT (name) DO UPDATE SET email = 'x'")
            session.run("UPDATE parts SET quantity = 1 WHERE code = (SELECT min(code) FROM parts)")
            session.run("UPDATE pairs SET value = 'last' WHERE id = (SELECT min(id) FROM pairs)")
            session.run("INSERT INTO readings (sensor) VALUES (-1)")
            session.run("UPDATE audit.events SET count = 0 WHERE day = 1")
            session.insert("bulk", {"id": 0}, "ON CONFLICT (id) DO UPDATE SET number = '-0'")
            session.insert("shapes", {"id": 0}, "ON CONFLICT (id) DO UPDATE SET b = true")
            session.run("UPDATE accounts SET owner = 'last' WHERE id = 1")
            session.insert("transfers", {"source": 1, "target": 1, "amount": 0}, "")

    def write_large(self) -> None:
        with self._connect() as connection:
            connection.execute("INSERT INTO bulk SELECT i, repeat(md5(i::text), 30), 1 "
                               "FROM generate_series(1, 20000) i ON CONFLICT (id) "
                               "DO UPDATE SET payload = excluded.payload || 'v'")

    def open_gap(self) -> None:
        self.wait_until_released()
        with self._connect(autocommit=True) as connection:
            connection.execute("SELECT pg_drop_replication_slot(slot_name) "
                               "FROM pg_replication_slots WHERE NOT temporary")

    def source(self, tables: list[str], options: dict) -> dict:
        return {"type": "postgres", "uri": self.server.uri(), "tables": tables} | options

    def compare(self, warehouse: pathlib.Path, source: dict, shaped: list) -> Compared:
        try:
            results = compare.compare(self.server.uri(), warehouse, self.tables)
        except compare.CannotCompare as error:
            raise CannotCompare(str(error)) from error
        compared = Compared(sum(result.source_rows for result in results),
                            compare.differing(results))
        for one in shaped if not compared.difference else ():
            rows, compared.difference = transforms.compare(self.server.uri(), warehouse, one)
            compared.rows += rows
            compared.shaped.append(one.name)
            if compared.difference:
                break
        return compared

    def transforms(self, rng: random.Random) -> list[transforms.Shaped]:
        return transforms.draw(rng)

    def wait_until_released(self) -> None:
        """A walsender may notice only after a while that its client was killed; until then it may
        even make the slot that the dead client asked for."""
        deadline = time.monotonic() + SLOT_RELEASE_SECONDS_MAX
        with self._connect(autocommit=True) as connection:
            while connection.execute(
                    "SELECT FROM pg_stat_activity WHERE backend_type = 'walsender'").fetchone():
                if time.monotonic() > deadline:
                    raise TimeoutError("the slot of a killed leat stays in use")
                time.sleep(0.05)

    @contextlib.contextmanager
    def rewriting(self, rng: random.Random, count):
        """VACUUM FULL of one table after another meanwhile, as far as locks allow."""
        stop = threading.Event()
        thread = threading.Thread(target=self._rewrite, args=(stop, rng, count))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def needs_gap(self, output: str) -> str | None:
        """As `leat explain PG-DECODING` says."""
        return "the server failed at decoding" if "PG-DECODING" in output else None

    def _rewrite(self, stop: threading.Event, rng: random.Random, count) -> None:
        with contextlib.suppress(psycopg.OperationalError):
            with self._connect(autocommit=True) as connection:
                connection.execute("SET lock_timeout = '150ms'")
                while not stop.wait(rng.uniform(0, 0.1)):
                    with contextlib.suppress(errors.LockNotAvailable, errors.DeadlockDetected):
                        connection.execute(f"VACUUM FULL {rng.choice(REWRITTEN)}")
                        count("table rewritten during a first snapshot")

    def _end_prepared(self) -> None:
        """Rolls back what a crash of the server left prepared, for it holds locks for ever."""
        with self._connect(autocommit=True) as connection:
            for name, in connection.execute("SELECT gid FROM pg_prepared_xacts").fetchall():
                connection.execute(f"ROLLBACK PREPARED '{name}'")

    def _connect(self, autocommit: bool = False) -> psycopg.Connection:
        return psycopg.connect(self.server.uri(), autocommit=autocommit)
