#!/usr/bin/env python3
"""`leat simulate` on a real PostgreSQL and a real MongoDB: one seed makes one content, what is printed
is what happened, the rate is held, and what is not its own is left alone."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tools"))

import psycopg  # noqa: E402
from bson.codec_options import CodecOptions, DatetimeConversion  # noqa: E402

from leat_process import find_binary  # noqa: E402
from mongo_server import MongoServer  # noqa: E402
from pg_server import PgServer  # noqa: E402

TABLES = {"shop": ["customers", "orders"], "video": ["videos", "views"], "events": ["events"]}
CHANGES = 600


def simulate(uri: str, *arguments) -> subprocess.CompletedProcess:
    return subprocess.run([str(find_binary()), "simulate", uri, *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)


class Simulated(unittest.TestCase):
    """Tests of both databases; what differs is how contents are read."""

    def run_ok(self, database: str, *arguments) -> dict:
        rate = () if "--rate" in arguments else ("--rate", 0)
        done = simulate(self.uri(database), *rate, "--rows", 200, *arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def contents(self, database: str, data: str) -> dict:
        return {table: self.rows(database, table) for table in TABLES[data]}

    def has_changes(self, database: str) -> bool:
        try:
            return len(self.rows(database, "orders")) > 10
        except psycopg.errors.UndefinedTable:
            return False

    def check_counts(self, database: str, data: str, report: dict) -> None:
        for table in TABLES[data]:
            seen = report["tables"][table]
            self.assertEqual(len(self.rows(database, table)), seen["first_rows"] +
                             seen.get("insert", 0) - seen.get("delete", 0), table)
        made = sum(count for table in report["tables"].values()
                   for kind, count in table.items() if kind != "first_rows")
        self.assertEqual(made, report["changes"])
        self.assertEqual(report["changes_without_a_row"], 0)

    def nasty_reports(self) -> list[dict]:
        """Of two runs that must be the same."""
        reports = [self.run_ok(f"nasty{number}", "--mix", "nasty", "--events", 6000, "--seed", 4)
                   for number in range(2)]
        for report in reports:
            del report["seconds"], report["changes_per_second"]
        self.assertEqual(reports[0], reports[1])
        self.assertGreater(reports[0]["rolled_back_transactions"], 0)
        return reports

    def assert_kinds(self, report: dict, wanted: set[str]) -> None:
        self.assertGreaterEqual({kind for table in report["tables"].values() for kind in table},
                                wanted)

    def test_one_seed_makes_one_content(self):
        for data in TABLES:
            names = [f"{data}_{number}" for number in range(3)]
            for name, seed in zip(names, (5, 5, 6)):
                report = self.run_ok(name, "--data", data, "--mix", "moving", "--events", CHANGES,
                                     "--seed", seed, "--transaction", 7)
                self.assertEqual(report["changes"], CHANGES)
                self.check_counts(name, data, report)
            first, same, other = (self.contents(name, data) for name in names)
            self.assertEqual(first, same)
            self.assertNotEqual(first, other)

    def test_goes_on_with_the_rows_that_are_there(self):
        self.run_ok("again", "--events", 0)
        before = self.contents("again", "shop")
        report = self.run_ok("again", "--events", 0)
        self.assertEqual(report["tables"]["orders"], {"first_rows": 0})
        self.assertEqual(self.contents("again", "shop"), before)
        report = self.run_ok("again", "--events", CHANGES, "--seed", 2)
        self.assertEqual(report["changes_without_a_row"], 0)

    def test_several_writers_share_the_rows(self):
        report = self.run_ok("writers", "--mix", "moving", "--events", CHANGES, "--writers", 4,
                             "--transaction", 3)
        self.assertEqual(report["changes"], CHANGES)
        self.assertEqual(report["transactions_in_conflict"], 0)
        self.check_counts("writers", "shop", report)

    def test_several_nasty_writers_leave_each_other_and_the_next_ones_alive(self):
        for seed in (1, 2):
            report = self.run_ok("crowd", "--mix", "nasty", "--events", 8000, "--writers", 4,
                                 "--seed", seed)
            self.assertGreater(report["transactions"], 300)
        self.assertEqual(len(self.rows("crowd", "nasty_accounts")), 1000)

    def test_the_rate_is_held(self):
        report = self.run_ok("rate", "--rate", 200, "--duration", "3s", "--transaction", 5)
        self.assertAlmostEqual(report["seconds"], 3, delta=0.5)
        self.assertAlmostEqual(report["changes_per_second"], 200, delta=20)

    def test_ends_in_order_when_it_is_told_to(self):
        running = subprocess.Popen([str(find_binary()), "simulate", self.uri("told"), "--rows", "10",
                                    "--wall-clock", "--json"], stdout=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not self.has_changes("told"):
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        output, _ = running.communicate(timeout=20)
        self.assertEqual(running.returncode, 0)
        self.check_counts("told", "shop", json.loads(output))

    def test_a_table_of_somebody_else_is_left_alone(self):
        self.make_orders("taken")
        done = simulate(self.uri("taken"), "--events", 10)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("SIMULATE-TABLES", done.stderr)
        self.assertEqual(len(self.rows("taken", "orders")), 1)


class PostgresTest(Simulated):
    @classmethod
    def setUpClass(cls):
        cls.server = PgServer(tempfile.mkdtemp(prefix="leat-simulate-"))
        os.chmod(cls.server.folder, 0o755)
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def uri(self, database: str) -> str:
        with psycopg.connect(self.server.uri(), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s",
                                      [database]).fetchone():
                connection.execute(f'CREATE DATABASE "{database}"')
        return self.server.uri(database)

    def rows(self, database: str, table: str) -> list:
        with psycopg.connect(self.uri(database)) as connection:
            # As text: one table has no key, and psycopg knows no endless dates.
            connection.execute("SET search_path = public, nasty")
            return connection.execute(f'SELECT row_text FROM (SELECT t::text AS row_text FROM '
                                      f'"{table}" t) u ORDER BY row_text').fetchall()

    def make_orders(self, database: str) -> None:
        with psycopg.connect(self.uri(database)) as connection:
            connection.execute("CREATE TABLE orders (id int); INSERT INTO orders VALUES (1)")

    def test_the_nasty_mix_is_repeatable_and_counts_what_happened(self):
        reports = self.nasty_reports()
        names = [name for name in reports[0]["tables"] if name.startswith("nasty_")]
        self.assertEqual(len(names), 14)
        for name in names:
            self.assertEqual(self.rows("nasty0", name), self.rows("nasty1", name), name)
        for name in ("orders", "nasty_transfers"):
            seen = reports[0]["tables"][name]
            self.assertEqual(len(self.rows("nasty0", name)), seen["first_rows"] +
                             seen["insert"] - seen.get("delete", 0), name)
        self.assert_kinds(reports[0], {"insert", "update", "replace", "delete", "key_change",
                                       "truncate", "alter"})

    def test_what_is_wrong_with_the_arguments_is_said(self):
        for uri, *arguments in (("mysql://localhost/x",), (self.uri("x"), "--document-bytes", 9),
                                (self.uri("x"), "--mix", "nonsense"),
                                (self.uri("x"), "--duration", "soon")):
            self.assertEqual(simulate(uri, *arguments).returncode, 2)
        done = simulate("postgresql://postgres@127.0.0.1:1/x")
        self.assertEqual(done.returncode, 3)
        self.assertIn("PG-UNREACHABLE", done.stderr)
        self.assertIn("correct host and port in the URI", done.stderr)


class MongoTest(Simulated):
    @classmethod
    def setUpClass(cls):
        cls.server = MongoServer(tempfile.mkdtemp(prefix="leat-simulate-"))
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        cls.client = cls.server.client()
        cls.addClassCleanup(cls.client.close)

    def uri(self, database: str) -> str:
        return self.server.uri(database)

    def rows(self, database: str, table: str) -> list:
        raw = self.client[database].get_collection(table, CodecOptions(
            datetime_conversion=DatetimeConversion.DATETIME_MS))
        return [repr(row) for row in raw.find(sort=[("_id", 1)])]

    def make_orders(self, database: str) -> None:
        self.client[database].orders.insert_one({"_id": 1})

    def test_documents_are_as_large_as_wanted(self):
        self.run_ok("large", "--data", "video", "--events", 0, "--document-bytes", 3000)
        sizes = [row["size"] for row in self.client.large.views.aggregate(
            [{"$project": {"size": {"$bsonSize": "$$ROOT"}}}])]
        self.assertTrue(all(2950 < size < 3050 for size in sizes), sizes[:5])

    def test_a_collection_that_a_crash_left_without_its_mark(self):
        self.run_ok("crashed", "--mix", "nasty", "--events", 10)
        collection = self.client["crashed"]["nasty_renamed"]
        collection.drop()
        collection.insert_one({"_id": 1})
        self.run_ok("crashed", "--mix", "nasty", "--events", 10)
        self.assertIn("validator", collection.options())

    def test_the_nasty_mix_is_repeatable_and_counts_what_happened(self):
        reports = self.nasty_reports()
        names = [name for name in reports[0]["tables"] if name.startswith("nasty_")]
        self.assertEqual(len(names), 9)
        for name in names:
            self.assertEqual(self.rows("nasty0", name), self.rows("nasty1", name))
            seen = reports[0]["tables"][name]
            begun = 1000 if name == "nasty_accounts" else 0
            if not seen.keys() & {"drop", "rename", "exchange"}:
                self.assertEqual(len(self.rows("nasty0", name)),
                                 begun + seen.get("insert", 0) - seen.get("delete", 0), name)
        self.assert_kinds(reports[0], {"insert", "update", "replace", "delete", "rename",
                                       "alter"})


def load_tests(loader, *_):
    return unittest.TestSuite(loader.loadTestsFromTestCase(case)
                              for case in (PostgresTest, MongoTest))


if __name__ == "__main__":
    unittest.main(verbosity=2)
