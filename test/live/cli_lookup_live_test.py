#!/usr/bin/env python3
"""Updates that come without large values: completed from the source where a transform needs them."""

import json
import urllib.request

import duckdb
import psycopg

from cli_fixture import ENVIRONMENT, OK, CliTest, eventually, main
from pg_server import free_port

DOCS = """
CREATE TABLE docs (id int PRIMARY KEY, state text, size int, body text, extra text);
ALTER TABLE docs ALTER body SET STORAGE EXTERNAL, ALTER extra SET STORAGE EXTERNAL;
INSERT INTO docs SELECT g, CASE WHEN g % 2 = 0 THEN 'open' ELSE 'shut' END, g,
                        repeat(md5(g::text), 200), repeat('x' || g, 3000)
  FROM generate_series(1, 20) g
"""
TRANSFORM = """
transforms:
  - name: open_docs
    sql: SELECT id, size + length(body) AS weight, body, extra FROM docs WHERE state = 'open'
"""
KILLED = -9


class Lookup(CliTest):
    def setUp(self):
        super().setUp()
        self.sql(DOCS)
        self.docs = self.make()

    def make(self, mode: str = "when_needed", transform: str = TRANSFORM):
        pipeline = self.pipeline(tables="public.docs")
        pipeline.file.write_text(pipeline.text.replace(
            "sinks:", f"{transform}run: {{unchanged_columns: {mode}}}\nsinks:"))
        return pipeline

    def run_well(self) -> dict:
        """Catches up; what capture counted for the table."""
        done = self.docs.run("--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        report = json.loads(done.stdout)
        self.assert_sums(report)
        return report["capture"]["tables"]["public.docs"]

    def assert_sums(self, report: dict):
        """Every row of the log is accounted for, on its way to every table."""
        captured = report["capture"]["tables"]["public.docs"]
        rows = sum(captured[op] for op in ("snapshot_rows", "inserts", "updates", "deletes",
                                           "truncates"))
        for name, flow in report["sinks"][0]["flows"].items():
            self.assertEqual(flow["rows_in"], flow["applied"] + flow["filtered"]
                             + sum(flow["dead_letters"].values())
                             + sum(flow["passed_over"].values()), name)
            self.assertEqual(flow["rows_in"], rows, name)

    def assert_equal_to_source(self):
        with duckdb.connect(str(self.docs.warehouse), read_only=True) as connection:
            held = connection.execute("SELECT * FROM open_docs ORDER BY id").fetchall()
            plain = connection.execute("SELECT * FROM docs ORDER BY id").fetchall()
        self.assertEqual(held, self.sql("SELECT id, size + length(body), body, extra FROM docs "
                                        "WHERE state = 'open' ORDER BY id"))
        self.assertEqual(plain, self.sql("SELECT * FROM docs ORDER BY id"))

    def test_rows_leave_and_reenter_the_filter(self):
        self.run_well()
        self.sql("UPDATE docs SET size = size + 1 WHERE id <= 4",
                 "UPDATE docs SET state = 'open' WHERE id IN (5, 7)",
                 "UPDATE docs SET state = 'shut' WHERE id = 6")
        self.sql("BEGIN; INSERT INTO docs SELECT 30, state, size, body || '!', extra FROM docs "
                 "WHERE id = 2; UPDATE docs SET size = 0 WHERE id = 30; "
                 "UPDATE docs SET body = body || '?' WHERE id = 8; "
                 "UPDATE docs SET size = -1 WHERE id = 8; COMMIT")
        counts = self.run_well()
        self.assertEqual(counts["looked_up"], 10)
        self.assertTrue(counts["eventual"])
        self.assertEqual(counts["passed_over"], {})
        self.assert_equal_to_source()

    def test_gone_before_the_lookup(self):
        self.run_well()
        # Deleted; and what a row lost with its key comes with the row that took the key along.
        self.sql("UPDATE docs SET size = 100 WHERE id = 2", "DELETE FROM docs WHERE id = 2",
                 "UPDATE docs SET extra = repeat('new', 2000) WHERE id = 4",
                 "UPDATE docs SET id = 1004, body = body || '!' WHERE id = 4",
                 "UPDATE docs SET id = 1006 WHERE id = 6", "DELETE FROM docs WHERE id = 1006",
                 "UPDATE docs SET size = 7 WHERE id = 8", "DELETE FROM docs WHERE id = 8",
                 "INSERT INTO docs VALUES (8, 'open', 9, 'other', 'row')")
        counts = self.run_well()
        self.assertEqual(counts["passed_over"], {"row_gone": 2})
        self.assertEqual(counts["changed"], {"row_gone": 1})
        # Seven updates, four of them there or found in another row's place; one became a delete.
        self.assertEqual((counts["updates"], counts["deletes"], counts["inserts"]), (2, 4, 1))
        self.assert_equal_to_source()

    def test_keys_of_all_kinds(self):
        self.sql("CREATE TABLE keys (u uuid, t timestamptz, n numeric(9, 2), b bytea, s text, d date,"
                 " c char(5), e real, size int, body text, PRIMARY KEY (u, t, n, b, s, d, c, e))",
                 "ALTER TABLE keys ALTER body SET STORAGE EXTERNAL",
                 "INSERT INTO keys SELECT md5(g::text)::uuid, '2026-01-31 12:00:00.000001+02', g / 7.0, "
                 "decode(md5(g::text), 'hex'), E'it''s \"{' || g || E',\\\\}', '2026-01-31', 'c', "
                 "0.1, g, repeat(md5(g::text), 100) FROM generate_series(1, 9) g")
        pipeline = self.pipeline(tables="public.keys")
        pipeline.file.write_text(pipeline.text.replace("sinks:", TRANSFORM.replace(
            "SELECT id, size + length(body) AS weight, body, extra FROM docs WHERE state = 'open'",
            "SELECT * FROM keys WHERE size > 3").replace("open_docs", "keys") + "sinks:"))
        self.assertEqual(pipeline.run().returncode, OK)
        self.sql("UPDATE keys SET size = size + 2")
        done = pipeline.run("--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        counts = json.loads(done.stdout)["capture"]["tables"]["public.keys"]
        self.assertEqual((counts["looked_up"], counts["passed_over"]), (9, {}))
        with duckdb.connect(str(pipeline.warehouse), read_only=True) as connection:
            held = connection.execute("SELECT size, body FROM keys ORDER BY size").fetchall()
        self.assertEqual(held, self.sql("SELECT size, body FROM keys WHERE size > 3 ORDER BY size"))

    def test_killed_after_the_lookup(self):
        self.run_well()
        self.sql("UPDATE docs SET size = size + 1", "DELETE FROM docs WHERE id = 3")
        for point in ("capture.completed", "capture.before_append", "capture.after_append"):
            self.docs.leat.environment["LEAT_FAILPOINTS"] = f"{point}=1"
            killed = self.docs.run()
            self.assertEqual(killed.returncode, KILLED, killed.stderr)
        del self.docs.leat.environment["LEAT_FAILPOINTS"]
        done = self.docs.run("--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_equal_to_source()

    def test_every_row_is_accounted_for(self):
        """Rows below an image, gone, filtered, rejected, applied: in the report and the metrics."""
        port = free_port()
        self.docs.file.write_text(self.docs.file.read_text().replace(
            "state = 'open'\n", "state = 'open'\n    expect: [{name: is_light, that: weight < 20000}]\n"
            f"http: {{listen: 127.0.0.1:{port}}}\n"))
        self.run_well()
        # The image waits for this transaction, and the changes come before its point.
        with psycopg.connect(self.uri) as holder:
            holder.execute("INSERT INTO orders VALUES (1000, 1, 'open')")
            with self.running(self.docs, "--rebuild", "duckdb.docs") as process:
                self.wait_for_log(process, "waits for the end of")
                self.sql("INSERT INTO docs SELECT g, 'open', g, 'b', 'e' "
                         "FROM generate_series(101, 110) g", "DELETE FROM docs WHERE id = 110")
                self.wait_for_rows(self.docs, 29, "docs")
                holder.commit()
                self.wait_for_log(process, "is in its place")
                self.sql("BEGIN; UPDATE docs SET size = 50000 WHERE id IN (2, 4); "
                         "UPDATE docs SET size = 1 WHERE id = 10; DELETE FROM docs WHERE id = 10; "
                         "INSERT INTO docs VALUES (200, 'shut', 1, 'b', 'e'); COMMIT")
                # 15 changes and 29 rows of the image.
                status = eventually(lambda: self.status_at(44), "all rows counted")
                metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        captured = status["capture"]["tables"]["public.docs"]
        self.assertEqual(captured["passed_over"], {"row_gone": 1})
        sink = status["sinks"][0]
        self.assertEqual(sink["passed_over"], {"public.docs": {"in_image": 11}})
        for name, flow in sink["flows"].items():
            def total(metric: str) -> int:
                return sum(int(float(line.split()[-1])) for line in metrics.splitlines()
                           if line.startswith(f"leat_{metric}_total{{")
                           and f'sink="duckdb"' in line and f'table="{name}"' in line)
            self.assertEqual(total("rows_in"), flow["rows_in"], name)
            self.assertEqual(total("rows_in"), total("applied_rows") + total("filtered_rows")
                             + total("dead_letter_rows") + total("passed_over_rows"), name)
        self.assertIn('leat_passed_over_rows_total{', metrics)

    def status_at(self, rows_in: int) -> dict | None:
        status = json.loads(self.docs.command("status", self.docs.file.name, "--json").stdout)
        flows = status["sinks"][0]["flows"]
        return status if len(flows) == 2 and all(flow["rows_in"] == rows_in
                                                 for flow in flows.values()) else None

    def test_columns_changed_before_the_lookup(self):
        self.docs = self.make("lookup", "")
        self.run_well()
        self.sql("UPDATE docs SET size = size + 1 WHERE id = 2", "ALTER TABLE docs RENAME body TO swap",
                 "ALTER TABLE docs RENAME extra TO body", "ALTER TABLE docs RENAME swap TO extra",
                 "UPDATE docs SET size = size + 1 WHERE id = 4")
        self.assertEqual(self.run_well()["looked_up"], 2)
        self.assert_equal(self.docs, "public.docs")

    def test_as_sent(self):
        self.docs = self.make("as_sent")
        self.run_well()
        self.sql("UPDATE docs SET size = 0 WHERE id = 2")
        counts = self.run_well()
        self.assertEqual((counts["looked_up"], counts["eventual"]), (0, False))
        done = self.docs.command("dead-letters", "list", self.docs.file.name, "--json")
        self.assertEqual([letter["reason"] for letter in json.loads(done.stdout)["dead_letters"]],
                         ["incomplete_row"])

    def test_lookup_without_a_transform(self):
        self.docs = self.make("lookup", "")
        self.run_well()
        self.sql("UPDATE docs SET size = 0 WHERE id = 2")
        self.assertEqual(self.run_well()["looked_up"], 1)
        self.assertIn("public.docs: ", self.notices())

    def notices(self) -> str:
        code, findings = self.docs.check()
        self.assertEqual(code, OK, findings)
        return "\n".join(f"{found['what']} | {found['remedy']}" for found in findings
                         if found["severity"] == "notice")

    def test_check_and_status_say_eventual(self):
        self.assertIn("(eventual) | ALTER TABLE \"public\".\"docs\" REPLICA IDENTITY FULL",
                      self.notices())
        self.run_well()
        with self.running(self.docs) as process:
            self.wait_for_rows(self.docs, 20, "docs")
            told = self.docs.command("status", self.docs.file.name)
            self.assertIn("eventual, completed from the tables where needed: public.docs",
                          told.stdout, process.tail())
        self.sql("ALTER TABLE docs REPLICA IDENTITY FULL")
        self.assertNotIn("eventual", self.notices())
        self.sql("UPDATE docs SET size = 5 WHERE id = 2")
        counts = self.run_well()
        self.assertEqual((counts["looked_up"], counts["eventual"]), (0, False))
        self.assert_equal_to_source()

    def test_a_transform_that_no_sink_takes_needs_nothing(self):
        text = self.docs.file.read_text()
        self.docs.file.write_text(text.replace("path: warehouse.duckdb}",
                                               "path: warehouse.duckdb, tables: [docs]}"))
        self.assertNotIn("eventual", self.notices())
        self.run_well()
        self.sql("UPDATE docs SET size = 0 WHERE id = 2")
        counts = self.run_well()
        self.assertEqual((counts["looked_up"], counts["eventual"]), (0, False))
        # As soon as one does, it does; the table is read anew for it.
        self.docs.file.write_text(text)
        self.assertIn("(eventual)", self.notices())
        self.run_well()
        self.assert_equal_to_source()
        self.sql("UPDATE docs SET size = 1 WHERE id = 2")
        self.assertEqual(self.run_well()["looked_up"], 1)
        self.assert_equal_to_source()

    def test_unknown_mode_is_refused(self):
        self.docs = self.make("sometimes")
        self.assertNotIn(self.docs.run().returncode, (OK, ENVIRONMENT))


if __name__ == "__main__":
    main()
