#!/usr/bin/env python3
"""The command line against a source that is wrong, away, or not what it was: each case is told with
its remedy, and after the remedy the warehouse equals the source.
"""

from psycopg import pq

import cli_fixture
from cli_fixture import (ENVIRONMENT, FAILED, OK, PASSWORD, CliTest, PgServer, Pipeline,
                         eventually, main, run_sql)


class Access(CliTest):
    def make_role(self, attributes: str) -> str:
        role = f"reader{self.number}"
        self.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}' {attributes}")
        return role

    def test_wrong_password(self):
        role = self.make_role("REPLICATION")
        self.sql(f"GRANT CREATE ON DATABASE {self.name} TO {role}",
                 f"ALTER TABLE orders OWNER TO {role}")
        rules = self.server.data / "pg_hba.conf"
        rules.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        self.sql("SELECT pg_reload_conf()")
        wrong = self.uri.replace("postgres@", f"{role}:wrong@")
        pipeline = self.pipeline(uri=wrong)
        eventually(lambda: "password" in pipeline.run("--only", "capture").stderr, "rules in force")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "password authentication failed",
                            "Correct user and password in source.uri")
        self.assert_problem(pipeline, "password authentication failed")
        self.assert_refused(self.pipeline(uri=self.uri.replace("postgres@", f"{role}@")).run(),
                            ENVIRONMENT, "password", "${env:NAME}")
        self.assert_runs(self.pipeline(uri=wrong.replace(":wrong@", f":{PASSWORD}@")))

    def test_unknown_database(self):
        pipeline = self.pipeline(uri=self.server.uri("nowhere"))
        self.assert_refused(pipeline.run(), ENVIRONMENT, '"nowhere" does not exist',
                            "Correct the database name")
        self.assert_problem(pipeline, '"nowhere" does not exist')
        self.assert_runs(self.pipeline())

    def test_missing_rights(self):
        role = self.make_role("")
        pipeline = self.pipeline(uri=self.uri.replace("postgres@", f"{role}@"))
        self.assert_refused(pipeline.run(), ENVIRONMENT, "may not replicate",
                            f'ALTER ROLE "{role}" REPLICATION')
        self.assert_problem(pipeline, "may not replicate", "no right to read public.orders",
                            f'GRANT SELECT ON "public"."orders" TO "{role}"',
                            "does not own public.orders", "CREATE PUBLICATION")
        self.sql(f'ALTER ROLE "{role}" REPLICATION', f'GRANT SELECT ON orders TO "{role}"')
        self.assert_refused(pipeline.run(), ENVIRONMENT, "publication",
                            f'CREATE PUBLICATION "{self.slot}" FOR TABLE')
        self.sql(f'CREATE PUBLICATION "{self.slot}" FOR TABLE orders')
        pipeline = self.pipeline(uri=pipeline.uri, source=f"publication: {self.slot}")
        self.assertEqual(pipeline.check()[0], OK)
        self.assert_runs(pipeline)
        # The user's own publication is not ours to drop.
        self.assertEqual(pipeline.command("drop", pipeline.file.name, "--yes").returncode, OK)
        self.assertEqual(self.sql("SELECT pubname FROM pg_publication"), [(self.slot,)])

    def test_server_down_at_start(self):
        self.server.stop()
        pipeline = self.pipeline()
        with self.running(pipeline, "--until-caught-up") as process:
            self.wait_for_log(process, "cannot connect")
            self.wait_for_log(process, "next attempt in")
            self.server.restart()
            self.assertEqual(process.wait(cli_fixture.WAIT_SECONDS_MAX), OK, process.tail())
        self.assert_equal(pipeline)

    def test_server_crashes_in_flight(self):
        pipeline = self.pipeline()
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 50)
            self.sql("INSERT INTO orders VALUES (51, 1, 'before the crash')")
            self.server.restart("immediate")
            self.wait_for_log(process, "next attempt in")
            # Only when all three have arrived there are 52 rows.
            self.sql("DELETE FROM orders WHERE id = 1", "INSERT INTO orders VALUES (52, 1, 'after it')",
                     "INSERT INTO orders VALUES (53, 1, 'and after that')")
            self.wait_for_rows(pipeline, 52)
        self.assert_equal(pipeline)


