"""Writers: concurrent sessions that change the source at a given rate until paused or stopped.

Each has its own thread, connection and random numbers (seed and writer's number). A server that
crashes or is away is waited for; lock conflicts between writers undo one transaction and are
counted; any other error of the source is kept as a failure of the test.
"""

import collections
import queue
import random
import threading

import psycopg
from psycopg import errors

import tables
from operations import SMALL, SPECIAL, Operation, Session

# What concurrent transactions may do to each other, and a server that comes and goes.
EXPECTED = (errors.DeadlockDetected, errors.LockNotAvailable, errors.UniqueViolation,
            errors.UndefinedColumn, errors.UndefinedTable, errors.QueryCanceled, errors.TransactionRollback,
            errors.DuplicateColumn)
AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
ROLLED_BACK = 0.08
SAVEPOINT = 0.25
PREPARED = 0.01
LAZY = 0.1  # share of commits that do not wait for the disk


class Workload:
    """All writers; start() once, then pause() and resume() at will, stop() at the end."""

    def __init__(self, uri: str, seed: int, writers: int, rate: float, without: set[str]):
        self.uri = uri
        self.counts = collections.Counter()
        self.failure: str | None = None
        self.special = {name: both for name, both in SPECIAL.items() if name not in without}
        self.prepared = "prepared" not in without
        self._requests: queue.SimpleQueue[Operation] = queue.SimpleQueue()
        self._going = threading.Event()
        self._stopping = threading.Event()
        self._pause_seconds = writers / rate
        self._idle = [threading.Event() for _ in range(writers)]
        self._threads = [threading.Thread(target=self._write, args=(number, seed), daemon=True)
                         for number in range(1, writers + 1)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def resume(self) -> None:
        for idle in self._idle:
            idle.clear()
        self._going.set()

    def pause(self) -> None:
        """Returns when every open transaction has ended."""
        self._going.clear()
        for idle, thread in zip(self._idle, self._threads):
            while not idle.wait(0.1) and thread.is_alive():
                pass

    def request(self, operation: Operation) -> None:
        """Some writer executes it soon, alone in a transaction that is committed."""
        self._requests.put(operation)

    def stop(self) -> None:
        self._stopping.set()
        self._going.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _write(self, number: int, seed: int) -> None:
        rng = random.Random(f"{seed}/{number}")
        session = None
        while not self._stopping.is_set():
            if not self._going.is_set():
                self._idle[number - 1].set()
                self._going.wait()
                continue
            try:
                if session is None:
                    session = Session(self._connect(), rng, number)
                self._transact(session)
                self.counts["committed"] += 1
            except AWAY as error:
                if isinstance(error, EXPECTED):
                    self._undo(session, error)
                    continue
                self.counts["server away"] += 1
                session = None
                self._stopping.wait(0.05)
            except EXPECTED as error:
                self._undo(session, error)
            except Exception as error:  # kept for the main thread, which ends the test
                self.failure = self.failure or f"writer {number}: {type(error).__name__}: {error}"
                self._idle[number - 1].set()
                return
            self._stopping.wait(rng.expovariate(1 / self._pause_seconds))
        if session is not None:
            session.connection.close()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self.uri, prepare_threshold=None, connect_timeout=5)
        connection.execute("SET lock_timeout = '3s'")
        connection.commit()
        return connection

    def _undo(self, session: Session | None, error: Exception) -> None:
        self.counts[type(error).__name__] += 1
        if session is not None:
            try:
                session.connection.rollback()
            except AWAY:
                session.connection.close()

    def _transact(self, session: Session) -> None:
        """One transaction: rolled back, prepared or committed."""
        rng = session.rng
        if session.connection.closed:
            session.connection = self._connect()
        try:
            self._requests.get_nowait()(session)
            session.connection.commit()
            return
        except queue.Empty:
            self._fill(session)
        outcome = rng.random()
        if outcome < ROLLED_BACK:
            session.connection.rollback()
        elif outcome < ROLLED_BACK + PREPARED and self.prepared:
            self._commit_in_two_steps(session)
        else:
            if rng.random() < LAZY:
                session.run("SET LOCAL synchronous_commit = off")
            session.connection.commit()

    def _fill(self, session: Session) -> None:
        rng = session.rng
        draw = rng.random()
        for share, operation in self.special.values():
            if draw < share:
                self._around(session, operation)
                return
            draw -= share
        weights = [weight for weight, _ in SMALL]
        for _, operation in rng.choices(SMALL, weights, k=rng.choice([1, 1, 1, 2, 3, 6])):
            if rng.random() < SAVEPOINT:
                self._in_savepoint(session, operation)
            else:
                operation(session)

    def _around(self, session: Session, operation: Operation) -> None:
        """A special operation, often with others in the same transaction and savepoint."""
        rng = session.rng
        if rng.random() < 0.4:
            rng.choice(SMALL)[1](session)
        if rng.random() < 0.3:
            self._in_savepoint(session, operation)
        else:
            operation(session)
        if rng.random() < 0.4:
            rng.choice(SMALL)[1](session)

    def _in_savepoint(self, session: Session, operation: Operation) -> None:
        """Kept or rolled back; what is rolled back may be done again at once."""
        rng = session.rng
        session.run("SAVEPOINT s")
        operation(session)
        if rng.random() < 0.3:
            session.run("SAVEPOINT inner_s")
            rng.choice(SMALL)[1](session)
            session.run("ROLLBACK TO inner_s" if rng.random() < 0.5 else "RELEASE inner_s")
        if rng.random() < 0.5:
            session.run("ROLLBACK TO s")
            if rng.random() < 0.5:
                operation(session)
        elif rng.random() < 0.5:
            session.run("RELEASE s")

    def _commit_in_two_steps(self, session: Session) -> None:
        name = f"writer_{session.number}"
        session.run(f"PREPARE TRANSACTION '{name}'")
        session.connection.commit()
        session.connection.autocommit = True
        session.run(f"{session.rng.choice(['COMMIT', 'ROLLBACK'])} PREPARED '{name}'")
        session.connection.autocommit = False


