#!/usr/bin/env python3
"""Images beside the stream, on a real server: tables and sinks that come later, what is wanted
anew, and gaps. After each the warehouse equals the source, and what need not be read is not.
"""

import os
import shutil
import signal
import subprocess

import duckdb

import cli_fixture
from cli_fixture import (FAILED, OK, WAIT_SECONDS_MAX, CliTest, PgServer, Pipeline, eventually,
                         main)
from leat_process import Running

MORE = """
CREATE TABLE customers (id int PRIMARY KEY, name text);
INSERT INTO customers SELECT g, 'customer ' || g FROM generate_series(1, 30) g
"""
BOTH = "public.orders, public.customers"


class Generations(CliTest):
    def change_all(self) -> None:
        self.sql("UPDATE orders SET note = note || '!' WHERE id % 3 = 0",
                 "DELETE FROM orders WHERE id % 7 = 0",
                 "INSERT INTO orders SELECT max(id) + 1, 1, 'new' FROM orders")

    def own_tables(self, pipeline: Pipeline) -> list[str]:
        """Tables of leat's own that hold rows on their way; none when all is in its place."""
        with duckdb.connect(str(pipeline.warehouse), read_only=True) as warehouse:
            rows = warehouse.execute("SELECT table_name FROM duckdb_tables() "
                                     "WHERE table_name LIKE '_leat_new_%'").fetchall()
        return [name for name, in rows]

    def mark(self, pipeline: Pipeline, table: str, row: str) -> None:
        """A row that only a table filled anew does not have."""
        with duckdb.connect(str(pipeline.warehouse)) as warehouse:
            warehouse.execute(f"INSERT INTO {table} VALUES ({row})")

    def is_marked(self, pipeline: Pipeline, table: str, key: int) -> bool:
        with duckdb.connect(str(pipeline.warehouse), read_only=True) as warehouse:
            return warehouse.execute(f"SELECT count(*) FROM {table} WHERE id = {key}"
                                     ).fetchone() == (1,)


