#!/usr/bin/env python3
"""Metrics, health and `leat status` of live pipelines: what they say is true, also of a source, a
slot and a sink that break while the pipeline runs, within 10 s and without a healthy moment after.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import duckdb
import pyarrow.ipc

from cli_fixture import (CONFIGURATION, ENVIRONMENT, FAILED, OK, CliTest, Pipeline, eventually, main)
from leat_process import Running
from pg_server import PgServer, free_port

NOTICED_SECONDS_MAX = 10
LISTENING = "0A"  # of a state in /proc/net/tcp


class Monitored:
    """The port of one pipeline."""

    def __init__(self, pipeline: Pipeline):
        self.port = free_port()
        pipeline.file.write_text(f"{pipeline.text}http: {{listen: 127.0.0.1:{self.port}}}\n")

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Status and body; (0, reason) when nobody answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def health(self, component: str = "") -> dict:
        status, body = self.get(f"/health{component}")
        return json.loads(body) if status else {"health": "", "conditions": [], "tables": []}

    def is_healthy(self) -> bool:
        status, body = self.get("/health")
        return status == 200 and json.loads(body)["health"] == "healthy"

    def condition(self, kind: str) -> dict:
        found = (one for one in self.health()["conditions"] if one["type"] == kind)
        return next(found, {"status": ""})

    def metrics(self) -> dict[str, float]:
        """Series → value, as they are written."""
        lines = self.get("/metrics")[1].splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {series: float(value) for series, value in pairs}

    def series(self, name: str, **labels: str) -> float | None:
        """The one series with these labels among others."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        found = [value for series, value in self.metrics().items()
                 if series.split("{")[0] == name and all(one in series for one in wanted)]
        assert len(found) <= 1, (name, labels, found)
        return found[0] if found else None


class Witness:
    """Asks for the health all the time, and remembers what it was told, with the time."""

    def __init__(self, monitored: Monitored):
        self.monitored = monitored
        self.told = []
        self.thread = threading.Thread(target=self.ask)
        self.done = threading.Event()

    def __enter__(self) -> "Witness":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.done.set()
        self.thread.join()

    def ask(self) -> None:
        while not self.done.wait(0.05):
            status, body = self.monitored.get("/health")
            if status:
                self.told.append((time.monotonic(), json.loads(body)["health"]))

    def wait_for_more(self, answers: int) -> None:
        wanted = len(self.told) + answers
        eventually(lambda: len(self.told) >= wanted, "the witness asks")

    def since(self, begin: float) -> list[tuple[float, str]]:
        return [(at - begin, health) for at, health in self.told if at >= begin]


class MonitoringTest(CliTest):
    def monitored(self, **options) -> tuple[Pipeline, Monitored]:
        pipeline = self.pipeline(**options)
        return pipeline, Monitored(pipeline)

    def wait_until_healthy(self, monitored: Monitored, process: Running) -> None:
        try:
            eventually(monitored.is_healthy, "healthy")
        except AssertionError as error:
            raise AssertionError(f"{error}: {monitored.get('/health')}\n{process.tail()}") from None

    def assert_noticed(self, witness: Witness, broken_at: float) -> None:
        """Not healthy soon after, and not once healthy from then on."""
        told = witness.since(broken_at)
        first = next((i for i, (_, health) in enumerate(told) if health != "healthy"), None)
        self.assertIsNotNone(first, "never noticed")
        self.assertLess(told[first][0], NOTICED_SECONDS_MAX)
        again = [at for at, health in told[first:] if health == "healthy"]
        self.assertEqual(again, [], "healthy again while broken")


