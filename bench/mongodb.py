"""The MongoDB source beside a client that only counts the same stream; run by run.py."""

import datetime
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

import pymongo

from workload import BUILD, LEAT, ROOT, Run, cpu_of, query, timed, wait_for_rows

sys.path.insert(0, str(ROOT / "tools"))
from mongo_server import MongoServer, Options  # noqa: E402

NAME = "measured"  # of pipeline and database


class Mongo:
    """A private server with post images on `events`, and a pipeline over it."""

    def __init__(self, oplog_mb=8192):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-bench-"))
        self.server = MongoServer(self.folder / "mongo", Options(oplog_mb=oplog_mb))

    def __enter__(self):
        self.server.start()
        self.client = pymongo.MongoClient(self.server.uri(NAME))
        self.database = self.client[NAME]
        self.database.create_collection("events", changeStreamPreAndPostImages={"enabled": True})
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.remove()
        subprocess.run(["rm", "-rf", str(self.folder)], check=False)

    def pipeline(self, extra=""):
        path = self.folder / f"{NAME}.yaml"
        self.warehouse = self.folder / f"{NAME}.duckdb"
        path.write_text(f"""pipeline: {NAME}
source:
  type: mongodb
  uri: {self.server.uri(NAME)}
  collections: [events]
queue: {{type: log, path: {self.folder}/data/{NAME}}}
sinks:
  - {{type: duckdb, path: {self.warehouse}}}
{extra}""")
        return path

    def fill(self, documents, size, first=0):
        """Order-like documents of about `size` bytes of BSON, `_id` counting up."""
        chance = random.Random(first)
        note = chance.randbytes(size).hex()  # cut below; hardly compresses
        shape = {"kind": 1, "name": "customer-1", "amount": 1.5, "good": True, "at": None,
                 "items": [{"sku": "KB-42", "n": 1, "price": 9.5}], "address": {"city": "Ghent"}}
        used = 220
        for start in range(first, first + documents, 1000):
            self.database.events.insert_many([
                shape | {"_id": i, "kind": i % 17, "amount": i / 100, "at": datetime_of(i),
                         "note": note[i % 64:i % 64 + max(1, size - used)]}
                for i in range(start, min(start + 1000, first + documents))], ordered=True)

    def now(self):
        return self.client.admin.command("ping")["operationTime"]

    def count_stream(self, since, events):
        """The reference: the same stream, received and counted."""
        return json.loads(timed([BUILD / "bin" / "mongodb_counting_client", "stream",
                                 self.server.uri(NAME), NAME, "events", since.time, since.inc,
                                 events])[2])

    def count_documents(self, cursors):
        return json.loads(timed([BUILD / "bin" / "mongodb_counting_client", "find",
                                 self.server.uri(NAME), NAME, "events", cursors])[2])


def datetime_of(number):
    return datetime.datetime(2026, 1, 1) + datetime.timedelta(milliseconds=number)


def mongodb_drain(results, rounds, scale):
    for size, documents in ((500, int(1_000_000 * scale)), (3600, int(400_000 * scale))):
        rates, references, cpu, counting, per_cpu = [], [], [], [], []
        for _ in range(rounds):
            with Mongo() as mongo:
                mongo.fill(1, size)
                pipeline = mongo.pipeline()
                Run(pipeline, "--until-caught-up").wait()
                since = mongo.now()
                mongo.fill(documents, size, first=1)
                reference = mongo.count_stream(since, documents)
                run = Run(pipeline, "--only", "capture", "--until-caught-up").wait()
                rates.append(documents / run.seconds)
                references.append(documents / reference["seconds"])
                cpu.append(run.cpu_seconds / documents * 1e6)
                counting.append(reference["cpu_seconds"] / documents * 1e6)
                per_cpu.append(reference["bytes"] / run.cpu_seconds / 1e6)
        results.add(f"change stream into the log, {size}-byte documents", rates, "events/s",
                    "counting client", references, documents=documents)
        results.add("  CPU, start-up included", cpu, "CPU-s/M", "counting client", counting)
        results.add("  event bytes a CPU-second", per_cpu, "MB")