class Tables(Generations):
    def test_added_while_the_others_stream(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        self.mark(pipeline, "orders", "-1, 0, 'old'")
        self.sql(MORE)
        self.change_all()
        pipeline.edit("public.orders", BOTH)
        self.assertEqual(pipeline.run().returncode, OK)
        self.assertTrue(self.is_marked(pipeline, "orders", -1), "orders was read anew")
        self.assert_equal(pipeline, "public.customers")
        self.assertEqual(self.own_tables(pipeline), [])
        self.sql("UPDATE customers SET name = upper(name)", "INSERT INTO customers VALUES (31, 'x')")
        self.assertEqual(pipeline.run().returncode, OK)
        self.assert_equal(pipeline, "public.customers")

    def test_removed_and_added_again(self):
        self.sql(MORE)
        pipeline = self.pipeline(tables=BOTH)
        self.assert_runs(pipeline, "public.orders", "public.customers")
        pipeline.edit(BOTH, "public.orders")
        self.sql("DELETE FROM customers WHERE id = 1", "INSERT INTO customers VALUES (31, 'later')")
        self.assert_runs(pipeline)
        self.assertTrue(self.is_marked(pipeline, "customers", 1), "it was not left as it was")
        pipeline.edit("public.orders", BOTH)
        self.assert_runs(pipeline, "public.orders", "public.customers")

    def test_added_to_a_publication_of_the_users_own(self):
        self.sql(MORE, f"CREATE PUBLICATION {self.slot}_own FOR TABLE orders")
        pipeline = self.pipeline(source=f"publication: {self.slot}_own")
        self.assert_runs(pipeline)
        pipeline.edit("public.orders", BOTH)
        cure = f'ALTER PUBLICATION "{self.slot}_own" ADD TABLE "public"."customers"'
        self.assert_refused(pipeline.run(), cli_fixture.ENVIRONMENT, "lacks", cure)
        self.sql(cure)
        self.assert_runs(pipeline, "public.orders", "public.customers")

    def test_added_under_load_and_killed(self):
        self.sql(MORE.replace("30", "60000"))
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        pipeline.edit("public.orders", BOTH)
        for point in ("capture.after_begin", "snapshot.begin", "snapshot.chunk_appended",
                      "snapshot.end", "lane.rebuild_fed", "lane.before_swap", "duckdb.before_commit",
                      "duckdb.after_commit"):
            self.change_all()
            self.sql("UPDATE customers SET name = name || '+' WHERE id % 1000 = 0")
            self.assert_killed_at(pipeline, point)
        self.assert_runs(pipeline, "public.orders", "public.customers")
        self.assertEqual(self.own_tables(pipeline), [])


class Sinks(Generations):
    def test_second_sink_on_a_running_pipeline(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        pipeline.edit("sinks:\n", "sinks:\n  - {type: duckdb, name: second, path: b.duckdb}\n")
        self.change_all()
        self.assert_runs(pipeline)
        pipeline.warehouse = self.folder / "b.duckdb"
        self.assert_equal(pipeline)

    def test_removed_file_is_filled_anew(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        pipeline.warehouse.unlink()
        self.change_all()
        self.assert_runs(pipeline)

    def test_rebuild_of_a_table(self):
        self.sql(MORE)
        pipeline = self.pipeline(tables=BOTH)
        self.assert_runs(pipeline, "public.orders", "public.customers")
        self.mark(pipeline, "orders", "-1, 0, 'wrong'")
        self.mark(pipeline, "customers", "-1, 'wrong'")
        self.change_all()
        done = pipeline.run("--rebuild", "duckdb.orders")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_equal(pipeline)
        self.assertTrue(self.is_marked(pipeline, "customers", -1), "customers was read anew")
        done = pipeline.run("--rebuild", "duckdb")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_equal(pipeline, "public.orders", "public.customers")
        self.assertEqual(self.own_tables(pipeline), [])

    def test_rebuild_of_what_is_not_there(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        self.assert_refused(pipeline.run("--rebuild", "nowhere"), cli_fixture.CONFIGURATION,
                            "no such sink", "nowhere")
        self.assert_refused(pipeline.run("--rebuild", "duckdb.nothing"), cli_fixture.ENVIRONMENT,
                            "no such table", "nothing")

    def test_queries_see_the_old_table_until_the_new_one_is_whole(self):
        self.sql("INSERT INTO orders SELECT g, 1, 'x' FROM generate_series(51, 50000) g")
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        with self.running(pipeline, "--rebuild", "duckdb.orders") as process:
            seen = set()

            def is_done() -> bool:
                rows = pipeline.leat.query("SELECT count(*) FROM orders")
                seen.update(count for row in rows or [] for count in row)
                return "is in its place" in process.log.read_text(errors="replace")

            eventually(is_done, "the image in its place")
        self.assertEqual(seen, {"50000"})


class Gaps(Generations):
    def gap(self, pipeline: Pipeline, server_uri: str | None = None) -> None:
        """Stops with the reason; with on_gap: resnapshot all is there again, and what went is gone."""
        pipeline.edit("sinks:", "run: {on_gap: resnapshot}\nsinks:")
        self.assert_runs(pipeline)
        self.change_all()
        self.assert_runs(pipeline)

    def test_slot_dropped(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        self.sql(f"SELECT pg_drop_replication_slot('{self.slot}')", "DELETE FROM orders WHERE id < 9")
        self.assert_refused(pipeline.run(), FAILED, "slot is gone", self.slot, "on_gap: resnapshot")
        self.gap(pipeline)

    def test_publication_dropped(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        self.sql(f"DROP PUBLICATION {self.slot}", "DELETE FROM orders WHERE id < 9")
        self.assert_refused(pipeline.run(), FAILED, "publication is gone", "on_gap: resnapshot")
        self.gap(pipeline)

    def test_slot_made_again_further_on(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        self.sql(f"SELECT pg_drop_replication_slot('{self.slot}')", "DELETE FROM orders WHERE id < 9",
                 f"SELECT pg_create_logical_replication_slot('{self.slot}', 'pgoutput')")
        self.assert_refused(pipeline.run(), FAILED, "ahead of what leat holds", "on_gap: resnapshot")
        self.gap(pipeline)

    def test_slot_dropped_in_flight(self):
        pipeline = self.pipeline()
        pipeline.edit("sinks:", "run: {on_gap: resnapshot}\nsinks:")
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 50)
            self.sql(f"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                     f"WHERE slot_name = '{self.slot}'")
            eventually(lambda: self.try_drop(), "the slot dropped before leat is back")
            self.sql("DELETE FROM orders WHERE id <= 10")
            self.wait_for_log(process, "all tables are read anew")
            self.wait_for_rows(pipeline, 40)
        self.assert_equal(pipeline)

    def try_drop(self) -> bool:
        try:
            self.sql(f"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                     f"WHERE slot_name = '{self.slot}' AND active",
                     f"SELECT pg_drop_replication_slot('{self.slot}')")
        except cli_fixture.psycopg.Error:
            return False
        return True

    def test_another_cluster(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        with PgServer.temporary() as server:
            here, self.uri = self.uri, server.uri()
            self.sql(cli_fixture.ORDERS, "DELETE FROM orders WHERE id > 20")
            pipeline.edit(here, self.uri)
            self.assert_refused(pipeline.run(), FAILED, "another database cluster",
                                "on_gap: resnapshot")
            self.gap(pipeline)

    def test_server_put_back_and_past_our_position_again(self):
        with PgServer.temporary() as server:
            self.uri = server.uri()
            self.sql(cli_fixture.ORDERS)
            pipeline = self.pipeline()
            self.assert_runs(pipeline)
            server.stop()
            self.copy(server.data, server.folder / "backup")
            server.restart()
            for _ in range(3):
                self.change_all()
                self.assert_runs(pipeline)
                self.sql("CHECKPOINT")
            reached = self.sql("SELECT pg_current_wal_insert_lsn()")[0][0]
            server.stop()
            self.copy(server.folder / "backup", server.data)
            server.restart()
            self.sql("DELETE FROM orders WHERE id < 9", "SELECT pg_switch_wal()",
                     "INSERT INTO orders VALUES (99, 1, 'another history')")
            self.assertEqual(self.sql(f"SELECT pg_current_wal_insert_lsn() > '{reached}'"), [(True,)])
            self.assert_refused(pipeline.run(), FAILED, "went back in time", "on_gap: resnapshot")
            self.gap(pipeline)

    def test_server_that_cannot_decode_its_log(self):
        with PgServer.temporary() as server:
            self.uri = server.uri()
            self.sql(cli_fixture.ORDERS)
            pipeline = self.pipeline()
            self.assert_runs(pipeline)
            name, offset = self.sql("SELECT * FROM pg_walfile_name_offset("
                                    "pg_current_wal_insert_lsn())")[0]
            self.sql("INSERT INTO orders SELECT g, 1, 'x' FROM generate_series(51, 1050) g",
                     "SELECT pg_switch_wal()")
            with open(server.data / "pg_wal" / name, "r+b") as segment:
                segment.seek(offset + 20000)
                segment.write(b"\xff" * 100)
            with self.running(pipeline) as process:
                self.wait_for_log(process, "[PG-DECODING]")
            # As `leat explain PG-DECODING` says.
            self.sql(f"SELECT pg_drop_replication_slot('{self.slot}')")
            self.gap(pipeline)

    def copy(self, source, target) -> None:
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["cp", "-a", source, target], check=True)

    def test_invalidated_slot(self):
        with PgServer.temporary(settings={"max_slot_wal_keep_size": "1MB"}) as server:
            self.uri = server.uri()
            self.sql(cli_fixture.ORDERS)
            pipeline = self.pipeline()
            self.assert_runs(pipeline)
            for _ in range(4):
                self.sql("SELECT pg_switch_wal()", "CREATE TABLE t (a int)", "DROP TABLE t")
            self.sql("DELETE FROM orders WHERE id < 9", "CHECKPOINT")
            self.assertEqual(self.sql("SELECT wal_status FROM pg_replication_slots"), [("lost",)])
            self.gap(pipeline)

    def invalidate_in_flight(self, process: Running) -> None:
        """The server ends the stream and gives the slot up while leat can do nothing about it."""
        active = "SELECT active FROM pg_replication_slots"
        eventually(lambda: self.sql(active) == [(True,)], "the slot in use")
        os.kill(process.process.pid, signal.SIGSTOP)
        try:
            def is_lost() -> bool:
                self.sql("SELECT pg_switch_wal()", "CREATE TABLE t (a int)", "DROP TABLE t",
                         "CHECKPOINT")
                return self.sql("SELECT wal_status FROM pg_replication_slots") == [("lost",)]

            eventually(is_lost, "the slot invalidated")
            self.change_all()  # only now, so that none of it was on its way already
        finally:
            os.kill(process.process.pid, signal.SIGCONT)

    def test_slot_invalidated_in_flight(self):
        with PgServer.temporary(settings={"max_slot_wal_keep_size": "1MB"}) as server:
            self.uri = server.uri()
            self.sql(cli_fixture.ORDERS)
            pipeline = self.pipeline()
            with self.running(pipeline) as process:
                self.wait_for_rows(pipeline, 50)
                self.invalidate_in_flight(process)
                self.assertEqual(process.wait(WAIT_SECONDS_MAX), FAILED, process.tail())
                self.assert_told(process.log.read_text(), "slot is invalidated", self.slot,
                                 "[PG-SLOT-LOST]", "on_gap: resnapshot")
            self.assertEqual(self.count(pipeline), 50, "rows that came over the gap")
            self.gap(pipeline)
            with self.running(pipeline) as process:
                self.invalidate_in_flight(process)
                self.wait_for_log(process, "all tables are read anew")
                [(left,)] = self.sql("SELECT count(*) FROM orders")
                self.wait_for_rows(pipeline, left)
                self.sql("INSERT INTO orders VALUES (1000, 1, 'after it')")
                self.wait_for_rows(pipeline, left + 1)
            self.assert_equal(pipeline)

    def count(self, pipeline: Pipeline) -> int:
        with duckdb.connect(str(pipeline.warehouse), read_only=True) as warehouse:
            return warehouse.execute("SELECT count(*) FROM orders").fetchone()[0]


if __name__ == "__main__":
    main()