class Monitoring(MonitoringTest):
    def test_what_a_healthy_pipeline_says(self):
        pipeline, port = self.monitored()
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 50)
            self.wait_until_healthy(port, process)
            self.assertEqual(port.get("/livez"), (200, '{"alive":true}'))
            self.assertEqual(port.get("/readyz"), (200, '{"ready":true}'))
            self.assertEqual(port.get("/health", "HEAD"), (200, ""))
            health = port.health()
            self.assertEqual({one["status"] for one in health["conditions"]}, {"true"}, health)
            self.assertLessEqual({"SourceReachable", "HistoryKept", "SchemaInSync", "LogHasRoom",
                                  "SinkReachable", "KeepingUp", "DeadLettersEmpty"},
                                 {one["type"] for one in health["conditions"]})
            self.assertIn({"table": "orders", "sink": "duckdb", "phase": "streaming",
                           "health": "healthy"}, health["tables"])
            for component in ("source", "log", "duckdb"):
                one = port.health(f"/{component}")
                self.assertEqual((one["component"], one["health"]), (component, "healthy"), one)
                self.assertTrue(one["conditions"])
            status, body = port.get("/health/nothing")
            self.assertEqual((status, json.loads(body)["components"]),
                             (404, ["source", "log", "duckdb"]))
            # Rows are for the socket only, which the system guards.
            for path in ("/query", "/status", "/", "/metricsx"):
                self.assertEqual(port.get(path)[0], 404, path)
            self.assertEqual(port.get("/query", "POST")[0], 404)

    def test_metrics(self):
        pipeline, port = self.monitored()
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 50)
            self.sql("INSERT INTO orders SELECT g, 1, 'x' FROM generate_series(51, 60) g",
                     "UPDATE orders SET note = 'y' WHERE id <= 3", "DELETE FROM orders WHERE id = 1")
            self.wait_for_rows(pipeline, 59)
            self.wait_until_healthy(port, process)
            checked = subprocess.run(["promtool", "check", "metrics"],
                                     input=port.get("/metrics")[1], capture_output=True, text=True)
            self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))
            for op, count in (("snapshot", 50), ("insert", 10), ("update", 3), ("delete", 1)):
                self.assertEqual(
                    port.series("leat_events_total", op=op, table="public.orders"), count, op)
                self.assertEqual(port.series("leat_sink_events_total", op=op, table="orders",
                                             sink="duckdb"), count, op)
            self.assertGreater(port.series("leat_event_bytes_total"), 0)
            commits = port.series("leat_sink_commits_total", sink="duckdb")
            self.assertGreaterEqual(commits, 2)
            self.assertEqual(port.series("leat_sink_commit_seconds_count"), commits)
            self.assertEqual(port.series("leat_sink_commit_seconds_bucket", le="+Inf"), commits)
            latency = port.series("leat_end_to_end_latency_seconds_sum")
            self.assertTrue(0 < latency < 30, latency)
            fresh = port.series("leat_freshness_timestamp_seconds", table="orders")
            self.assertLess(abs(time.time() - fresh), 60)
            self.assertEqual(port.series("leat_snapshot_rows", state="done"), 50)
            self.assertEqual(port.series("leat_pg_slot_wal_status", status="reserved"), 1)
            self.assertGreaterEqual(port.series("leat_pg_slot_retained_bytes"), 0)
            self.assertEqual(port.series("leat_condition", type="HistoryKept", status="true"), 1)
            self.assertEqual(port.series("leat_healthy"), 1)
            self.assertEqual(port.series("leat_sink_failures_total", fault="retry"), 0)
            eventually(lambda: port.series("leat_source_lag_bytes") == 0, "nothing left to read")
            for name in ("leat_source_lag_seconds", "leat_sink_lag_seconds"):
                eventually(lambda: port.series(name) < 2, name)
            text = port.get("/metrics")[1]
            self.assertNotIn("postgresql://", text)
            self.assertNotIn("note", text)

    def test_no_port_without_the_section(self):
        pipeline = self.pipeline()
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 50)
            own = {os.readlink(one) for one in
                   pathlib.Path(f"/proc/{process.process.pid}/fd").iterdir() if one.is_symlink()}
            rows = [line.split() for table in ("tcp", "tcp6") for line in
                    pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
            listening = {f"socket:[{row[9]}]" for row in rows if row[3] == LISTENING}
            self.assertEqual(own & listening, set())

    def test_port_taken(self):
        first, port = self.monitored()
        second = self.pipeline(name=f"{self.name}b", queue="data/b", warehouse="b.duckdb")
        second.file.write_text(second.text + f"http: {{listen: 127.0.0.1:{port.port}}}\n")
        with self.running(first):
            self.wait_for_rows(first, 50)
            self.assert_refused(second.run(), ENVIRONMENT, "port is taken", str(port.port))
        self.assert_runs(second)

    def test_section_is_read_strictly(self):
        pipeline = self.pipeline()
        line = pipeline.text.count("\n") + 1
        for section, at, phrase in (("{lisen: 127.0.0.1:9}", 8, "did you mean 'listen'"),
                                    ("{listen: 9187}", 16, "must be text"),
                                    ("{listen: localhost:9187}", 16, "not an address"),
                                    ("{listen: 127.0.0.1:0}", 16, "not an address"),
                                    ("{}", 7, "'listen'"), ("[]", 7, "must be a map")):
            pipeline.file.write_text(f"{pipeline.text}http: {section}\n")
            done = pipeline.run()
            self.assert_refused(done, CONFIGURATION, f"{pipeline.file.name}:{line}:{at}", phrase)


class Status(MonitoringTest):
    def status(self, pipeline: Pipeline) -> tuple[int, dict]:
        done = pipeline.command("status", pipeline.file.name, "--json")
        return done.returncode, json.loads(done.stdout)

    def test_running_and_stopped(self):
        pipeline = self.pipeline()
        done = pipeline.command("status", pipeline.file.name)
        self.assertEqual(done.returncode, ENVIRONMENT)
        self.assert_told(done.stdout, "no process runs this pipeline", "log will be made")
        self.assertFalse(pipeline.log.exists())
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            eventually(lambda: self.status(pipeline)[1]["health"] == "healthy", "healthy")
            code, status = self.status(pipeline)
            self.assertEqual((code, status["running"], status["phase"]), (OK, True, "streaming"))
            done = pipeline.command("status", pipeline.file.name)
            self.assertEqual(done.returncode, OK)
            self.assert_told(done.stdout, f"{self.name}: healthy, streaming", "SourceReachable",
                             "SlotReserved", "sink duckdb: streaming", "orders")
        code, status = self.status(pipeline)
        self.assertEqual((code, status["running"]), (ENVIRONMENT, False))
        self.assertGreaterEqual(status["log"]["rows"], 50)
        done = pipeline.command("status", pipeline.file.name)
        self.assert_told(done.stdout, "no process runs this pipeline", "is this pipeline's",
                         "rows", "MB")

    def test_how_far_an_image_is(self):
        """It stands still half-way, for want of room in the log."""
        rows = 60_000
        self.sql("CREATE TABLE wide (id int PRIMARY KEY, body text)",
                 "INSERT INTO wide SELECT g, (SELECT string_agg(md5((g * 40 + i)::text), '') "
                 f"FROM generate_series(1, 40) i) FROM generate_series(1, {rows}) g",
                 "ANALYZE wide")
        pipeline = self.pipeline(tables="orders, wide")
        pipeline.text = pipeline.text.replace("type: log,", "type: log, max_bytes: 64MiB, "
                                                            "segment_bytes: 4MiB,")
        port = Monitored(pipeline)
        with self.running(pipeline, "--only", "capture"):
            image = eventually(
                lambda: (status := self.status(pipeline)[1]).get("running") and
                (one := status["capture"]["image"]) and one["eta_seconds"] and one, "a forecast")
            self.assertEqual(image["tables"]["public.orders"], {"rows": 50, "rows_estimate": 50})
            self.assertTrue(50 < image["rows"] < rows, image)
            self.assertTrue(0.9 * rows < image["rows_estimate"] < 1.1 * rows, image)
            self.assertGreater(port.series("leat_snapshot_eta_seconds"), 0)
            done = port.series("leat_snapshot_rows", table="public.wide", state="done")
            self.assertTrue(0 < done < rows, done)
            told = pipeline.command("status", pipeline.file.name).stdout
            self.assertRegex(told, r"image of 2 tables, \d+ of about \d+ rows, about \d+ \w+ left")

    def test_capture_alone(self):
        """What this process does not do is no reason to call it ill."""
        pipeline, port = self.monitored()
        with self.running(pipeline, "--only", "capture") as process:
            self.wait_until_healthy(port, process)
            kinds = {one["type"] for one in port.health()["conditions"]}
            self.assertIn("SourceReachable", kinds)
            self.assertNotIn("SinkReachable", kinds)


class Formats(CliTest):
    def test_query_formats(self):
        pipeline = self.pipeline()
        self.sql("ALTER TABLE orders ADD made_at timestamptz, ADD ok bool, ADD tags text[], ADD u uuid, "
                 "ADD big numeric(38, 10), ADD raw bytea, ADD f float8",
                 "UPDATE orders SET made_at = '2024-02-29 12:00:00.123456+00', ok = id = 1, "
                 "tags = ARRAY['a', NULL, ''], u = '00000000-0000-0000-0000-000000000001', "
                 "big = 1234567890123456789012345678.0123456789, raw = '\\x00ff', f = 'NaN' "
                 "WHERE id < 3", "UPDATE orders SET note = '' WHERE id = 2")
        query = ["query", pipeline.file.name]
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            eventually(lambda: pipeline.leat.query("SELECT count(made_at) FROM orders") == [["2"]], "rows")
            ask = "SELECT id, note, amount, ok, made_at FROM orders WHERE id <= 3 ORDER BY id"
            csv = pipeline.command(*query, ask, "--format", "csv").stdout
            self.assertEqual(csv.splitlines(), [
                "id,note,amount,ok,made_at", "1,note 1,1.50,true,2024-02-29 12:00:00.123456+00",
                '2,"",3.00,false,2024-02-29 12:00:00.123456+00', "3,note 3,4.50,,"])
            rows = json.loads(pipeline.command(*query, ask, "--format", "json").stdout)
            self.assertEqual([(row["id"], row["note"], row["amount"], row["ok"]) for row in rows],
                             [(1, "note 1", 1.5, True), (2, "", 3.0, False), (3, "note 3", 4.5, None)])
            done = subprocess.run([str(pipeline.leat.binary), *query,
                                   "SELECT * FROM orders WHERE id = 1", "--format", "arrow"],
                                  cwd=pipeline.folder, capture_output=True, timeout=30)
            table = pyarrow.ipc.open_stream(done.stdout).read_all()
            self.assertEqual(str(table.schema.field("id").type), "int32")
            self.assertEqual(str(table.schema.field("big").type), "decimal128(38, 10)")
            row = table.to_pylist()[0]
            self.assertEqual((row["id"], row["note"], row["tags"], row["raw"], str(row["big"])),
                             (1, "note 1", ["a", None, ""], b"\x00\xff",
                              "1234567890123456789012345678.0123456789"))
            self.assertEqual(row["made_at"].isoformat(), "2024-02-29T12:00:00.123456+00:00")
            empty = subprocess.run([str(pipeline.leat.binary), *query, "SELECT id FROM orders WHERE "
                                    "id < 0", "--format", "arrow"], cwd=pipeline.folder,
                                   capture_output=True, timeout=30)
            self.assertEqual(pyarrow.ipc.open_stream(empty.stdout).read_all().num_rows, 0)
            self.assert_refused(pipeline.command(*query, "SELECT * FROM range(100001)", "--format",
                                                 "arrow"), FAILED, "more than 100000 rows", "LIMIT")
            self.assert_refused(pipeline.command(*query, "DROP TABLE orders", "--format", "arrow"),
                                FAILED, "not a SELECT")


class SetAside(MonitoringTest):
    def test_letters_of_an_earlier_run(self):
        pipeline = self.pipeline()
        expectation = ("transforms:\n  - name: orders\n    sql: SELECT * FROM orders\n    expect:\n"
                       "      - {name: small, that: amount < 75, otherwise: dead_letter}\n")
        pipeline.text = pipeline.text.replace("sinks:", expectation + "sinks:")
        port = Monitored(pipeline)
        self.assertEqual(pipeline.run().returncode, OK)
        with self.running(pipeline) as process:
            letters = eventually(lambda: (one := port.condition("DeadLettersEmpty"))["status"] ==
                                 "false" and one, "letters are counted")
            self.assert_told(letters["message"] + letters["next_step"], ": 1", "dead-letters list")
            self.assertEqual(port.health("/duckdb")["health"], "degraded")
            self.assertEqual(port.series("leat_dead_letters", reason="expectation_broken"), 1)
            self.assertEqual(port.series("leat_dead_letters", reason="incomplete_row"), 0)
            self.assertTrue(0 < port.series("leat_dead_letters_oldest_age_seconds") < 600)
            self.sql("UPDATE orders SET amount = 1 WHERE id = 50")
            self.wait_for_rows(pipeline, 50)
            self.wait_until_healthy(port, process)


class Pause(MonitoringTest):
    def test_a_sink_rests_across_a_restart(self):
        pipeline, port = self.monitored()
        file = pipeline.file.name
        with self.running(pipeline) as process:
            self.wait_until_healthy(port, process)
            done = pipeline.command("pause", file, "duckdb")
            self.assertEqual((done.returncode, done.stdout), (OK, "duckdb paused\n"))
            eventually(lambda: port.health().get("phase") == "paused", "paused")
            self.sql("INSERT INTO orders VALUES (51, 1, 'x')")
            eventually(lambda: port.series("leat_events_total", op="insert") == 1, "captured")
            self.assertEqual(port.condition("SinkReachable")["reason"], "Paused")
            self.assertEqual(port.get("/readyz")[0], 200)
            # The file is closed: anybody may look into it.
            with duckdb.connect(str(pipeline.warehouse), read_only=True) as warehouse:
                self.assertEqual(warehouse.execute("SELECT count(*) FROM orders").fetchall(), [(50,)])
            self.assert_refused(pipeline.command("pause", file, "duckdb.orders"), FAILED,
                                "a table cannot be paused alone", "one place in the log",
                                "leat pause FILE duckdb")
            self.assert_refused(pipeline.command("pause", file, "lake"), FAILED, "no such sink")
        with self.running(pipeline):
            eventually(lambda: port.health().get("phase") == "paused", "paused after the restart")
            status = pipeline.command("status", file)
            self.assertEqual(status.returncode, OK)
            self.assert_told(status.stdout, "degraded, paused", "a person has paused it",
                             "leat resume FILE duckdb")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "paused", "leat resume")
        done = pipeline.command("resume", file)
        self.assertEqual(done.returncode, OK)
        self.assert_told(done.stdout, "all sinks resumed", "no process runs now")
        self.assert_runs(pipeline)


