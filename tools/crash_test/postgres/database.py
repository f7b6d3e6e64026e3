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

SERVER = {
    "logical_decoding_work_mem": "64kB",  # so that nearly every large transaction is streamed
    "max_prepared_transactions": "30",
    "max_connections": "60",
    "deadlock_timeout": "100ms",
    "wal_sender_timeout": "20s",
}
SLOT_RELEASE_SECONDS_MAX = 30
# Of those that `leat simulate` makes; the customers of its shop are traffic to be stepped over.
BANK = ["public.nasty_accounts", "public.nasty_transfers"]
CHANGING = ["public.nasty_rows", "public.nasty_pairs", "public.nasty_readings",
            "public.nasty_changing", "public.nasty_people", "nasty.nasty_events"]
# Which keep their columns, and so may be rewritten by VACUUM FULL at any time.
REWRITTEN = [*BANK, "public.orders", "public.nasty_values", "public.nasty_emptied",
             "public.nasty_bulk", "public.nasty_parts", "public.nasty_days", "public.nasty_tasks"]
BALANCES = """
    SELECT count(*), sum(balance), count(*) FILTER (balance <> opening + coalesce(moved, 0))
    FROM nasty_accounts LEFT JOIN (
        SELECT account, sum(amount) AS moved FROM (
            SELECT source AS account, -amount AS amount FROM nasty_transfers
            UNION ALL SELECT target, amount FROM nasty_transfers)
        GROUP BY account) ON account = nasty_accounts.id"""


class PostgresDatabase(Database):
    title = "PostgreSQL"
    rate = 800
    tables = [*CHANGING, *REWRITTEN]
    bank = set(BANK)
    knobs = {"binary": [True, False], "frame_bytes": ["64KiB", "256KiB"]}
    features = ["rewrite", "transforms"]
    upheavals = {"gap", "empty", "tables", "rebuild", "sql"}
    foreign_failpoints = ("mongodb.",)

    def __init__(self, folder: pathlib.Path, options):
        self.server = PgServer(folder / "postgres", options.bindir, SERVER)

    def balances_of(self, source: dict) -> str:
        return BALANCES

    def running(self):
        return self.server

    def crash(self) -> None:
        self.server.restart("immediate")
        self._end_prepared()

    def simulated(self) -> dict[str, float]:
        return {self.server.uri(): 1}

    def settle(self) -> None:
        self._end_prepared()
        with self._connect() as connection:
            for name in self.tables:
                first = connection.execute(
                    "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass "
                    "AND attnum > 0 AND NOT attisdropped ORDER BY attnum LIMIT 1",
                    [name]).fetchone()[0]
                connection.execute(f"UPDATE {name} SET {first} = {first} "
                                   f"WHERE ctid = (SELECT ctid FROM {name} LIMIT 1)")
            self._copy_rows(connection)

    def write_large(self) -> None:
        with self._connect() as connection:
            connection.execute("INSERT INTO nasty_bulk SELECT i, repeat(md5(i::text), 30), 1 "
                               "FROM generate_series(1, 20000) i ON CONFLICT (id) "
                               "DO UPDATE SET payload = excluded.payload || 'v'")
            self._copy_rows(connection)

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

    def _copy_rows(self, connection: psycopg.Connection) -> None:
        """COPY writes many rows in one record of the log."""
        connection.execute("DELETE FROM nasty_bulk WHERE id BETWEEN 100 AND 300")
        with connection.cursor().copy("COPY nasty_bulk (id, payload, x) FROM STDIN") as copy:
            for key in range(100, 301):
                copy.write_row([key, f"copied {key}", key / 7])

    def _connect(self, autocommit: bool = False) -> psycopg.Connection:
        return psycopg.connect(self.server.uri(), autocommit=autocommit)
