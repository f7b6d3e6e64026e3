"""The MongoDB source beside a client that only counts the same stream; run by run.py."""

import json
import pathlib
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
    """A private server, `leat simulate` that writes a video site's log to it, and a pipeline over
    that log, `views`, which has post images."""

    def __init__(self, oplog_mb=8192):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-bench-"))
        self.server = MongoServer(self.folder / "mongo", Options(oplog_mb=oplog_mb))

    def __enter__(self):
        self.server.start()
        self.client = pymongo.MongoClient(self.server.uri(NAME))
        self.database = self.client[NAME]
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.remove()
        subprocess.run(["rm", "-rf", str(self.folder)], check=False)

    def pipeline(self, collections="views", extra=""):
        path = self.folder / f"{NAME}.yaml"
        self.warehouse = self.folder / f"{NAME}.duckdb"
        path.write_text(f"""pipeline: {NAME}
source:
  type: mongodb
  uri: {self.server.uri(NAME)}
  collections: [{collections}]
queue: {{type: log, path: {self.folder}/data/{NAME}}}
sinks:
  - {{type: duckdb, path: {self.warehouse}}}
{extra}""")
        return path

    def simulation(self, *arguments, size=500):
        """The command that writes documents of about `size` bytes."""
        return [str(part) for part in (
            LEAT, "simulate", self.server.uri(NAME), "--data", "video", "--document-bytes", size,
            "--transaction", 100, "--json", *arguments)]

    def fill(self, documents, size=500):
        timed(self.simulation("--rows", documents, "--events", 0, size=size))
        self.database.command("collMod", "views", changeStreamPreAndPostImages={"enabled": True})

    def change(self, changes, mix, size=500):
        """As fast as they can be written; how many of them `views` got."""
        report = json.loads(timed(self.simulation("--mix", mix, "--events", changes, "--rate", 0,
                                                  size=size))[2])
        return sum(count for kind, count in report["tables"]["views"].items()
                   if kind != "first_rows")

    def now(self):
        return self.client.admin.command("ping")["operationTime"]

    def count_stream(self, since, events):
        """The reference: the same stream, received and counted."""
        return json.loads(timed([BUILD / "bin" / "mongodb_counting_client", "stream",
                                 self.server.uri(NAME), NAME, "views", since.time, since.inc,
                                 events])[2])

    def count_documents(self, cursors):
        return json.loads(timed([BUILD / "bin" / "mongodb_counting_client", "find",
                                 self.server.uri(NAME), NAME, "views", cursors])[2])


def mongodb_drain(results, rounds, scale):
    for size, changes in ((500, int(1_000_000 * scale)), (3600, int(400_000 * scale))):
        rates, references, cpu, counting, per_cpu = [], [], [], [], []
        for _ in range(rounds):
            with Mongo() as mongo:
                mongo.fill(1, size)
                pipeline = mongo.pipeline()
                Run(pipeline, "--until-caught-up").wait()
                since = mongo.now()
                documents = mongo.change(changes, "inserts", size)
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
        mongo.fill(documents)
        for _ in range(rounds):
            reference = mongo.count_documents(2)
            pipeline = mongo.pipeline()
            captured = Run(pipeline, "--only", "capture", "--until-caught-up").wait()
            timed([LEAT, "drop", pipeline, "--yes"])
            mongo.warehouse.unlink(missing_ok=True)
            run = Run(mongo.pipeline())
            seconds = wait_for_rows(mongo, NAME, "views", documents, run, every=0.1)
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


def lag_of(mongo):
    """Seconds between now and the newest time in the warehouse; None while it cannot answer."""
    seen = query(mongo, NAME, "SELECT epoch(max(seen)) FROM views")
    return None if seen is None else time.time() - float(seen)


def mongodb_held(results, rounds, scale):
    """End to end: half of the events updates of a collection of 1 M documents."""
    keys, seconds, rate = int(1_000_000 * scale), max(30, int(600 * scale)), 10_000
    with Mongo() as mongo:
        mongo.fill(keys)
        run = Run(mongo.pipeline("videos, views"))
        wait_for_rows(mongo, NAME, "views", keys, run, every=0.2)
        time.sleep(2)
        cpu_before, started = cpu_of(run.process.pid), time.monotonic()
        writer = subprocess.Popen(
            mongo.simulation("--rate", rate, "--writers", 2, "--duration", f"{seconds}s",
                             "--wall-clock"),
            stdout=subprocess.PIPE, text=True)
        lags = []
        while writer.poll() is None:
            time.sleep(1)
            lags.append(lag_of(mongo))
        used, elapsed = cpu_of(run.process.pid) - cpu_before, time.monotonic() - started
        report = json.loads(writer.stdout.read())
        ended = time.monotonic()
        wait_for_rows(mongo, NAME, "views", mongo.database.views.count_documents({}), run)
        caught_up = time.monotonic() - ended
        run.stop()
    lags = sorted(lag for lag in lags[1:] if lag is not None)
    results.add("held, half updates of 1 M documents", [report["changes_per_second"]], "events/s",
                seconds=seconds, median_lag_s=round(lags[len(lags) // 2], 2),
                worst_lag_s=round(lags[-1], 2), caught_up_s=round(caught_up, 2),
                peak_rss_mib=round(run.peak_rss / 2**20))
    results.add("  CPU while held", [used / elapsed * 100], "% of a core")


def mongodb_mix(results, rounds, scale):
    """The same mix as a backlog: how fast it goes into the log and into DuckDB."""
    keys, changes = int(1_000_000 * scale), int(500_000 * scale)
    rates, references, delivered = [], [], []
    for _ in range(rounds):
        with Mongo() as mongo:
            mongo.fill(keys)
            pipeline = mongo.pipeline()
            Run(pipeline, "--until-caught-up").wait()
            since = mongo.now()
            events = mongo.change(changes, "steady")
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
    """Write → visible to a query, at 1,000 changes a second."""
    keys, seconds = int(1_000_000 * scale), 20
    with Mongo() as mongo:
        mongo.fill(keys)
        clock = mongo.database.create_collection(
            "clock", changeStreamPreAndPostImages={"enabled": True})
        clock.insert_one({"_id": 1, "written": 0.0})
        run = Run(mongo.pipeline("videos, views, clock"))
        wait_for_rows(mongo, NAME, "views", keys, run, every=0.2)
        time.sleep(2)
        writer = subprocess.Popen(mongo.simulation("--rate", 1000, "--duration", f"{seconds}s"),
                                  stdout=subprocess.DEVNULL)
        stop = threading.Event()

        def tick():
            majority = clock.with_options(write_concern=pymongo.WriteConcern(w="majority"))
            while not stop.is_set():
                majority.update_one({"_id": 1}, {"$set": {"written": time.time()}})
                time.sleep(0.01)

        ticker = threading.Thread(target=tick, daemon=True)
        ticker.start()
        delays, last = [], None
        while writer.poll() is None:
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
        mongo.change(events, "inserts", 300)
        run = Run(pipeline, "--until-caught-up").wait()
    results.add("peak memory, backlog", [run.peak_rss / 2**20], "MiB", events=events,
                rate=round(events / run.seconds))


MEASUREMENTS = (mongodb_drain, mongodb_snapshot, mongodb_held, mongodb_mix, mongodb_latency,
                mongodb_memory)
