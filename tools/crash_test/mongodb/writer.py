"""A writer on MongoDB: operations one by one, or put together to transactions that are committed
or aborted."""

import random

import pymongo
from pymongo import errors
from pymongo.write_concern import WriteConcern

from database import Away, Conflict, Writer
from mongodb.operations import ALONE, SMALL, SPECIAL, TOGETHER, Operation, Session

# What concurrent writers may do to each other, by the server's codes.
EXPECTED = {
    26: "NamespaceNotFound", 48: "NamespaceExists", 112: "WriteConflict", 117: "ConflictingOperation",
    251: "NoSuchTransaction", 246: "SnapshotUnavailable", 24: "LockTimeout", 11000: "DuplicateKey",
    28: "PathNotViable", 2: "BadValue", 14: "TypeMismatch", 263: "OperationNotSupportedInTransaction",
    175: "QueryPlanKilled", 215: "DatabaseDropPending", 225: "TransactionTooOld", 50: "MaxTimeMSExpired",
}
AWAY_CODES = {11600, 11602, 10107, 13435, 13436, 189, 91, 7, 6, 89, 9001, 262}
SHARED = 0.45  # operations of one step that are one transaction
ABORTED = 0.15
WAITING = 0.2  # share of writers' steps that wait for a majority


class MongoWriter(Writer):
    def __init__(self, uri: str, number: int, rng: random.Random, without: set[str]):
        self.special = {name: both for name, both in SPECIAL.items() if name not in without}
        self.client = pymongo.MongoClient(uri, serverSelectionTimeoutMS=2000, retryWrites=False,
                                          socketTimeoutMS=60_000)
        self.session = Session(self.client, rng, number)

    def transact(self, wanted: str | None) -> None:
        try:
            self._transact(wanted)
        except errors.BulkWriteError as error:
            found = {one["code"] for one in error.details["writeErrors"]}
            raise self._judged(error, found) from error
        except errors.OperationFailure as error:
            raise self._judged(error, {error.code}) from error
        except (errors.ConnectionFailure, errors.InvalidOperation) as error:
            raise Away from error
        finally:
            self.session.open = None

    def close(self) -> None:
        self.client.close()

    def _judged(self, error: errors.OperationFailure, codes: set[int]) -> Exception:
        if codes <= EXPECTED.keys():
            return Conflict(EXPECTED[min(codes)])
        return Away() if codes <= AWAY_CODES else error

    def _transact(self, wanted: str | None) -> None:
        rng = self.session.rng
        operations = [SPECIAL[wanted][1]] if wanted else self._drawn()
        shared = rng.random() < SHARED or bool(TOGETHER.intersection(operations))
        if not shared or ALONE.intersection(operations):
            for operation in operations:
                operation(self.session)
            return
        concern = WriteConcern("majority") if rng.random() < WAITING else WriteConcern(1)
        with self.client.start_session() as session:
            with session.start_transaction(write_concern=concern):
                self.session.open = session
                for operation in operations:
                    operation(self.session)
                if wanted is None and rng.random() < ABORTED:
                    session.abort_transaction()

    def _drawn(self) -> list[Operation]:
        rng = self.session.rng
        draw = rng.random()
        for share, operation in self.special.values():
            if draw < share:
                return [operation]
            draw -= share
        weights = [weight for weight, _ in SMALL]
        return [one for _, one in rng.choices(SMALL, weights, k=rng.choice([1, 1, 1, 2, 3, 6]))]
