"""What the tests of the command line share: a pipeline in a folder of its own, one PostgreSQL
server, and the assertions that a refusal must pass: exit code, what is wrong, the next step, no
secret. Those on MongoDB have their own server in mongo_fixture.py.
"""

import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "tools"), str(TREE / "tools" / "compare")]

import psycopg  # noqa: E402

import compare  # noqa: E402
from leat_process import Leat, Running, find_binary  # noqa: E402
from pg_server import PgServer  # noqa: E402

OK, FAILED, CONFIGURATION, ENVIRONMENT = 0, 1, 2, 3
WAIT_SECONDS_MAX = 30
PASSWORD = "hunter2"
CODE = r"\[[A-Z]+(-[A-Z]+)+\]"
ORDERS = """
CREATE TABLE orders (id int PRIMARY KEY, amount numeric(10, 2), note text);
INSERT INTO orders SELECT g, g * 1.5, 'note ' || g FROM generate_series(1, 50) g
"""
numbers = itertools.count(1)


def eventually(condition, what: str):
    """The first true value of condition(); fails when there is none in time."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {WAIT_SECONDS_MAX} s: {what}")


def run_sql(uri: str, *statements: str) -> list:
    """Runs them one by one, outside a transaction; the rows of the last."""
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


class Pipeline:
    """A folder with shop.yaml; the warehouse and the log lie beside it."""

    def __init__(self, folder: pathlib.Path, uri: str, name: str = "shop",
                 tables: str = "public.orders", source: str = "", queue: str = "data/shop",
                 warehouse: str = "warehouse.duckdb", type: str = "postgres",
                 list_name: str = "tables"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.uri = uri
        self.name = name
        self.file = folder / f"{name}.yaml"
        self.log = folder / queue
        self.warehouse = folder / warehouse
        extra = f"\n  {source}" if source else ""
        self.text = (f"pipeline: {name}\nsource:\n  type: {type}\n  uri: {uri}\n"
                     f"  {list_name}: [{tables}]{extra}\nqueue: {{type: log, path: {queue}}}\n"
                     f"sinks:\n  - {{type: duckdb, path: {warehouse}}}\n")
        self.file.write_text(self.text)
        self.leat = Leat(find_binary(), self.file)

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        if old not in text:
            raise AssertionError(f"{old!r} is not in\n{text}")
        self.file.write_text(text.replace(old, new))

    def command(self, *arguments: str, prefix: tuple = ()) -> subprocess.CompletedProcess:
        return subprocess.run([*prefix, str(self.leat.binary), *arguments], cwd=self.folder,
                              env=self.leat.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=WAIT_SECONDS_MAX)

    def run(self, *arguments: str, prefix: tuple = ()) -> subprocess.CompletedProcess:
        return self.command("run", self.file.name, "--until-caught-up", *arguments, prefix=prefix)

    def check(self) -> tuple[int, list[dict]]:
        done = self.command("check", self.file.name, "--json")
        return done.returncode, json.loads(done.stdout)["findings"]


class PipelineTest(unittest.TestCase):
    """A pipeline in a folder of its own for each test, and what must be true of it."""

    def make_folder(self) -> pathlib.Path:
        folder = tempfile.TemporaryDirectory(prefix="leat-cli-")
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    @contextlib.contextmanager
    def running(self, pipeline: Pipeline, *arguments: str, failpoints: str = ""):
        """`leat run` beside the test; ended with SIGTERM if the test has not seen to it."""
        process = pipeline.leat.start(*arguments, failpoints=failpoints)
        try:
            yield process
            if process.process.poll() is None:
                self.assertEqual(process.stop(), OK, process.tail())
        finally:
            if process.process.poll() is None:
                process.kill()

    def wait_for_answer(self, pipeline: Pipeline, query: str, *rows: list) -> None:
        """Of `leat query`, whose values are text."""
        eventually(lambda: pipeline.leat.query(query) == list(rows), f"{rows} of {query}")

    def wait_for_rows(self, pipeline: Pipeline, count: int, table: str = "orders") -> None:
        self.wait_for_answer(pipeline, f"SELECT count(*) FROM {table}", [str(count)])

    def wait_for_log(self, process: Running, phrase: str) -> None:
        eventually(lambda: phrase in process.log.read_text(errors="replace"),
                   f"{phrase!r} in the log, which says\n{process.tail()}")

    def assert_killed_at(self, pipeline: Pipeline, point: str, hits: int = 1) -> None:
        process = pipeline.leat.start(failpoints=f"{point}={hits}")
        code = process.wait(WAIT_SECONDS_MAX)
        if code is None:
            process.kill()
        self.assertEqual(code, -signal.SIGKILL, f"not killed at {point}:\n{process.tail()}")

    def assert_told(self, text: str, *phrases: str) -> None:
        for phrase in phrases:
            self.assertIn(phrase.lower(), text.lower())
        self.assertNotIn(PASSWORD, text)

    def assert_refused(self, done: subprocess.CompletedProcess, code: int, *phrases: str) -> None:
        """Ended with this exit code, saying all this, a next step and an error's code."""
        self.assertEqual(done.returncode, code, done.stderr)
        self.assert_told(done.stderr, *phrases)
        if code != CONFIGURATION:
            self.assertRegex(done.stderr, r"next step: \S")
        self.assertRegex(done.stderr, CODE)

    def lasting_files(self) -> list:
        """Without what a pipeline that runs beside the check makes and removes by itself."""
        return sorted(path for path in self.folder.rglob("*") if path.suffix != ".wal")

    def assert_problem(self, pipeline: Pipeline, *phrases: str) -> None:
        """`leat check` finds it, with a remedy, and changes nothing."""
        before = self.lasting_files()
        code, findings = pipeline.check()
        self.assertEqual(self.lasting_files(), before)
        self.assertEqual(code, ENVIRONMENT, findings)
        problems = [finding for finding in findings if finding["severity"] == "problem"]
        told = "\n".join(f"{found['what']} | {found['remedy']}" for found in problems)
        self.assert_told(told, *phrases)
        for found in problems:
            self.assertTrue(found["remedy"], found)
            self.assertTrue(found["code"], found)

    def assert_runs(self, pipeline: Pipeline, *tables: str) -> None:
        """Catches up, and every row of the source is in the warehouse, once."""
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_equal(pipeline, *tables)