def mongodb_snapshot(results, rounds, scale):
    documents = int(2_000_000 * scale)
    into_log, finds, into_duckdb, cpu = [], [], [], []
    with Mongo() as mongo:
        mongo.fill(documents, 500)
        for _ in range(rounds):
            reference = mongo.count_documents(2)
            pipeline = mongo.pipeline()
            captured = Run(pipeline, "--only", "capture", "--until-caught-up").wait()
            timed([LEAT, "drop", pipeline, "--yes"])
            mongo.warehouse.unlink(missing_ok=True)
            run = Run(mongo.pipeline())
            seconds = wait_for_rows(mongo, NAME, "events", documents, run, every=0.1)
            run.stop()
            timed([LEAT, "drop", pipeline, "--yes"])
            mongo.warehouse.unlink()
            into_log.append(documents / captured.seconds)
            finds.append(documents / reference["seconds"])
            into_duckdb.append(documents / seconds)
            cpu.append(run.cpu_seconds / documents * 1e6)
    results.add("snapshot into the log", into_log, "docs/s", "raw find, 2 cursors", finds,
                documents=documents)
    results.add("snapshot into DuckDB", into_duckdb, "docs/s", documents=documents)
    results.add("  CPU of the snapshot", cpu, "CPU-s/M")


class Writer(threading.Thread):
    """Half inserts, half updates of a random document, at `rate` a second in bulks of 20 ms."""

    def __init__(self, mongo, keys, rate, seconds):
        super().__init__(daemon=True)
        self.collection = mongo.database.events.with_options(
            write_concern=pymongo.WriteConcern(w=1))
        self.keys, self.rate, self.seconds = keys, rate, seconds
        self.written = 0
        self.inserted = 0

    def run(self):
        chance = random.Random(5)
        started = time.monotonic()
        step = 0.02
        while (now := time.monotonic()) - started < self.seconds:
            wanted = int((now - started) * self.rate)
            bulk = []
            while self.written < wanted:
                if self.written % 2:
                    bulk.append(pymongo.UpdateOne({"_id": chance.randrange(self.keys)},
                                                  {"$set": {"amount": self.written / 100}}))
                else:
                    bulk.append(pymongo.InsertOne(
                        {"_id": self.keys + self.inserted, "kind": 1, "name": "customer-1",
                         "amount": 1.5, "good": True, "note": "n" * 200}))
                    self.inserted += 1
                self.written += 1
            if bulk:
                self.collection.bulk_write(bulk, ordered=False)
            time.sleep(max(0, step - (time.monotonic() - now)))


def mongodb_held(results, rounds, scale):
    """End to end: half of the events updates of a collection of 1 M documents."""
    keys, seconds, rate = int(1_000_000 * scale), max(30, int(600 * scale)), 10_000
    with Mongo() as mongo:
        mongo.fill(keys, 500)
        run = Run(mongo.pipeline())
        wait_for_rows(mongo, NAME, "events", keys, run, every=0.2)
        time.sleep(2)
        writer = Writer(mongo, keys, rate, seconds)
        cpu_before, started = cpu_of(run.process.pid), time.monotonic()
        lags = []
        writer.start()
        while writer.is_alive():
            seen = query(mongo, NAME, "SELECT max(_id) FROM events")
            if seen is not None:
                lags.append((keys + writer.inserted - 1 - int(seen)) * 2 / rate)
            time.sleep(1)
        elapsed = time.monotonic() - started
        used = cpu_of(run.process.pid) - cpu_before
        achieved = writer.written / elapsed
        caught_up = wait_for_rows(mongo, NAME, "events", keys + writer.inserted, run)
        run.stop()
    results.add("held, half updates of 1 M documents", [achieved], "events/s", seconds=seconds,
                worst_lag_s=round(max(lags), 2), last_lag_s=round(lags[-1], 2),
                caught_up_s=round(caught_up - (started - run.started) - elapsed, 2),
                peak_rss_mib=round(run.peak_rss / 2**20))
    results.add("  CPU while held", [used / elapsed * 100], "% of a core")