class Truth(MonitoringTest):
    def setUp(self):
        super().setUp()
        # A server of this test alone, for it is broken.
        self.own = PgServer(tempfile.mkdtemp(prefix="leat-cli-"))
        self.addCleanup(self.own.remove)
        self.own.start()
        self.uri = self.own.uri()
        self.sql("CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 50) g",
                 "ALTER TABLE orders ADD PRIMARY KEY (id)")

    def test_source_killed(self):
        pipeline, port = self.monitored()
        with self.running(pipeline) as process:
            self.wait_until_healthy(port, process)
            with Witness(port) as witness:
                broken_at = time.monotonic()
                self.own.stop("immediate")
                reachable = eventually(
                    lambda: (one := port.condition("SourceReachable"))["status"] == "false" and one,
                    "the condition turns")
                self.assertTrue(reachable["message"] and reachable["next_step"], reachable)
                # Long enough for several attempts of capture, none of which may look like success.
                eventually(lambda: port.series("leat_source_failures_total", fault="retry") >= 5,
                           "several attempts")
                self.assertEqual(port.get("/health")[0], 503)
                self.assertEqual(port.health("/source")["health"], "unhealthy")
                self.assertEqual(port.get("/livez")[0], 200)
                done = pipeline.command("status", pipeline.file.name)
                self.assertEqual(done.returncode, FAILED)
                self.assert_told(done.stdout, "unhealthy", "false    SourceReachable", "next step:")
            self.assert_noticed(witness, broken_at)
            self.own.restart()
            self.wait_until_healthy(port, process)
            self.assertIsNone(port.series("leat_condition", type="SourceReachable", status="true",
                                          component="x"))

    def test_source_does_not_answer(self):
        pipeline, port = self.monitored()
        with self.running(pipeline) as process, contextlib.ExitStack() as thaw:
            self.wait_until_healthy(port, process)
            listed = subprocess.run(["pgrep", "-P", str(self.own.pid)], capture_output=True,
                                    text=True, check=True).stdout.split()
            frozen = [self.own.pid, *map(int, listed)]
            with Witness(port) as witness:
                broken_at = time.monotonic()
                for pid in frozen:
                    os.kill(pid, signal.SIGSTOP)
                    thaw.callback(os.kill, pid, signal.SIGCONT)
                eventually(lambda: port.condition("SourceReachable")["status"] == "false",
                           "the condition turns")
                # Frozen for longer than a look and an attempt take.
                witness.wait_for_more(100)
            self.assert_noticed(witness, broken_at)
            thaw.close()
            self.wait_until_healthy(port, process)

    def test_slot_dropped(self):
        pipeline, port = self.monitored()
        report = self.folder / "report.json"
        with self.running(pipeline, "--report", str(report)) as process:
            self.wait_until_healthy(port, process)
            with Witness(port) as witness:
                broken_at = time.monotonic()
                self.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots",
                         "DO $$ BEGIN LOOP BEGIN PERFORM pg_drop_replication_slot(slot_name) "
                         "FROM pg_replication_slots; EXIT WHEN NOT EXISTS (SELECT FROM "
                         "pg_replication_slots); EXCEPTION WHEN object_in_use THEN PERFORM "
                         "pg_terminate_backend(active_pid) FROM pg_replication_slots; END; "
                         "END LOOP; END $$")
                self.assertEqual(process.wait(NOTICED_SECONDS_MAX), FAILED, process.tail())
            told = witness.since(broken_at)
            ill = [at for at, health in told if health != "healthy"]
            self.assertEqual([at for at, health in told if health == "healthy" and ill
                              and at > ill[0]], [])
        figures = json.loads(report.read_text())
        self.assertEqual(figures["health"], "unhealthy")
        conditions = {one["type"]: one for one in figures["conditions"]}
        self.assertEqual((conditions["HistoryKept"]["status"], conditions["HistoryKept"]["reason"]),
                         ("false", "SlotMissing"))
        self.assertEqual(conditions["SourceReachable"]["status"], "false")
        self.assertTrue(conditions["HistoryKept"]["next_step"])
        self.assertEqual(conditions["HistoryKept"]["code"], "PG-SLOT-LOST")
        self.assertEqual(figures["code"], "PG-SLOT-LOST")

    def test_sink_fails(self):
        """Syncs of DuckDB's log fail as on a broken disk; everything else goes on."""
        pipeline, port = self.monitored()
        with self.running(pipeline) as process:
            self.wait_until_healthy(port, process)
            with Witness(port) as witness:
                breaking = subprocess.Popen(
                    ["strace", "-f", "-qq", "-o", os.devnull, "-p", str(process.process.pid),
                     "-P", f"{pipeline.warehouse}.wal",
                     "-e", "inject=fsync,fdatasync,write,pwrite64:error=EIO"],
                    stderr=subprocess.DEVNULL)
                self.addCleanup(breaking.kill)
                tracer = pathlib.Path(f"/proc/{process.process.pid}/status")
                eventually(lambda: f"TracerPid:\t{breaking.pid}\n" in tracer.read_text(),
                           "strace has attached")
                broken_at = time.monotonic()
                self.sql("INSERT INTO orders VALUES (51)")
                sink = eventually(
                    lambda: (one := port.condition("SinkReachable"))["status"] == "false" and one,
                    "the condition turns")
                self.assertTrue(sink["message"], sink)
                for name in ("leat_sink_failures_total", "leat_sink_errors_total"):
                    eventually(lambda: sum(value for series, value in port.metrics().items()
                                           if series.startswith(name)) >= 4, "several attempts")
                self.assertEqual(port.condition("SourceReachable")["status"], "true")
                # While an attempt is under way it is not known yet.
                eventually(lambda: ("duckdb", "unhealthy") in
                           {(one["sink"], one["health"]) for one in port.health()["tables"]},
                           "its tables are unhealthy")
                eventually(lambda: port.health("/duckdb")["health"] == "unhealthy",
                           "it is unhealthy")
                self.assertEqual(port.health("/log")["health"], "healthy")
            self.assert_noticed(witness, broken_at)
            breaking.terminate()
            breaking.wait()
            self.wait_until_healthy(port, process)
        self.assert_equal(pipeline)


if __name__ == "__main__":
    main()
