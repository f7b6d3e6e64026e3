#!/usr/bin/env python3
"""`leat dead-letters` on the letters of a real pipeline with two sinks: what the filters choose,
and that an export holds every row as the source sent it.
"""

import csv
import datetime
import io
import json
import subprocess

from cli_fixture import CONFIGURATION, OK, CliTest, eventually, main

TRANSFORMS = """
transforms:
  - name: orders
    sql: SELECT id, amount, note FROM orders
    expect: [{name: is_small, that: amount < 1000}]
  - name: cheap
    sql: SELECT id, amount FROM orders
    expect: [{name: is_cheap, that: amount < 500}]
sinks:
  - {type: duckdb, name: second, path: second.duckdb, tables: [cheap]}
"""
ODD = 'comma, "quote"\nline, größe, \\ and \t'


class DeadLetters(CliTest):
    def setUp(self):
        super().setUp()
        self.shop = self.pipeline()
        self.shop.file.write_text(self.shop.text.replace("sinks:\n", TRANSFORMS))
        self.runs()

    def runs(self) -> None:
        done = self.shop.run()
        self.assertEqual(done.returncode, OK, done.stderr)

    def command(self, *arguments: str) -> subprocess.CompletedProcess:
        command, *others = arguments
        return self.shop.command("dead-letters", command, self.shop.file.name, *others)

    def output(self, *arguments: str) -> str:
        done = self.command(*arguments)
        self.assertEqual(done.returncode, OK, done.stderr)
        return done.stdout

    def letters(self, *arguments: str) -> list[dict]:
        return json.loads(self.output("list", "--json", *arguments))["dead_letters"]

    def exported(self, *arguments: str) -> list[dict]:
        return [json.loads(line) for line in self.output("export", *arguments).splitlines()]

    def keys(self, *arguments: str) -> list[str]:
        """Without doubles, in the order of the letters."""
        return list(dict.fromkeys(letter["key"][0] for letter in self.letters(*arguments)))

    def insert(self, *rows: str) -> None:
        """In a second of its own, since that is what commit times are shown in."""
        before = self.second()
        eventually(lambda: self.second() > before, "the next second at the source")
        self.sql("INSERT INTO orders VALUES " + ", ".join(rows))

    def second(self) -> datetime.datetime:
        return self.sql("SELECT date_trunc('second', clock_timestamp())")[0][0]

    def commit_time(self, key: str) -> str:
        times = {letter["commit_time"] for letter in self.letters("--key", key)}
        self.assertEqual(len(times), 1, times)
        return times.pop()

    def test_by_time(self):
        begun = self.second().astimezone(datetime.timezone.utc)
        for key in ("101", "102", "103"):
            self.insert(f"({key}, 2000, 'dear')")
        self.runs()
        first, second, third = (self.commit_time(key) for key in ("101", "102", "103"))
        self.assertLess(first, second)
        self.assertLess(second, third)
        self.assertLess(begun.strftime("%Y-%m-%dT%H:%M:%SZ"), first)
        for arguments, keys in (
                ([], ["101", "102", "103"]),
                (["--from", first], ["101", "102", "103"]),
                (["--from", second], ["102", "103"]),
                (["--until", second], ["101"]),
                (["--until", first], []),
                (["--from", second, "--until", third], ["102"]),
                (["--from", second.rstrip("Z"), "--until", second], []),
                (["--from", first[:16]], ["101", "102", "103"]),
                (["--from", first[:10], "--until", first[:10]], []),
                (["--from", "2001-01-01", "--until", "2001-01-02"], []),
                (["--from", second, "--sink", "second", "--key", "103"], ["103"])):
            self.assertEqual(self.keys(*arguments), keys, arguments)
            exported = self.exported(*arguments)
            self.assertEqual([letter["id"] for letter in exported],
                             [letter["id"] for letter in self.letters(*arguments)])
        for text in ("yesterday", "2026-01-31 12:00", "2026-13-01", "2026-01-31T12:00+02:00"):
            for option in ("--from", "--until"):
                self.assert_refused(self.command("list", option, text), CONFIGURATION,
                                    "not a time", text)

    def test_by_sink(self):
        self.sql("INSERT INTO orders VALUES (101, 2000, 'dear'), (102, 700, 'not cheap')")
        self.runs()
        flows = {(letter["sink"], letter["table"], letter["rule"], letter["key"][0])
                 for letter in self.letters()}
        self.assertEqual(flows, {("duckdb", "orders", "is_small", "101"),
                                 ("duckdb", "cheap", "is_small", "101"),
                                 ("duckdb", "cheap", "is_cheap", "102"),
                                 ("second", "cheap", "is_small", "101"),
                                 ("second", "cheap", "is_cheap", "102")})
        for sink, count in ("duckdb", 3), ("second", 2):
            letters = self.letters("--sink", sink)
            self.assertEqual([letter["sink"] for letter in letters], [sink] * count)
            self.assertEqual({letter["sink"] for letter in self.exported("--sink", sink)}, {sink})
        self.assertEqual(self.letters("--sink", "second", "--table", "orders"), [])
        letter = self.letters("--sink", "second")[0]
        shown = self.output("show", letter["id"], "--sink", "second", "--json")
        self.assertEqual(json.loads(shown)["sink"], "second")
        self.assert_refused(self.command("show", letter["id"], "--sink", "duckdb"), CONFIGURATION,
                            "no such dead letter", letter["id"])
        for command in "list", "export":
            self.assert_refused(self.command(command, "--sink", "third"), CONFIGURATION,
                                "no such sink", "third")

    def test_export(self):
        self.assertEqual(self.output("export", "--format", "json"), "")
        odd = ODD.replace("'", "''")
        self.sql("INSERT INTO orders VALUES (101, 2000, NULL), (102, 3000, ''), "
                 f"(103, 4000, '{odd}'), (104, 5000, 'mended')")
        self.runs()
        self.sql("UPDATE orders SET amount = 1 WHERE id = 104")
        self.runs()
        rows = [{"id": "101", "amount": "2000.00", "note": None},
                {"id": "102", "amount": "3000.00", "note": ""},
                {"id": "103", "amount": "4000.00", "note": ODD}]
        of_one = ("--sink", "duckdb", "--table", "orders")
        exported = self.exported("--format", "json", *of_one)
        self.assertEqual([letter["row"] for letter in exported], rows)
        self.assertEqual(exported, self.exported(*of_one), "json is what it writes by default")
        for letter in exported:
            self.assertEqual(letter["state"], "open")
            shown = self.output("show", letter["id"], "--sink", "duckdb", "--json")
            self.assertEqual(json.loads(shown), letter)
        table = list(csv.DictReader(io.StringIO(self.output("export", "--format", "csv", *of_one))))
        self.assertEqual([json.loads(line["row"]) for line in table], rows)
        self.assertEqual([line["id"] for line in table], [letter["id"] for letter in exported])
        everything = self.exported("--all", *of_one)
        self.assertEqual([(letter["key"], letter["state"]) for letter in everything],
                         [(["101"], "open"), (["102"], "open"), (["103"], "open"),
                          (["104"], "superseded")])
        self.assertEqual(everything[3]["row"]["note"], "mended")
        refused = self.command("export", "--format", "xml")
        self.assertEqual(refused.returncode, CONFIGURATION, refused.stderr)
        self.assert_told(refused.stderr, "xml", "json,csv")
        self.shop.file.write_text("pipeline: 7 8\nsinks: none\n")
        self.assert_refused(self.command("export"), CONFIGURATION, f"{self.shop.file.name}:2")


if __name__ == "__main__":
    main()
