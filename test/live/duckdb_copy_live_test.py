#!/usr/bin/env python3
"""The copy of the warehouse, read by DuckDB's own Python package while the pipeline writes: always
whole, always of one moment, never in the way.
"""

import threading

import duckdb

from cli_fixture import ENVIRONMENT, OK, CliTest, eventually, main, run_sql

ACCOUNTS = 100
TOTAL = ACCOUNTS * 1000


class Copy(CliTest):
    def setUp(self):
        super().setUp()
        self.sql(f"CREATE TABLE accounts AS SELECT g AS id, 1000 AS balance "
                 f"FROM generate_series(1, {ACCOUNTS}) g", "ALTER TABLE accounts ADD PRIMARY KEY (id)")
        self.shop = self.pipeline(tables="public.orders, public.accounts")
        self.copy = self.folder / "shared" / "copy.duckdb"
        self.copy.parent.mkdir()

    def with_copy(self, options: str) -> None:
        self.shop.file.write_text(self.shop.text.replace(
            "path: warehouse.duckdb}", f"path: warehouse.duckdb, copy: {options}}}"))

    def read(self, query: str) -> list:
        with duckdb.connect(str(self.copy), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def transfer(self, stop: threading.Event, done: list) -> None:
        """Money that moves between accounts, two rows a transaction: the sum tells a torn copy."""
        while not stop.is_set():
            number = len(done) % ACCOUNTS
            run_sql(self.uri, f"UPDATE accounts SET balance = balance + CASE WHEN id = {number + 1} "
                    f"THEN -1 ELSE 1 END WHERE id IN ({number + 1}, {(number + 7) % ACCOUNTS + 1})")
            done.append(number)

    def test_whole_and_of_one_moment(self):
        self.with_copy(f"{{path: {self.copy}, every: 1s}}")
        stop, done = threading.Event(), []
        writer = threading.Thread(target=self.transfer, args=(stop, done))
        with self.running(self.shop) as process:
            writer.start()
            try:
                seen = set()
                eventually(self.copy.exists, "the first copy")

                def another() -> bool:
                    inode = self.copy.stat().st_ino
                    (count, total), = self.read("SELECT count(*), sum(balance) FROM accounts")
                    self.assertEqual((count, total), (ACCOUNTS, TOTAL))
                    self.assertEqual(self.read("SELECT count(*) FROM orders"), [(50,)])
                    seen.add(inode)
                    return len(seen) >= 5
                eventually(another, f"five copies\n{process.tail()}")
                # Whoever holds a former copy keeps it, unchanged.
                with duckdb.connect(str(self.copy), read_only=True) as held:
                    query = "SELECT string_agg(balance, ',' ORDER BY id) FROM accounts"
                    before, inode = held.execute(query).fetchall(), self.copy.stat().st_ino
                    eventually(lambda: self.copy.stat().st_ino != inode, "the next copy")
                    self.assertEqual(held.execute(query).fetchall(), before)
            finally:
                stop.set()
                writer.join()
            # Then it shows everything, and is left alone while nothing changes.
            last = self.sql("SELECT id, balance FROM accounts ORDER BY id")
            eventually(lambda: self.read("SELECT id, balance FROM accounts ORDER BY id") == last,
                       "the last change in the copy")
        self.assert_equal(self.shop, "public.accounts", "public.orders")
        self.assertEqual([path.name for path in self.copy.parent.iterdir()], ["copy.duckdb"])

    def test_sql_reaches_no_other_file(self):
        self.with_copy(f"{{path: {self.copy}, every: 1s}}")
        with self.running(self.shop):
            eventually(self.copy.exists, "the first copy")
            for query in (f"SELECT * FROM '{self.copy}.unfinished'",
                          f"SELECT * FROM read_text('{self.copy}.unfinished')",
                          f"SELECT * FROM read_csv('{self.shop.file}')"):
                done = self.shop.command("query", self.shop.file.name, query)
                self.assertNotEqual(done.returncode, OK, query)

    def test_a_path_that_cannot_be(self):
        self.with_copy("{path: warehouse.duckdb}")
        self.assert_refused(self.shop.run(), ENVIRONMENT, "copy has the path of the database itself")
        self.with_copy("{every: 1s}")
        self.assertIn("'copy.path' is missing", self.shop.run().stderr)
        # One that cannot be made now delays nobody and is told.
        self.with_copy("{path: nowhere/copy.duckdb, every: 1s}")
        with self.running(self.shop) as process:
            self.wait_for_rows(self.shop, 50)
            self.wait_for_log(process, "copy")
            status = eventually(lambda: (done := self.shop.command(
                "status", self.shop.file.name)).stdout.count("CopyFresh") and done, "status")
            self.assertEqual(status.returncode, OK)
            self.assert_told(status.stdout, "degraded", "false    CopyFresh", "next step:")
            (self.folder / "nowhere").mkdir()
            self.sql("DELETE FROM orders WHERE id = 1")
            eventually((self.folder / "nowhere" / "copy.duckdb").exists, "the copy")


if __name__ == "__main__":
    main()
