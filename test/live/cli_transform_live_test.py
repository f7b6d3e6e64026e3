#!/usr/bin/env python3
"""Transforms and dead letters end to end: `leat check`, `run`, `dead-letters` against a server."""

import json
import shutil

import duckdb

from cli_fixture import CONFIGURATION, ENVIRONMENT, OK, CliTest, main

TRANSFORMS = """
transforms:
  - name: orders
    sql: SELECT id, note::DECIMAL(10,2) AS price, amount >= 30 AS high_value FROM orders
         WHERE amount > 1.5
    expect:
      - {name: price_is_small, that: price < 1000, otherwise: dead_letter}
  - name: cheap
    sql: SELECT id, price FROM orders WHERE NOT high_value
"""


class Transforms(CliTest):
    def setUp(self):
        super().setUp()
        self.sql("UPDATE orders SET note = id || '.5'", "UPDATE orders SET note = 'x' WHERE id = 7",
                 "UPDATE orders SET note = '5000' WHERE id = 8")
        self.shop = self.pipeline()
        self.shop.file.write_text(self.shop.text.replace("sinks:", TRANSFORMS + "sinks:"))

    def held(self, query: str) -> list:
        with duckdb.connect(str(self.shop.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def letters(self, *arguments: str) -> list:
        done = self.shop.command("dead-letters", "list", self.shop.file.name, "--json", *arguments)
        self.assertEqual(done.returncode, OK, done.stderr)
        return json.loads(done.stdout)["dead_letters"]

    def runs(self):
        done = self.shop.run("--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        return done

    def run_well(self) -> dict:
        done = self.runs()
        flows = json.loads(done.stdout)["sinks"][0]["flows"]
        for table, flow in flows.items():
            self.assertEqual(flow["rows_in"], flow["applied"] + flow["filtered"]
                             + sum(flow["dead_letters"].values())
                             + sum(flow["passed_over"].values()), (table, flow))
        return flows

    def assert_equal_to_source(self):
        expected = self.sql("SELECT id, note::numeric(10,2), amount >= 30 FROM orders WHERE "
                            "amount > 1.5 AND note ~ '^[0-9.]+$' AND note::numeric < 1000 "
                            "ORDER BY id")
        self.assertEqual(self.held("SELECT id, price, high_value FROM orders ORDER BY id"), expected)
        self.assertEqual(self.held("SELECT id, price FROM cheap ORDER BY id"),
                         [row[:2] for row in expected if not row[2]])

    def test_rows_and_letters(self):
        flows = self.run_well()
        self.assertEqual(flows["orders"]["rows_in"], 50)
        self.assertEqual(flows["orders"]["filtered"], 1)
        self.assert_equal_to_source()
        self.assertEqual([(letter["table"], letter["key"], letter["reason"])
                          for letter in self.letters()],
                         [("cheap", ["7"], "expression_failed"),
                          ("orders", ["7"], "expression_failed"),
                          ("cheap", ["8"], "expectation_broken"),
                          ("orders", ["8"], "expectation_broken")])
        self.assertEqual(len(self.letters("--table", "orders", "--rule", "price_is_small")), 1)
        self.assertEqual(len(self.letters("--key", "7")), 2)
        letter = self.letters("--table", "orders", "--key", "7")[0]
        done = self.shop.command("dead-letters", "show", self.shop.file.name, letter["id"], "--json")
        self.assertEqual(json.loads(done.stdout)["row"],
                         {"id": "7", "amount": "10.50", "note": "x"})
        done = self.shop.command("dead-letters", "export", self.shop.file.name, "--format", "csv")
        self.assertEqual(len(done.stdout.splitlines()), 5)
        # Updates, deletes, key changes; a bad row is mended, another breaks.
        self.sql("UPDATE orders SET note = '9' WHERE id = 7", "UPDATE orders SET note = 'y' "
                 "WHERE id = 20", "DELETE FROM orders WHERE id = 8",
                 "UPDATE orders SET id = 100 WHERE id = 30", "UPDATE orders SET amount = 1 "
                 "WHERE id = 40", "UPDATE orders SET amount = 90 WHERE id = 1")
        self.run_well()
        self.assertEqual([letter["key"] for letter in self.letters("--table", "orders")], [["20"]])
        self.assertEqual(len(self.letters("--table", "orders", "--all")), 3)
        # The last good row stays while the letter is open.
        self.assertEqual(self.held("SELECT price FROM orders WHERE id = 20")[0][0], 20.5)
        self.sql("UPDATE orders SET note = '1' WHERE id = 20")
        self.run_well()
        self.assert_equal_to_source()
        self.assertEqual(self.letters(), [])

    def test_killed_between_letters_and_commit(self):
        self.shop.leat.environment["LEAT_FAILPOINTS"] = "lane.letters_synced=1"
        killed = self.shop.run()
        self.assertEqual(killed.returncode, -9, killed.stderr)
        written = [letter["id"] for letter in self.letters()]
        self.assertEqual(len(written), 4)
        del self.shop.leat.environment["LEAT_FAILPOINTS"]
        self.run_well()
        self.assertEqual([letter["id"] for letter in self.letters()], written)
        self.assert_equal_to_source()

    def test_changed_sql_fills_its_tables_anew(self):
        text = self.shop.file.read_text()
        self.run_well()
        anew = "image of public.orders is in its place"
        self.shop.file.write_text(text.replace("NOT high_value", "high_value"))
        told = [finding["what"] for finding in self.shop.check()[1]]
        self.assertIn("public.orders is read anew at the next run: the sink gets it by other "
                      "transforms than before, or for the first time", told)
        self.sql("UPDATE orders SET note = '3' WHERE id = 7", "DELETE FROM orders WHERE id = 8")
        self.assert_told(self.runs().stderr, "asks for an image of public.orders", anew)
        self.assertNotIn("read anew", str(self.shop.check()[1]))
        self.assertEqual(self.letters(), [], "letters of rows that are gone, or good now")
        held = "SELECT count(*) FROM cheap"
        self.assertEqual(self.shop.leat.query(held), self.shop.leat.query(
            "SELECT count(*) FROM orders WHERE high_value"))
        # What makes the same rows is no change; one more table of them is.
        self.shop.file.write_text(text)
        self.run_well()
        self.assert_equal_to_source()
        self.shop.file.write_text(text.replace("FROM orders WHERE NOT", "from  orders /* dear */ "
                                               "where not").replace("price < 1000", "price  < 1000"))
        self.assertNotIn("image", self.runs().stderr)
        self.shop.file.write_text(text.replace(
            "  - name: cheap", "  - {name: dear, sql: SELECT id FROM orders WHERE high_value}\n"
            "  - name: cheap"))
        for point in ("lane.set_aside", "capture.after_begin", "lane.rebuild_fed",
                      "lane.before_swap"):
            self.shop.leat.environment["LEAT_FAILPOINTS"] = f"{point}=1"
            self.assertEqual(self.shop.run().returncode, -9, point)
        del self.shop.leat.environment["LEAT_FAILPOINTS"]
        self.run_well()
        self.assert_equal_to_source()
        self.assertEqual(self.shop.leat.query("SELECT count(*) FROM dear"), self.shop.leat.query(
            "SELECT count(*) FROM orders WHERE high_value"))

    def test_table_without_a_key(self):
        self.sql("CREATE TABLE bag (n int, price text, day date)",
                 "ALTER TABLE bag REPLICA IDENTITY FULL",
                 "INSERT INTO bag SELECT g % 5, g % 4, '2026-01-01' FROM generate_series(1, 40) g",
                 "INSERT INTO bag VALUES (1, 'x', '2026-01-01'), (2, 'x', '2026-01-01'), "
                 "(4, '50', NULL)")
        self.shop = self.pipeline(tables="public.bag")
        self.shop.file.write_text(self.shop.text.replace("sinks:", """
transforms:
  - {name: bag, sql: "SELECT n, price::DECIMAL(6,2) AS price, day FROM bag WHERE n <> 3",
     bad_ratio_max: 1, expect: [{name: is_small, that: price < 40}]}
  - {name: low, sql: "SELECT n, day FROM bag WHERE price < 2"}
sinks:"""))
        self.run_well()
        self.assert_equal_without_key()
        self.assertEqual(sorted(letter["reason"] for letter in self.letters("--table", "bag")),
                         ["expectation_broken", "expression_failed", "expression_failed"])
        # Good to bad, bad to good, in and out of the filter, bad to bad, deletes of each.
        self.sql("UPDATE bag SET price = 'y' WHERE n = 0 AND price = '1'",
                 "UPDATE bag SET price = '1' WHERE n = 1 AND price = 'x'",
                 "UPDATE bag SET n = 3 WHERE n = 4 AND price = '2'",
                 "UPDATE bag SET n = 1 WHERE n = 3 AND price = '0'",
                 "UPDATE bag SET price = 'z' WHERE n = 2 AND price = 'x'",
                 "UPDATE bag SET n = n + 100 WHERE price = '3'",
                 "DELETE FROM bag WHERE price = 'z' OR n = 2 OR (n = 3 AND price = '1')")
        flows = self.run_well()
        self.assertEqual(flows["bag"]["passed_over"], {"old_row_rejected": 1})
        self.assert_equal_without_key()
        self.sql("TRUNCATE bag", "INSERT INTO bag VALUES (1, '1', NULL), (1, '1', NULL)")
        self.run_well()
        self.assert_equal_without_key()

    def assert_equal_without_key(self):
        good = "n <> 3 AND price ~ '^[0-9]+$' AND price::numeric < 40"
        self.assertEqual(self.held("SELECT n, price, day::VARCHAR FROM bag ORDER BY ALL"),
                         self.sql("SELECT n, price::numeric(6, 2), day::text FROM bag WHERE "
                                  f"{good} ORDER BY 1, 2, 3 NULLS LAST"))
        self.assertEqual(self.held("SELECT n, day::VARCHAR FROM low ORDER BY ALL"),
                         self.sql(f"SELECT n, day::text FROM bag WHERE {good} AND "
                                  "price::numeric < 2 ORDER BY 1, 2 NULLS LAST"))

    def test_older_copy_of_the_warehouse_from_before_a_change(self):
        self.run_well()
        copy = self.folder / "copy.duckdb"
        shutil.copy2(self.shop.warehouse, copy)
        self.sql("UPDATE orders SET note = '4' WHERE id = 3")
        self.run_well()
        text = self.shop.file.read_text()
        # Another key, and a column of another type.
        self.shop.file.write_text(text.replace(
            "SELECT id, price FROM orders WHERE", "SELECT id AS number, price::VARCHAR AS price "
            "FROM orders WHERE"))
        self.sql("UPDATE orders SET note = '3' WHERE id = 2")
        self.runs()
        held = self.held("SELECT number, price FROM cheap ORDER BY number")
        self.assertEqual(held[0], (2, "3.00"))
        shutil.copy2(copy, self.shop.warehouse)
        before = self.held("SELECT id, price FROM cheap ORDER BY id")
        # Until the image of then is met again the table stands still.
        self.shop.leat.environment["LEAT_FAILPOINTS"] = "lane.before_swap=1"
        self.assertEqual(self.shop.run().returncode, -9)
        del self.shop.leat.environment["LEAT_FAILPOINTS"]
        self.assertEqual(self.held("SELECT id, price FROM cheap ORDER BY id"), before)
        self.runs()
        self.assertEqual(self.held("SELECT number, price FROM cheap ORDER BY number"), held)

    def test_check(self):
        code, findings = self.shop.check()
        self.assertEqual(code, OK, findings)
        told = {finding["what"]: finding for finding in findings if finding["part"] == "transforms"}
        self.assertIn("orders: 3 columns from public.orders", told)
        notice = [finding for finding in told.values() if finding["severity"] == "notice"]
        self.assertIn("REPLICA IDENTITY FULL", notice[0]["remedy"])
        self.sql("ALTER TABLE orders REPLICA IDENTITY FULL")
        findings = self.shop.check()[1]
        self.assertFalse([finding for finding in findings if finding["part"] == "transforms"
                          and finding["severity"] != "ok"], findings)

    def test_refusals(self):
        text = self.shop.file.read_text()
        self.shop.file.write_text(text.replace("amount > 1.5", "amont > 1.5"))
        self.assert_problem(self.shop, "unknown column amont")
        self.shop.file.write_text(text.replace("FROM orders\n         WHERE", "FROM nothing\n"
                                               "         WHERE"))
        self.assert_problem(self.shop, "no table of the source is called nothing")
        self.shop.file.write_text(text.replace("SELECT id, price", "SELECT id, sum(price) AS s"))
        self.assert_refused(self.shop.run(), CONFIGURATION, "aggregate function sum",
                            f"{self.shop.file.name}:15:10")
        self.shop.file.write_text(text.replace("name: cheap", "name: orders"))
        self.assert_refused(self.shop.run(), CONFIGURATION, "two transforms are called orders")


if __name__ == "__main__":
    main()
