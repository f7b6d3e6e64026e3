#!/usr/bin/env python3
"""A primary and a standby that keeps the slot in step: after the promotion capture goes on where it
was; where the new primary lacks what leat has read, that is a gap.
"""

import os
import pathlib
import threading

import psycopg

import cli_fixture
from cli_fixture import ENVIRONMENT, FAILED, OK, CliTest, Pipeline, PgServer, eventually, main, run_sql

STANDBY_SLOT = "standby"
MAJORS = (17, 18)


def bindir(major: int) -> str:
    cache = os.environ.get("LEAT_CACHE", str(pathlib.Path.home() / ".cache/leat"))
    return os.environ.get(f"LEAT_POSTGRES_{major}", f"{cache}/postgres-{major}") + "/bin"


class Pair:
    """A primary and its standby, as PostgreSQL's documentation sets them up for failover slots."""

    def __init__(self, test: CliTest, major: int, settings: dict[str, str]):
        self.primary = PgServer(cli_fixture.tempfile.mkdtemp(prefix="leat-cli-"), bindir(major),
                                settings)
        test.addCleanup(self.primary.remove)
        self.primary.start()
        run_sql(self.primary.uri(), cli_fixture.ORDERS,
                f"SELECT pg_create_physical_replication_slot('{STANDBY_SLOT}')")
        self.standby = self.primary.make_standby({
            "primary_conninfo": f"host=127.0.0.1 port={self.primary.port} user=postgres "
                                "dbname=postgres",
            "primary_slot_name": STANDBY_SLOT, "hot_standby_feedback": "on",
            "sync_replication_slots": "on", "synchronized_standby_slots": "",
            "wal_receiver_status_interval": "1s"})
        self.standby.port = None
        test.addCleanup(self.standby.remove)
        self.standby.start()

    def uri(self) -> str:
        """The primary, whichever of the two that is."""
        return (f"postgresql://postgres@127.0.0.1:{self.primary.port},"
                f"127.0.0.1:{self.standby.port}/postgres")

    def wait_for_slot(self, slot: str) -> None:
        """A slot is kept for good only once it moves while the standby looks, which that does ever
        more seldom after its start; the slot moves from one running-transactions record to the next."""
        self.standby.restart()

        def is_kept() -> bool:
            run_sql(self.primary.uri(), "SELECT pg_log_standby_snapshot()")
            return run_sql(self.standby.uri(), "SELECT 1 FROM pg_replication_slots WHERE synced AND "
                           f"NOT temporary AND slot_name = '{slot}'") != []
        eventually(is_kept, f"slot {slot} at the standby")

    def promote(self) -> None:
        run_sql(self.standby.uri(), "SELECT pg_promote()")


class Writer:
    """Writes orders to whichever server takes them, until the block ends."""

    def __init__(self, uri: str):
        self.uri = uri
        self.written = 0
        self.number = 1000
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.write)

    def write(self) -> None:
        while not self.done.is_set():
            try:
                with psycopg.connect(self.uri + "?target_session_attrs=read-write", autocommit=True,
                                     connect_timeout=2) as connection:
                    while not self.done.is_set():
                        self.number += 1
                        connection.execute("INSERT INTO orders VALUES (%s, 1, 'x')", [self.number])
                        connection.execute("DELETE FROM orders WHERE id = %s", [self.number - 20])
                        self.written += 1
                        self.done.wait(0.002)
            except psycopg.Error:
                self.done.wait(0.05)

    def __enter__(self) -> "Writer":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.done.set()
        self.thread.join()

    def wait_for_more(self) -> None:
        before = self.written
        eventually(lambda: self.written > before + 100, "rows written")


