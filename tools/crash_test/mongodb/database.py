"""MongoDB as a Database of the crash test."""

import contextlib
import pathlib
import random
import time

import pymongo
from pymongo import UpdateOne, errors

import mongo_compare
from database import CannotCompare, Compared, Database
from mongo_server import MongoServer, Options
from mongodb import documents
from mongodb.operations import SPECIAL
from mongodb.writer import MongoWriter

OPLOG_MB = 48
GAP_DOCUMENTS = 5  # of 15 MB: more than the oplog holds
GAP_SECONDS_MAX = 60
BALANCES = """
    WITH moves AS (SELECT {source} AS account, -{amount} AS amount FROM transfers
                   UNION ALL SELECT {target}, {amount} FROM transfers),
        moved AS (SELECT account, sum(amount) AS moved FROM moves GROUP BY account)
    SELECT count(*), sum({balance}), count(*) FILTER ({balance} <> {opening} + coalesce(moved, 0))
    FROM accounts LEFT JOIN moved ON account = {id}"""
BANK_FIELDS = ["id", "opening", "balance", "source", "target", "amount"]


class MongoDatabase(Database):
    title = "MongoDB"
    tables = documents.NAMES
    bank = {"accounts", "transfers"}
    knobs = {"frame_bytes": ["16KiB", "64KiB"], "mode": ["document"], "nulls": [True],
             "on_conflict": ["variant"], "columns_max": [12], "update_mode": ["delta"]}
    features = [*SPECIAL]
    upheavals = {"gap", "empty", "tables", "rebuild"}
    # What is streamed before it is committed, needs transforms, or lacks columns.
    foreign_failpoints = ("spill.", "lane.set_aside", "capture.completed")

    def __init__(self, folder: pathlib.Path, options):
        # The oplog is cut at checkpoints; one every second makes open_gap() quick.
        self.server = MongoServer(folder / "mongodb", Options(
            oplog_mb=OPLOG_MB, arguments=["--syncdelay", "1"]))

    @contextlib.contextmanager
    def running(self):
        with self.server:
            try:
                self.client = self.server.client(serverSelectionTimeoutMS=20_000)
                self.fill()
                yield
            finally:
                self.client.close()

    def crash(self) -> None:
        self.server.kill()
        self.server.start()

    def writer(self, number: int, rng: random.Random, without: set[str]) -> MongoWriter:
        return MongoWriter(self.server.uri(), number, rng, without)

    def fill(self) -> None:
        """Also makes what is missing. Keys and fields that drift begin anew, of narrow kinds."""
        for name in documents.NAMES:
            if name in documents.BEGUN_ANEW:
                self._collection(name).delete_many({})
            self._make(name)
            with contextlib.suppress(errors.BulkWriteError):
                filling = [UpdateOne({"_id": one.pop("_id")}, {"$setOnInsert": one}, upsert=True)
                           for one in documents.filling(name)]
                if filling:
                    self._collection(name).bulk_write(filling, ordered=False)

    def settle(self) -> None:
        for name in documents.NAMES:
            self._make(name)
            database, collection = documents.split(name)
            waiting = self.client[database].get_collection(
                collection, write_concern=pymongo.WriteConcern("majority"))
            if name == "transfers":
                waiting.insert_one({"source": 1, "target": 1, "amount": 0})
            elif name == "accounts":
                waiting.update_one({"_id": 1}, {"$inc": {"touched": 1}})
            else:
                key = "last" if name == "people" else documents.Int64(0)
                waiting.update_one({"_id": key}, {"$inc": {"touched": 1}}, upsert=True)

    def write_large(self) -> None:
        with self.client.start_session() as session, session.start_transaction():
            self._collection("bulk").bulk_write(
                [UpdateOne({"_id": key}, {"$set": {"payload": f"{key}" * 40, "n": 1},
                                          "$inc": {"large": 1}}, upsert=True)
                 for key in range(5_000)], session=session)

    def open_gap(self) -> None:
        """Writes until the oplog has lost what was there before."""
        oplog = self.client.local["oplog.rs"]
        newest = oplog.find_one({}, {"ts": 1}, sort=[("$natural", -1)])["ts"]
        filler = self.client.not_captured.filler
        deadline = time.monotonic() + GAP_SECONDS_MAX
        while oplog.find_one({}, {"ts": 1}, sort=[("$natural", 1)])["ts"] <= newest:
            if time.monotonic() > deadline:
                raise TimeoutError("the oplog keeps what it should lose")
            filler.insert_many([{"x": b"x" * 15_000_000} for _ in range(GAP_DOCUMENTS)])
            filler.drop()
            time.sleep(1)

    def source(self, tables: list[str], options: dict) -> dict:
        return {"type": "mongodb", "uri": self.server.uri(documents.DATABASE),
                "collections": tables} | options

    def balances_of(self, source: dict) -> str:
        whole = source.get("mode") == "document"
        return BALANCES.format(**{
            name: f"(document->>'$.{name}')::BIGINT" if whole else name for name in BANK_FIELDS})

    def compare(self, warehouse: pathlib.Path, source: dict, shaped: list) -> Compared:
        try:
            results = mongo_compare.compare(self.server.uri(documents.DATABASE), warehouse,
                                            self.tables, mongo_compare.Rules.of(source))
        except mongo_compare.CannotCompare as error:
            raise CannotCompare(str(error)) from error
        return Compared(sum(result.source_rows for result in results),
                        mongo_compare.differing(results))

    def excuse(self, output: str, may_lack_tables: bool) -> str | None:
        """A writer may just have dropped what it will make again."""
        if may_lack_tables and "no such collection" in output:
            return "a collection was missing at its start"
        return None

    def _collection(self, name: str):
        database, collection = documents.split(name)
        return self.client[database][collection]

    def _make(self, name: str) -> None:
        database, collection = documents.split(name)
        with contextlib.suppress(errors.CollectionInvalid, errors.OperationFailure):
            self.client[database].create_collection(
                collection,
                changeStreamPreAndPostImages={"enabled": name in documents.WITH_IMAGES})