def make_source(uri: str) -> None:
    with psycopg.connect(uri) as connection:
        connection.execute(tables.SCHEMA)
        connection.execute("SET synchronous_commit = off")
        fill_source(connection)


def fill_source(connection: psycopg.Connection) -> None:
    """Brings every table back to some thousand rows."""
    for statement in tables.FILL.values():
        connection.execute(statement)


def end_prepared(uri: str) -> None:
    """Rolls back what a crash of the server left prepared, for it holds locks for ever."""
    with psycopg.connect(uri, autocommit=True) as connection:
        for name, in connection.execute("SELECT gid FROM pg_prepared_xacts").fetchall():
            connection.execute(f"ROLLBACK PREPARED '{name}'")


def touch_tables(uri: str) -> None:
    """One more change to every table, so that the end of the stream carries all of them."""
    with psycopg.connect(uri) as connection:
        session = Session(connection, random.Random(0), 0)
        session.insert("orders", {"id": 1}, "ON CONFLICT (id) DO UPDATE SET customer = 1")
        session.insert("people", {"name": "last"}, "ON CONFLICT (name) DO UPDATE SET email = 'x'")
        session.run("UPDATE parts SET quantity = 1 WHERE code = (SELECT min(code) FROM parts)")
        session.run("UPDATE pairs SET value = 'last' WHERE id = (SELECT min(id) FROM pairs)")
        session.run("INSERT INTO readings (sensor) VALUES (-1)")
        session.run("UPDATE audit.events SET count = 0 WHERE day = 1")
        session.insert("bulk", {"id": 0}, "ON CONFLICT (id) DO UPDATE SET number = '-0'")
        session.insert("shapes", {"id": 0}, "ON CONFLICT (id) DO UPDATE SET b = true")
        session.run("UPDATE accounts SET owner = 'last' WHERE id = 1")
        session.insert("transfers", {"source": 1, "target": 1, "amount": 0}, "")
