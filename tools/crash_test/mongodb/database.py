"""MongoDB as a Database of the crash test."""

import contextlib
import pathlib
import random
import time

import pymongo
from pymongo import DeleteOne, InsertOne, UpdateOne, errors

import mongo_compare
from database import CannotCompare, Compared, Database
from mongo_server import MongoServer, Options

DATABASE = "crash"
ELSEWHERE = "audit"  # a second database, whose collections have it in their table's name
# Of those that `leat simulate` makes; the customers of its shop are traffic to be stepped over.
BANK = ["nasty_accounts", "nasty_transfers"]
REMADE = ["nasty_dropped", "nasty_renamed"]
NAMES = [*BANK, *REMADE, "orders", "nasty_ids", "nasty_drifting", "nasty_nested", "nasty_large",
         "nasty_bulk", "audit.orders", "audit.nasty_ids", "audit.nasty_nested"]
# Which are emptied for every new life, so that columns widen in it.
BEGUN_ANEW = ["nasty_ids", "nasty_drifting"]
GONE_SHARE = 0.3  # of the times that the second database may be dropped
OPLOG_MB = 48
GAP_DOCUMENTS = 5  # of 15 MB: more than the oplog holds
GAP_SECONDS_MAX = 60
BALANCES = """
    WITH moves AS (SELECT {source} AS account, -{amount} AS amount FROM nasty_transfers
                   UNION ALL SELECT {target}, {amount} FROM nasty_transfers),
        moved AS (SELECT account, sum(amount) AS moved FROM moves GROUP BY account)
    SELECT count(*), sum({balance}), count(*) FILTER ({balance} <> {opening} + coalesce(moved, 0))
    FROM nasty_accounts LEFT JOIN moved ON account = {id}"""
BANK_FIELDS = ["id", "opening", "balance", "source", "target", "amount"]


class MongoDatabase(Database):
    title = "MongoDB"
    rate = 3_000  # a bulk has many
    tables = NAMES
    bank = set(BANK)
    knobs = {"frame_bytes": ["16KiB", "64KiB"], "mode": ["document"], "nulls": [True],
             "on_conflict": ["variant"], "columns_max": [12], "update_mode": ["delta"]}
    features = []
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
                yield
            finally:
                self.client.close()

    def crash(self) -> None:
        """A collection that was just being made again may have stayed unfinished."""
        self.server.kill()
        self.server.start()
        for database in (DATABASE, ELSEWHERE):
            for name in REMADE:
                collection = self.client[database][name]
                if "validator" not in collection.options():
                    collection.drop()

    def simulated(self) -> dict[str, float]:
        return {self.server.uri(DATABASE): 0.9, self.server.uri(ELSEWHERE, w="majority"): 0.1}

    def begin_anew(self) -> None:
        for name in BEGUN_ANEW:
            self.client[DATABASE][name].delete_many({})

    def take_away(self, rng: random.Random) -> bool:
        if rng.random() >= GONE_SHARE:
            return False
        self.client.drop_database(ELSEWHERE)
        return True

    def settle(self) -> None:
        for name in NAMES:
            waiting = self._collection(name).with_options(
                write_concern=pymongo.WriteConcern("majority"))
            if name == "nasty_transfers":
                waiting.insert_one({"source": 1, "target": 1, "amount": 0})
            elif name == "nasty_accounts":
                waiting.update_one({"_id": 1}, {"$inc": {"touched": 1}})
            else:
                waiting.update_one({}, {"$inc": {"touched": 1}})
        self._write_unordered()

    def write_large(self) -> None:
        with self.client.start_session() as session, session.start_transaction():
            self._collection("nasty_bulk").bulk_write(
                [UpdateOne({"_id": key}, {"$set": {"payload": f"{key}" * 40, "n": 1},
                                          "$inc": {"large": 1}}, upsert=True)
                 for key in range(5_000)], session=session)
        self._write_unordered()

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
        return {"type": "mongodb", "uri": self.server.uri(DATABASE),
                "collections": tables} | options

    def balances_of(self, source: dict) -> str:
        whole = source.get("mode") == "document"
        return BALANCES.format(**{
            name: f"(document->>'$.{name}')::BIGINT" if whole else name for name in BANK_FIELDS})

    def compare(self, warehouse: pathlib.Path, source: dict, shaped: list) -> Compared:
        try:
            results = mongo_compare.compare(self.server.uri(DATABASE), warehouse, self.tables,
                                            mongo_compare.Rules.of(source))
        except mongo_compare.CannotCompare as error:
            raise CannotCompare(str(error)) from error
        return Compared(sum(result.source_rows for result in results),
                        mongo_compare.differing(results))

    def excuse(self, output: str, may_lack_tables: bool) -> str | None:
        """A writer may just have dropped what it will make again."""
        if may_lack_tables and "no such collection" in output:
            return "a collection was missing at its start"
        return None

    def _write_unordered(self) -> None:
        """One statement for many documents, and a bulk in no order of which parts fail."""
        bulk = self._collection("nasty_bulk")
        bulk.update_many({"_id": {"$gte": 100, "$lt": 300}}, {"$inc": {"n": 1}})
        bulk.delete_many({"_id": {"$gte": 300, "$lt": 350}})
        with contextlib.suppress(errors.BulkWriteError):
            bulk.bulk_write([one for key in range(340, 400) for one in (
                InsertOne({"_id": key, "payload": "unordered"}), DeleteOne({"_id": key - 300}))],
                ordered=False)

    def _collection(self, name: str):
        database, _, collection = name.rpartition(".")
        return self.client[database or DATABASE][collection]
