#!/usr/bin/env python3
"""Expectations end to end: rules that only count, that stop the sink, and that no row meets; and
transforms that read each other in a circle.
"""

import json
import re
import urllib.request

import duckdb

from cli_fixture import CONFIGURATION, FAILED, OK, CliTest, Pipeline, eventually, main
from pg_server import free_port

EXPECT = """
transforms:
  - name: orders
    sql: SELECT id, amount, note FROM orders
    expect:
      - {name: is_small, that: amount < 60, otherwise: OTHERWISE}
sinks:"""
CUSTOMERS = """
CREATE TABLE customers (id int PRIMARY KEY, name text);
INSERT INTO customers VALUES (1, 'one')
"""


class Expectations(CliTest):
    def expecting(self, otherwise: str, **options) -> Pipeline:
        pipeline = self.pipeline(**options)
        pipeline.file.write_text(pipeline.text.replace(
            "sinks:", EXPECT.replace("OTHERWISE", otherwise)))
        return pipeline

    def flow(self, pipeline: Pipeline) -> dict:
        """Of the table orders, in a run that ends well."""
        done = pipeline.run("--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        return json.loads(done.stdout)["sinks"][0]["flows"]["orders"]

    def held(self, pipeline: Pipeline, query: str) -> list:
        with duckdb.connect(str(pipeline.warehouse), read_only=True) as warehouse:
            return warehouse.execute(query).fetchall()

    def progress(self, pipeline: Pipeline) -> list:
        return self.held(pipeline, "SELECT progress FROM _leat_progress")

    def letters(self, pipeline: Pipeline) -> list:
        done = pipeline.command("dead-letters", "list", pipeline.file.name, "--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        return json.loads(done.stdout)["dead_letters"]


class Warn(Expectations):
    def test_counted_in_the_report(self):
        pipeline = self.expecting("warn")
        flow = self.flow(pipeline)
        self.assertEqual((flow["rows_in"], flow["applied"]), (50, 50))
        self.assertEqual(flow["warned"], {"is_small": 11})
        self.assertEqual((flow["dead_letters"], flow["dropped"]), ({}, {}))
        # NULL breaks a rule as false does; a delete is not judged.
        self.sql("INSERT INTO orders VALUES (51, NULL, ''), (52, 100, ''), (53, 1, '')",
                 "DELETE FROM orders WHERE id = 50")
        flow = self.flow(pipeline)
        self.assertEqual(flow["warned"], {"is_small": 2})
        self.assertEqual((flow["rows_in"], flow["applied"]), (4, 4))
        self.assert_equal(pipeline)
        self.assertEqual(self.letters(pipeline), [])

    def test_counted_in_the_metrics(self):
        pipeline = self.expecting("warn")
        port = free_port()
        with pipeline.file.open("a") as file:
            file.write(f"http: {{listen: 127.0.0.1:{port}}}\n")

        def warned() -> list[float]:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return [float(line.split()[-1]) for line in answer.read().decode().splitlines()
                        if line.startswith("leat_warned_rows_total{") and 'table="orders"' in line
                        and 'sink="duckdb"' in line and 'rule="is_small"' in line]

        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            eventually(lambda: warned() == [11], "11 rows that broke the rule")
            self.sql("UPDATE orders SET amount = 70 WHERE id IN (1, 2)")
            eventually(lambda: warned() == [13], "2 more")
        self.assert_equal(pipeline)


class Stop(Expectations):
    def test_message_and_exit_code(self):
        self.sql("DELETE FROM orders WHERE amount >= 60")
        pipeline = self.expecting("stop")
        self.flow(pipeline)
        before = self.progress(pipeline), self.held(pipeline, "FROM orders ORDER BY id")
        begin = self.sql("SELECT pg_current_wal_lsn() - '0/0'")[0][0]
        self.sql("INSERT INTO orders VALUES (101, 1, 'good'), (102, 2, 'good'), (103, 60, 'bad')")
        end = self.sql("SELECT pg_current_wal_lsn() - '0/0'")[0][0]
        for _ in range(2):  # no start passes it over
            done = pipeline.run()
            self.assert_refused(done, FAILED, "expectation is_small is broken: amount < 60",
                                "transform orders", "[ROW-REJECTED]")
            commit, row = re.search(r"\(commit (\d+), row (\d+)\)", done.stderr).groups()
            self.assertTrue(begin <= int(commit) <= end, (begin, commit, end))
            self.assertEqual(row, "2", "the third of its transaction")
            self.assertNotIn("60.00", done.stderr)
            after = self.progress(pipeline), self.held(pipeline, "FROM orders ORDER BY id")
            self.assertEqual(after, before)
        self.assertEqual(self.letters(pipeline), [])
        pipeline.file.write_text(pipeline.file.read_text().replace(
            "otherwise: stop", "otherwise: warn"))
        self.assertEqual(self.flow(pipeline)["warned"], {"is_small": 1})
        self.assert_equal(pipeline)

    def test_other_sinks_go_on(self):
        self.sql("DELETE FROM orders WHERE amount >= 60", CUSTOMERS)
        pipeline = self.expecting("stop", tables="public.orders, public.customers")
        with pipeline.file.open("a") as file:
            file.write("  - {type: duckdb, name: second, path: b.duckdb, tables: [customers]}\n")
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 39)
            self.sql("INSERT INTO orders VALUES (103, 60, 'bad')")
            self.wait_for_log(process, "expectation is_small is broken")
            self.sql("INSERT INTO customers VALUES (2, 'two')")
            eventually(lambda: pipeline.leat.query("SELECT count(*) FROM customers", "second")
                       == [["2"]], "the row in the other sink")
            self.assertEqual(process.stop(), FAILED, process.tail())
        self.assertEqual(self.held(pipeline, "SELECT count(*) FROM orders"), [(39,)])


class Ratio(Expectations):
    def assert_too_many(self, pipeline: Pipeline, *phrases: str) -> None:
        self.assert_refused(pipeline.run(), FAILED, "more than bad_ratio_max allows",
                            "[ROW-RATIO]", *phrases)
        self.assertEqual(self.letters(pipeline), [], "letters of rows that were not committed")
        explained = pipeline.command("explain", "ROW-RATIO")
        self.assertEqual(explained.returncode, OK, explained.stderr)
        self.assert_told(" ".join(explained.stdout.split()), "bad_ratio_max",
                         "commits nothing of them")

    def raise_limit(self, pipeline: Pipeline) -> None:
        text = pipeline.file.read_text()
        pipeline.file.write_text(text.replace("    expect:", "    bad_ratio_max: 1\n    expect:"))

    def test_rule_that_no_row_of_an_image_meets(self):
        self.sql("INSERT INTO orders SELECT g, g, 'x' FROM generate_series(51, 250) g",
                 "UPDATE orders SET amount = 60 + id")
        pipeline = self.expecting("dead_letter")
        self.assert_too_many(pipeline, "250 of 250")
        self.assertEqual(self.held(pipeline, "SELECT table_name FROM duckdb_tables() WHERE NOT "
                                   "starts_with(table_name, '_leat_')"), [])
        self.raise_limit(pipeline)
        flow = self.flow(pipeline)
        self.assertEqual((flow["rows_in"], flow["applied"]), (250, 0))
        self.assertEqual(flow["dead_letters"], {"expectation_broken": 250})
        self.assertEqual(len(self.letters(pipeline)), 250)
        self.assertEqual(self.held(pipeline, "SELECT count(*) FROM orders"), [(0,)])

    def test_changes_that_break_it_all_at_once(self):
        self.sql("UPDATE orders SET amount = id",
                 "INSERT INTO orders SELECT g, 1, 'x' FROM generate_series(51, 250) g")
        pipeline = self.expecting("dead_letter")
        self.flow(pipeline)
        before = self.progress(pipeline), self.held(pipeline, "FROM orders ORDER BY id")
        self.sql("INSERT INTO orders VALUES (251, 1, 'good')", "UPDATE orders SET amount = 1000")
        self.assert_too_many(pipeline, "251 of 252")
        after = self.progress(pipeline), self.held(pipeline, "FROM orders ORDER BY id")
        self.assertEqual(after, before)
        self.raise_limit(pipeline)
        flow = self.flow(pipeline)
        self.assertEqual(flow["dead_letters"], {"expectation_broken": 251})
        self.assertEqual(flow["applied"], 1)
        # Each key has its last good row still.
        self.assertEqual(self.held(pipeline, "FROM orders ORDER BY id"),
                         before[1] + self.held(pipeline, "FROM orders WHERE id = 251"))
        self.sql("UPDATE orders SET amount = 2")
        self.flow(pipeline)
        self.assert_equal(pipeline)
        self.assertEqual(self.letters(pipeline), [])


class Circle(Expectations):
    def assert_closed_at(self, line: int, phrase: str, *transforms: str) -> None:
        """The line of the transform, the first being 1, that closes the circle."""
        pipeline = self.pipeline()
        head, tail = pipeline.text.split("sinks:")
        written = "".join(f"  - {{name: {name}, sql: SELECT id FROM {read}}}\n"
                          for name, read in map(str.split, transforms))
        pipeline.file.write_text(f"{head}transforms:\n{written}sinks:{tail}")
        at = f"{pipeline.file.name}:{len(head.splitlines()) + 1 + line}:"
        for done in pipeline.run(), pipeline.command("check", pipeline.file.name):
            self.assert_refused(done, CONFIGURATION, "transforms go round in a circle", at, phrase)
        self.assertFalse(pipeline.warehouse.exists())
        self.assertFalse(pipeline.log.exists())

    def test_refused_with_the_line(self):
        self.assert_closed_at(2, "a reads itself by way of b", "a b", "b a")
        self.assert_closed_at(4, "a reads itself by way of b", "plain orders", "a c", "b A", "c b")
        self.assert_closed_at(3, "a reads itself by way of c", "a b", "b c", "c a", "on a")
        # What only reads from the circle is not a part of it.
        self.assert_closed_at(3, "transform a: transforms go round in a circle: a reads itself by "
                              "way of b", "on a", "a b", "b a")


if __name__ == "__main__":
    main()