class Tables(CliTest):
    def test_missing(self):
        pipeline = self.pipeline(tables="public.orders, public.custmers")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "does not exist: public.custmers",
                            "source.tables")
        self.assert_problem(pipeline, "does not exist: public.custmers")
        self.assertEqual(self.sql("SELECT count(*) FROM pg_publication"), [(0,)])
        self.sql("CREATE TABLE custmers (id int PRIMARY KEY)")
        self.assert_runs(pipeline, "public.orders", "public.custmers")

    def test_without_identity(self):
        self.sql("CREATE TABLE notes (text text)", "INSERT INTO notes VALUES ('a'), ('a')")
        pipeline = self.pipeline(tables="public.notes")
        cure = 'ALTER TABLE "public"."notes" REPLICA IDENTITY FULL'
        self.assert_refused(pipeline.run(), ENVIRONMENT, "public.notes", cure)
        self.assert_problem(pipeline, "public.notes", cure)
        self.sql(cure)
        self.assert_runs(pipeline, "public.notes")

    def test_not_a_table(self):
        self.sql("CREATE VIEW seen AS SELECT * FROM orders",
                 "CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY)")
        pipeline = self.pipeline(tables="public.seen, public.fleeting")
        self.assert_problem(pipeline, "public.seen is a view",
                            "public.fleeting is unlogged", 'ALTER TABLE "public"."fleeting" SET LOGGED')
        self.assert_refused(pipeline.run(), ENVIRONMENT, "public.seen is a view")

    def test_partitioned(self):
        self.sql("CREATE TABLE visits (id int, day date, note text, PRIMARY KEY (day, id)) "
                 "PARTITION BY RANGE (day)",
                 "CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')",
                 "CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')",
                 "INSERT INTO visits SELECT g, date '2024-01-01' + g % 60, repeat('n', 50) "
                 "FROM generate_series(1, 20000) g", "ANALYZE")
        pipeline = self.pipeline(tables="'public.*'")
        told = [found["what"] for found in pipeline.check()[1]]
        self.assertIn("public.* matches public.orders, public.visits", told)
        self.assertIn("public.visits: key day, id, 2 partitions", told)
        self.assertTrue(any("TRUNCATE of a single partition is not sent" in what for what in told))
        self.assert_runs(pipeline, "public.orders", "public.visits")
        self.sql("DELETE FROM visits WHERE id % 3 = 0",
                 "UPDATE visits SET day = day + 25 WHERE day < '2024-02-01' AND id % 3 = 1")
        self.assert_runs(pipeline, "public.orders", "public.visits")
        self.sql("ALTER TABLE visits DETACH PARTITION visits_1")
        pipeline = self.pipeline(tables="'public.*', '!visits_1'")
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_told(done.stderr, "public.visits", '"visits_1" was detached', "PG-SCHEMA-CHANGE")
        self.assert_equal(pipeline, "public.orders", "public.visits")

    def test_two_with_one_target_name(self):
        self.sql("CREATE SCHEMA a", "CREATE TABLE a.b (id int PRIMARY KEY)",
                 "CREATE TABLE a_b (id int PRIMARY KEY)")
        pipeline = self.pipeline(tables="public.a_b, a.b")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "two source tables", "a.b", "public.a_b")
        self.assert_problem(pipeline, "two source tables", "a.b", "public.a_b")
        self.assertEqual(self.sql("SELECT count(*) FROM pg_publication"), [(0,)])
        self.assert_runs(self.pipeline(tables="a.b"), "a.b")

    def test_value_that_the_target_cannot_hold(self):
        self.sql("CREATE TABLE events (id int PRIMARY KEY, at timestamp)",
                 "INSERT INTO events VALUES (1, '2024-02-29')")
        pipeline = self.pipeline(tables="public.events")
        self.assert_runs(pipeline, "public.events")
        self.sql("INSERT INTO events VALUES (2, '2024-03-01'), (3, '294276-12-31')")
        self.assert_refused(pipeline.run(), FAILED, "public.events", "column at")
        # Nothing of that transaction is in the warehouse, and nothing is skipped in silence.
        self.assert_refused(pipeline.run(), FAILED, "public.events")


