"""A writer on PostgreSQL: operations put together to transactions that are committed, rolled back,
prepared, or cut by savepoints."""

import random

import psycopg
from psycopg import errors

from database import Away, Conflict, Writer
from postgres.operations import SMALL, SPECIAL, Operation, Session

# What concurrent transactions may do to each other.
EXPECTED = (errors.DeadlockDetected, errors.LockNotAvailable, errors.UniqueViolation,
            errors.UndefinedColumn, errors.UndefinedTable, errors.QueryCanceled,
            errors.TransactionRollback, errors.DuplicateColumn)
AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
ROLLED_BACK = 0.08
SAVEPOINT = 0.25
PREPARED = 0.01
LAZY = 0.1  # share of commits that do not wait for the disk


class PostgresWriter(Writer):
    def __init__(self, uri: str, number: int, rng: random.Random, without: set[str]):
        self.uri = uri
        self.special = {name: both for name, both in SPECIAL.items() if name not in without}
        self.prepared = "prepared" not in without
        try:
            self.session = Session(self._connect(), rng, number)
        except AWAY as error:
            raise Away from error

    def transact(self, wanted: str | None) -> None:
        session = self.session
        try:
            if session.connection.closed:
                session.connection = self._connect()
            self._transact(session, wanted)
        except EXPECTED as error:  # before AWAY, which some of them are as well
            self._undo()
            raise Conflict(type(error).__name__) from error
        except AWAY as error:
            raise Away from error

    def close(self) -> None:
        self.session.connection.close()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self.uri, prepare_threshold=None, connect_timeout=5)
        connection.execute("SET lock_timeout = '3s'")
        connection.commit()
        return connection

    def _undo(self) -> None:
        try:
            self.session.connection.rollback()
        except AWAY:
            self.session.connection.close()

    def _transact(self, session: Session, wanted: str | None) -> None:
        rng = session.rng
        if wanted is not None:
            SPECIAL[wanted][1](session)
            session.connection.commit()
            return
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
