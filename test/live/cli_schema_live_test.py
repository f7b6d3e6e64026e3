#!/usr/bin/env python3
"""Schema changes, patterns and exclusions end to end: after each the warehouse equals the source."""

import json

import duckdb

from cli_fixture import ENVIRONMENT, FAILED, OK, CliTest, main

EXCLUDE = "columns: {public.orders: {exclude: [note]}}"


class Schema(CliTest):
    def held(self, pipeline, query: str) -> list:
        with duckdb.connect(str(pipeline.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def test_renamed_and_widened_while_it_runs_and_while_it_does_not(self):
        self.sql("CREATE TABLE wide (id smallint PRIMARY KEY, i int, f real, n numeric(6, 2), "
                 "u numeric(6, 2), v varchar(5), l int[])",
                 "INSERT INTO wide SELECT g, g, g / 3.0, g / 7.0, g / 7.0, g, ARRAY[g] "
                 "FROM generate_series(1, 50) g")
        pipeline = self.pipeline(tables="public.orders, public.wide")
        self.assert_runs(pipeline, "public.orders", "public.wide")
        changes = ("UPDATE wide SET i = -i WHERE id % 2 = 0",
                   "ALTER TABLE wide ALTER id TYPE bigint, ALTER i TYPE bigint, "
                   "ALTER f TYPE double precision, ALTER n TYPE numeric(30, 4), ALTER u TYPE numeric, "
                   "ALTER v TYPE text, ALTER l TYPE bigint[]",
                   "INSERT INTO wide VALUES (5000000000, 6000000000, 0.1, 1e20, 1e30, 'long text', "
                   "'{7000000000}')",
                   "ALTER TABLE wide RENAME i TO swap", "ALTER TABLE wide RENAME f TO i",
                   "ALTER TABLE wide RENAME swap TO f",
                   "UPDATE wide SET i = 0.25, f = 1 WHERE id % 3 = 0", "DELETE FROM wide WHERE id = 7",
                   "ALTER TABLE orders RENAME id TO number", "ALTER TABLE orders RENAME note TO remark",
                   "UPDATE orders SET number = number + 1000 WHERE number < 10")
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            self.sql(*changes[:6])
            # Rows of this are read before the next change is made, or after, as it happens.
            self.sql(*changes[6:])
        self.assert_runs(pipeline, "public.orders", "public.wide")
        self.sql("ALTER TABLE orders RENAME remark TO note",
                 "INSERT INTO orders VALUES (2000, 1, 'again')",
                 "ALTER TABLE orders ALTER amount TYPE numeric(14, 2)",
                 "INSERT INTO orders VALUES (2001, 100000000000, 'more')")
        self.assert_runs(pipeline, "public.orders", "public.wide")
        types = {row[0]: row[1] for row in self.held(pipeline, "DESCRIBE wide")}
        self.assertEqual(types, {"id": "BIGINT", "f": "BIGINT", "i": "DOUBLE", "n": "DECIMAL(30,4)",
                                 "u": "VARCHAR", "v": "VARCHAR", "l": "BIGINT[]"})

    def test_what_cannot_be_followed_is_read_anew_beside_the_others(self):
        self.sql("CREATE TABLE others (id int PRIMARY KEY)", "INSERT INTO others VALUES (1)")
        both = ("public.orders", "public.others")
        pipeline = self.pipeline(tables=", ".join(both))
        self.assert_runs(pipeline, *both)
        with duckdb.connect(str(pipeline.warehouse)) as warehouse:
            warehouse.execute("INSERT INTO others VALUES (-1)")  # gone if it were read anew
        changes = {
            "column note changed its type from text to integer":
                ["ALTER TABLE orders ALTER note TYPE int USING id"],
            "its key changed":
                ["ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (id, amount)"],
            "its primary key changed": ["ALTER TABLE orders REPLICA IDENTITY FULL",
                                     "ALTER TABLE orders DROP CONSTRAINT orders_pkey"],
            "with a default that is no stored constant":
                ["ALTER TABLE orders ADD luck float8 DEFAULT random()"],
            "it was dropped and made again":
                ["DROP TABLE orders", "CREATE TABLE orders (id int PRIMARY KEY, amount int, note int)"],
        }
        with self.running(pipeline) as process:
            for why, statements in list(changes.items())[:4]:
                self.sql(*statements, "INSERT INTO orders (id, amount, note) "
                         "SELECT max(id) + 1, 1, 1 FROM orders")
                self.wait_for_log(process, why)
                count = self.sql("SELECT count(*) FROM orders")[0][0]
                self.wait_for_rows(pipeline, count)
        self.assert_runs(pipeline, "public.orders")
        for why, statements in list(changes.items())[4:]:
            self.sql(*statements, "INSERT INTO orders (id, amount, note) VALUES (100, 1, 1)")
            done = pipeline.run()
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assert_told(done.stderr, why)
            self.assert_equal(pipeline)
        self.assertEqual(self.held(pipeline, "SELECT id FROM others ORDER BY id"), [(-1,), (1,)])

    def test_frozen_pipeline_goes_on_when_it_may_evolve(self):
        pipeline = self.pipeline(source="on_schema_change: freeze")
        self.assert_runs(pipeline)
        self.sql("ALTER TABLE orders ADD place text", "INSERT INTO orders VALUES (51, 1, 'a', 'b')")
        self.assert_refused(pipeline.run(), FAILED, "public.orders", "column place was added",
                            "on_schema_change to evolve")
        self.assert_runs(self.pipeline(source="on_schema_change: evolve"))

    def counted(self, pipeline) -> tuple[dict, dict]:
        """Catches up: what capture passed over, and what went on otherwise than it came."""
        done = pipeline.run("--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        counts = json.loads(done.stdout)["capture"]["tables"]["public.orders"]
        self.told = done.stderr
        return counts["passed_over"], counts["changed"]

    def test_values_that_do_not_fit_are_discarded(self):
        pipeline = self.pipeline(source="on_schema_change: discard_value")
        self.assert_runs(pipeline)
        self.sql("ALTER TABLE orders ADD place text DEFAULT 'here'",
                 "INSERT INTO orders VALUES (51, 1, 'a', 'b'), (52, 'NaN', 'c', 'd')",
                 "ALTER TABLE orders RENAME note TO remark",
                 "INSERT INTO orders VALUES (53, 2, 'e', 'f')")
        self.assertEqual(self.counted(pipeline), ({}, {"misfit_value": 1}))
        self.assertIn("column place was added", self.told)
        self.assertIn("column note was renamed to remark", self.told)
        self.assertIn("a value of column amount does not fit its type", self.told)
        self.sql("ALTER TABLE orders ALTER amount TYPE text USING 'about ' || amount",
                 "INSERT INTO orders VALUES (54, '7.25', 'g'), (55, 'much', 'h'), (56, '1.234', 'i')",
                 "UPDATE orders SET remark = 'z' WHERE id = 1",
                 "UPDATE orders SET id = 102 WHERE id = 2", "DELETE FROM orders WHERE id = 3",
                 "ALTER TABLE orders DROP remark", "INSERT INTO orders VALUES (57, NULL)")
        self.assertEqual(self.counted(pipeline), ({}, {"misfit_value": 4}))
        self.assertIn("column amount changed its type from numeric(10,2) to text", self.told)
        self.assertIn("column note was dropped", self.told)
        self.assertEqual(self.held(pipeline, "SELECT id, amount::VARCHAR, note FROM orders "
                                             "WHERE id < 3 OR id > 50 ORDER BY id"),
                         [(1, None, "z"), (51, "1.00", "a"), (52, None, "c"), (53, "2.00", "e"),
                          (54, "7.25", "g"), (55, None, "h"), (56, None, "i"), (57, None, None),
                          (102, None, "note 2")])
        self.assertEqual([row[:2] for row in self.held(pipeline, "DESCRIBE orders")],
                         [("id", "INTEGER"), ("amount", "DECIMAL(10,2)"), ("note", "VARCHAR")])

    def test_rows_that_do_not_fit_are_discarded(self):
        self.sql("ALTER TABLE orders ALTER note SET STORAGE EXTERNAL",
                 "INSERT INTO orders SELECT g, g, repeat(md5(g::text), 100) "
                 "FROM generate_series(60, 64) g")
        pipeline = self.pipeline(source="on_schema_change: discard_row")
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        self.assertIn("(eventual)", " ".join(found["what"] for found in findings))
        self.assert_runs(pipeline)
        self.sql("ALTER TABLE orders ADD place text",
                 "INSERT INTO orders VALUES (51, 1, 'a', NULL), (52, 1, 'b', 'x'), "
                 "(53, 'NaN', 'c', NULL)",
                 "UPDATE orders SET place = 'y' WHERE id IN (1, 60, 61)",
                 "UPDATE orders SET id = 102, place = 'z' WHERE id = 2",
                 "UPDATE orders SET id = 162, amount = 0 WHERE id = 62",
                 "UPDATE orders SET note = 'new', place = 'y' WHERE id = 63",
                 "DELETE FROM orders WHERE id IN (3, 102)")
        self.assertEqual(self.counted(pipeline), ({"misfit": 2}, {"misfit": 5}))
        self.assert_rows_that_fit(pipeline)
        # What comes back comes whole, also where the large value is not sent.
        self.sql("UPDATE orders SET place = NULL WHERE id IN (1, 60, 63)",
                 "INSERT INTO orders VALUES (70, 7, 'd', 'x')",
                 "UPDATE orders SET place = NULL, id = 170 WHERE id = 70",
                 "UPDATE orders SET amount = 5 WHERE id = 61")
        self.assertEqual(self.counted(pipeline), ({"misfit": 1}, {"misfit": 1}))
        self.assert_rows_that_fit(pipeline)

    def assert_rows_that_fit(self, pipeline):
        self.assertEqual(self.held(pipeline, "SELECT * FROM orders ORDER BY id"),
                         self.sql("SELECT id, amount, note FROM orders WHERE place IS NULL AND "
                                  "amount <> 'NaN' ORDER BY id"))

    def test_discarding_ends_where_rows_would_lose_their_names(self):
        pipeline = self.pipeline(source="on_schema_change: discard_value")
        self.assert_runs(pipeline)
        self.sql("ALTER TABLE orders ADD place text", "INSERT INTO orders VALUES (51, 1, 'a', 'b')")
        self.assertEqual(self.counted(pipeline), ({}, {}))
        # Followed again from here on, with what came meanwhile still missing.
        self.sql("INSERT INTO orders VALUES (52, 1, 'a', 'c')")
        evolving = self.pipeline(source="on_schema_change: evolve")
        self.assertEqual(evolving.run().returncode, OK)
        self.assertEqual(self.held(evolving, "SELECT id, place FROM orders WHERE id > 50 ORDER BY id"),
                         [(51, None), (52, "c")])
        self.pipeline(source="on_schema_change: discard_row")
        self.sql("ALTER TABLE orders ALTER id TYPE bigint", "INSERT INTO orders VALUES (53, 1, 'a')")
        self.assert_refused(pipeline.run(), FAILED, "discard_row", "key column id changed its type "
                            "from integer to bigint", "on_schema_change to evolve")

    def test_tables_without_a_key_discard_nothing(self):
        self.sql("CREATE TABLE bag (n int)", "ALTER TABLE bag REPLICA IDENTITY FULL",
                 "INSERT INTO bag VALUES (1)")
        pipeline = self.pipeline(tables="public.bag", source="on_schema_change: discard_row")
        self.assert_runs(pipeline, "public.bag")
        self.sql("ALTER TABLE bag ADD m int", "INSERT INTO bag VALUES (2)")
        self.assert_refused(pipeline.run(), FAILED, "public.bag", "discard_row",
                            "column m was added", "on_schema_change to evolve")

    def test_transform_over_a_renamed_column_says_so(self):
        transform = "transforms:\n  - {name: orders, sql: 'SELECT id, note FROM orders'}\n"
        pipeline = self.pipeline()
        pipeline.file.write_text(pipeline.text.replace("sinks:", transform + "sinks:"))
        self.assertEqual(pipeline.run().returncode, OK)
        self.sql("ALTER TABLE orders RENAME note TO remark", "INSERT INTO orders VALUES (51, 1, 'a')")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "transform orders", "unknown column note")
        # The SQL corrected is another definition: rows of two are never mixed.
        corrected = transform.replace("note", "remark AS note")
        pipeline.file.write_text(pipeline.text.replace("sinks:", corrected + "sinks:"))
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_told(done.stderr, "image of public.orders is in its place")
        self.assertEqual(self.held(pipeline, "SELECT * FROM orders WHERE id > 49 ORDER BY id"),
                         self.sql("SELECT id, remark FROM orders WHERE id > 49 ORDER BY id"))

    def test_patterns(self):
        self.sql("CREATE SCHEMA sales", "CREATE TABLE sales.orders (id int PRIMARY KEY)",
                 "CREATE TABLE sales.audit (id int)", "INSERT INTO sales.orders VALUES (1)")
        pipeline = self.pipeline(tables="'*.orders', 'sales.*', '!*.audit'")
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        told = [finding["what"] for finding in findings]
        self.assertIn("*.orders matches public.orders, sales.orders", told)
        self.assertIn("!*.audit leaves out sales.audit", told)
        self.assert_runs(pipeline, "public.orders")
        self.assertEqual(self.held(pipeline, "SELECT id FROM sales_orders"), [(1,)])
        self.assert_problem(self.pipeline(tables="public.*, '!public.adit'"),
                            "matches no table: !public.adit")

    def has_column_lists(self, pipeline) -> bool:
        """Since 15; before, exclusion is refused."""
        if int(self.sql("SHOW server_version_num")[0][0]) >= 150000:
            return True
        self.assert_problem(pipeline, "PostgreSQL has column lists of publications since 15")
        return False

    def test_excluded_columns(self):
        pipeline = self.pipeline(source=EXCLUDE)
        if not self.has_column_lists(pipeline):
            return
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        self.sql("UPDATE orders SET note = 'secret', amount = 7 WHERE id = 1")
        self.assertEqual(pipeline.run().returncode, OK)
        self.assertEqual([row[0] for row in self.held(pipeline, "DESCRIBE orders")], ["id", "amount"])
        self.assertEqual(self.held(pipeline, "SELECT amount FROM orders ORDER BY id LIMIT 1"),
                         self.sql("SELECT amount FROM orders ORDER BY id LIMIT 1"))
        for file in self.folder.rglob("*"):
            if file.is_file():
                self.assertNotIn(b"secret", file.read_bytes(), file)
        self.assertEqual(pipeline.check()[0], OK)
        self.assert_refused(self.pipeline(source=EXCLUDE.replace("note", "notes")).run(), ENVIRONMENT,
                            "source.columns excludes a column that is not there: notes")

    def test_publication_of_the_users_own_must_leave_them_out(self):
        self.sql("CREATE PUBLICATION mine FOR TABLE orders")
        pipeline = self.pipeline(source=EXCLUDE + "\n  publication: mine")
        if not self.has_column_lists(pipeline):
            return
        self.assert_problem(pipeline, "sends column note of public.orders", "ADD TABLE",
                            '("id", "amount")')
        self.sql("ALTER PUBLICATION mine SET TABLE orders (id, amount)")
        self.assertEqual(pipeline.check()[0], OK)
        self.assertEqual(pipeline.run().returncode, OK)

    def test_generated_columns_are_named(self):
        self.sql("ALTER TABLE orders ADD twice numeric GENERATED ALWAYS AS (amount * 2) STORED")
        code, findings = self.pipeline().check()
        self.assertEqual(code, OK, findings)
        self.assertIn("public.orders: generated columns are not captured: twice",
                      [finding["what"] for finding in findings if finding["severity"] == "notice"])


if __name__ == "__main__":
    main()