class CliTest(PipelineTest):
    """A server for all tests of the module, a database and a folder for each of them."""

    @classmethod
    def setUpClass(cls):
        cls.server = PgServer(tempfile.mkdtemp(prefix="leat-cli-"),
                              settings={"max_replication_slots": "60", "max_wal_senders": "20"})
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()

    def setUp(self):
        # Slots belong to the whole server, so each test has a pipeline name of its own.
        self.number = next(numbers)
        self.name = f"shop{self.number}"
        self.slot = f"leat_{self.name}"
        run_sql(self.server.uri(), f"CREATE DATABASE {self.name}")
        self.uri = self.server.uri(self.name)
        self.sql(ORDERS)
        self.folder = self.make_folder()

    def sql(self, *statements: str) -> list:
        return run_sql(self.uri, *statements)

    def pipeline(self, **options) -> Pipeline:
        return Pipeline(options.pop("folder", self.folder), options.pop("uri", self.uri),
                        **{"name": self.name} | options)

    def assert_equal(self, pipeline: Pipeline, *tables: str) -> None:
        results = compare.compare(self.uri, pipeline.warehouse, list(tables or ["public.orders"]))
        self.assertEqual(compare.differing(results), "")


def main() -> None:
    if not re.search(r"\S", os.environ.get("LEAT_BINARY", "")):
        print("LEAT_BINARY is not set: the release build of this tree is tested", file=sys.stderr)
    unittest.main(module="__main__", verbosity=2)