def mongodb_mix(results, rounds, scale):
    """The same mix as a backlog: how fast it goes into the log and into DuckDB."""
    keys, events = int(1_000_000 * scale), int(500_000 * scale)
    rates, references, delivered = [], [], []
    for _ in range(rounds):
        with Mongo() as mongo:
            mongo.fill(keys, 500)
            pipeline = mongo.pipeline()
            Run(pipeline, "--until-caught-up").wait()
            since = mongo.now()
            chance = random.Random(5)
            for start in range(0, events, 2000):
                mongo.database.events.bulk_write(
                    [pymongo.UpdateOne({"_id": chance.randrange(keys)}, {"$set": {"amount": i / 7}})
                     if i % 2 else pymongo.InsertOne({"_id": keys + i, "kind": 1, "amount": 0.5,
                                                      "note": "n" * 200})
                     for i in range(start, start + 2000)], ordered=False)
            reference = mongo.count_stream(since, events)
            captured = Run(pipeline, "--only", "capture", "--until-caught-up").wait()
            run = Run(pipeline, "--only", "deliver", "--until-caught-up").wait()
            rates.append(events / max(captured.seconds, run.seconds))
            delivered.append(events / run.seconds)
            references.append(events / reference["seconds"])
    results.add("mixed changes, slower of capture and delivery", rates, "events/s",
                "counting client", references, keys=keys, events=events)
    results.add("  delivery from a filled log", delivered, "events/s")


def mongodb_latency(results, rounds, scale):
    """Write → visible to a query, at 1,000 changes a second; a counting client beside it."""
    keys, seconds = int(1_000_000 * scale), 20
    with Mongo() as mongo:
        mongo.fill(keys, 500)
        clock = mongo.database.create_collection(
            "clock", changeStreamPreAndPostImages={"enabled": True})
        clock.insert_one({"_id": 1, "written": 0.0})
        path = mongo.pipeline()
        path.write_text(path.read_text().replace("[events]", "[events, clock]"))
        run = Run(path)
        wait_for_rows(mongo, NAME, "events", keys, run, every=0.2)
        time.sleep(2)
        writer = Writer(mongo, keys, 1000, seconds)
        writer.start()
        stop = threading.Event()

        def tick():
            majority = clock.with_options(write_concern=pymongo.WriteConcern(w="majority"))
            while not stop.is_set():
                majority.update_one({"_id": 1}, {"$set": {"written": time.time()}})
                time.sleep(0.01)

        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
        delays, last = [], None
        while writer.is_alive():
            seen = query(mongo, NAME, "SELECT written FROM clock")
            now = time.time()
            time.sleep(0.002)
            if seen != last and seen is not None and float(seen) > 0:
                delays.append((now - float(seen)) * 1000)
                last = seen
        stop.set()
        run.stop()
        delays = sorted(delays[len(delays) // 10:])
    for percentile in (50, 99):
        results.add(f"write to visible, p{percentile}",
                    [delays[min(len(delays) - 1, len(delays) * percentile // 100)]], "ms",
                    samples=len(delays), keys=keys)


def mongodb_memory(results, rounds, scale):
    events = int(10_000_000 * scale)
    with Mongo(oplog_mb=20_000) as mongo:
        mongo.fill(1, 300)
        pipeline = mongo.pipeline()
        Run(pipeline, "--until-caught-up").wait()
        mongo.fill(events, 300, first=1)
        run = Run(pipeline, "--until-caught-up").wait()
    results.add("peak memory, backlog", [run.peak_rss / 2**20], "MiB", events=events,
                rate=round(events / run.seconds))


MEASUREMENTS = (mongodb_drain, mongodb_snapshot, mongodb_held, mongodb_mix, mongodb_latency,
                mongodb_memory)