class Failover(CliTest):
    def start_pair(self, major: int, settings: dict[str, str]) -> tuple[Pair, Pipeline]:
        pair = Pair(self, major, settings)
        self.uri = pair.uri()
        return pair, self.pipeline(source="failover: true", folder=self.folder / str(major))

    def test_capture_goes_on_at_the_promoted_standby(self):
        for major in MAJORS:
            with self.subTest(major=major):
                self.fail_over(*self.start_pair(
                    major, {"synchronized_standby_slots": STANDBY_SLOT}))

    def fail_over(self, pair: Pair, pipeline: Pipeline) -> None:
        with self.running(pipeline) as process, Writer(self.uri) as writer:
            self.wait_for_rows(pipeline, 1, "(SELECT 1 FROM orders WHERE id > 1000 LIMIT 1)")
            pair.wait_for_slot(self.slot)
            writer.wait_for_more()
            pair.primary.stop("immediate")
            self.wait_for_log(process, "next attempt in")
            pair.promote()
            writer.wait_for_more()
            writer.__exit__()
            run_sql(self.uri, "INSERT INTO orders VALUES (-1, 1, 'after it')")
            self.wait_for_rows(pipeline, 1, "(SELECT 1 FROM orders WHERE id = -1)")
        self.uri = pair.standby.uri()
        self.assert_equal(pipeline)
        # The log knows the new timeline: the server that was left behind is not taken for it.
        pair.primary.restart()
        pipeline.file.write_text(pipeline.text.replace(pipeline.uri, pair.primary.uri()))
        self.assert_refused(pipeline.run(), ENVIRONMENT, "timeline 1, which a failover has left behind",
                            "PG-TIMELINE", "Point source.uri")
        pipeline.file.write_text(pipeline.text.replace(pipeline.uri, self.uri))
        run_sql(self.uri, "INSERT INTO orders VALUES (-2, 1, 'and later')")
        self.assert_runs(pipeline)

    def test_changes_that_the_new_primary_lacks_are_a_gap(self):
        pair, pipeline = self.start_pair(MAJORS[-1], {})
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            pair.wait_for_slot(self.slot)
            pair.standby.stop()
            run_sql(pair.primary.uri(), "DELETE FROM orders WHERE id = 1")
            self.wait_for_rows(pipeline, 49)
        pair.primary.stop("immediate")
        pair.standby.restart()
        # Not yet promoted: worth waiting for.
        pipeline.file.write_text(pipeline.text.replace(pipeline.uri, pair.standby.uri()))
        with self.running(pipeline, "--until-caught-up") as process:
            self.wait_for_log(process, "server is a standby")
            self.wait_for_log(process, "next attempt in")
            pair.promote()
            self.assertEqual(process.wait(cli_fixture.WAIT_SECONDS_MAX), FAILED, process.tail())
            self.assert_told(process.tail(), "the failover lost changes that leat has read",
                             "PG-TIMELINE", "on_gap: resnapshot")
        pipeline.file.write_text(pipeline.file.read_text() + "run: {on_gap: resnapshot}\n")
        self.uri = pair.standby.uri()
        self.assert_runs(pipeline)

    def test_slot_that_is_there_becomes_one_for_failover(self):
        pair, pipeline = self.start_pair(MAJORS[0], {})
        plain = self.pipeline(folder=pipeline.folder)
        self.assert_runs(plain)
        is_failover = "SELECT failover FROM pg_replication_slots WHERE plugin = 'pgoutput'"
        self.assertEqual(run_sql(pair.primary.uri(), is_failover), [(False,)])
        told = [found["what"] for found in plain.check()[1]]
        self.assertTrue(any("a failover will be a gap" in what for what in told), told)
        pipeline.file.write_text(pipeline.text)
        found = {found["what"]: found["remedy"] for found in pipeline.check()[1]}
        remedy = [found[what] for what in found if "synchronized_standby_slots is empty" in what]
        self.assertIn(f"synchronized_standby_slots = '{STANDBY_SLOT}'", remedy[0])
        self.assert_runs(pipeline)
        self.assertEqual(run_sql(pair.primary.uri(), is_failover), [(True,)])

    def test_refused_before_17(self):
        with PgServer.temporary(bindir=bindir(15)) as server:
            self.uri = server.uri()
            self.sql(cli_fixture.ORDERS)
            pipeline = self.pipeline(source="failover: true")
            self.assert_refused(pipeline.run(), ENVIRONMENT, "source.failover takes PostgreSQL 17",
                                "PG-VERSION")
            self.assert_problem(pipeline, "source.failover takes PostgreSQL 17")
            self.assertEqual(self.pipeline().check()[0], OK)


if __name__ == "__main__":
    main()