class Slots(CliTest):
    def test_in_use_by_another_reader(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        self.sql("INSERT INTO orders VALUES (51, 1, 'x')")
        reader = pq.PGconn.connect((self.uri + "?replication=database").encode())
        reader.exec_(f"START_REPLICATION SLOT {self.slot} LOGICAL 0/0 (proto_version '1', "
                     f"publication_names '{self.slot}')".encode())
        dropped = pipeline.command("drop", pipeline.file.name, "--yes")
        self.assert_refused(dropped, ENVIRONMENT, "in use", self.slot, "nothing was removed")
        self.assertTrue(any("is being read by" in found["what"] for found in pipeline.check()[1]))
        with self.running(pipeline, "--until-caught-up") as process:
            self.wait_for_log(process, "is active for PID")
            self.wait_for_log(process, "next attempt in")
            reader.finish()
            self.assertEqual(process.wait(cli_fixture.WAIT_SECONDS_MAX), OK, process.tail())
        self.assert_equal(pipeline)

    def test_of_another_pipeline(self):
        self.assert_runs(self.pipeline())
        second = self.pipeline(folder=self.folder / "second")
        self.assert_refused(second.run(), ENVIRONMENT, "exists already", self.slot, "source.slot")
        self.assert_runs(self.pipeline(folder=self.folder / "third", source="slot: third_slot"))

    def test_dropped(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        self.sql(f"SELECT pg_drop_replication_slot('{self.slot}')",
                 "INSERT INTO orders VALUES (51, 1, 'nobody saw this')")
        self.assert_refused(pipeline.run(), FAILED, "slot is gone", self.slot, "on_gap: resnapshot")
        self.start_anew(pipeline)

    def start_anew(self, pipeline: Pipeline) -> None:
        """The other way on: drop, move the warehouse away, run."""
        dropped = pipeline.command("drop", pipeline.file.name, "--yes")
        self.assertEqual(dropped.returncode, OK, dropped.stderr)
        self.assert_refused(pipeline.run(), ENVIRONMENT, "duckdb file", "another log", "move")
        pipeline.warehouse.rename(self.folder / "old.duckdb")
        self.assert_runs(pipeline)

    def test_invalidated(self):
        with PgServer.temporary(settings={"max_slot_wal_keep_size": "1MB"}) as server:
            self.uri = server.uri()
            self.sql(cli_fixture.ORDERS)
            pipeline = self.pipeline()
            self.assert_runs(pipeline)
            for _ in range(4):
                self.sql("SELECT pg_switch_wal()", "CREATE TABLE t (a int)", "DROP TABLE t")
            self.sql("INSERT INTO orders VALUES (51, 1, 'nobody saw this')", "CHECKPOINT")
            self.assertEqual(self.sql("SELECT wal_status FROM pg_replication_slots"), [("lost",)])
            self.assert_problem(pipeline, "invalidated", self.slot, "on_gap: resnapshot")
            self.assert_refused(pipeline.run(), FAILED, "invalidated", self.slot,
                                "on_gap: resnapshot")
            self.start_anew(pipeline)

    def test_wrong_server_settings(self):
        with PgServer.temporary(settings={"wal_level": "replica",
                                          "max_replication_slots": "1"}) as server:
            self.uri = server.uri()
            self.sql(cli_fixture.ORDERS, "SELECT pg_create_physical_replication_slot('other')")
            pipeline = self.pipeline()
            self.assert_refused(pipeline.run(), ENVIRONMENT, "wal_level is replica",
                                "ALTER SYSTEM SET wal_level = logical")
            self.assert_problem(pipeline, "wal_level is replica", "no replication slot is free")
            run_sql(self.uri, "ALTER SYSTEM SET wal_level = logical")
            server.restart()
            self.assert_refused(pipeline.run(), ENVIRONMENT, "no replication slot is free",
                                "max_replication_slots", "pg_replication_slots")
            self.sql("SELECT pg_drop_replication_slot('other')")
            self.assert_runs(pipeline)


if __name__ == "__main__":
    main()
