#!/usr/bin/env python3
"""The command line end to end: what it prints and returns, and what it says about a wrong pipeline
file, a wrong log folder and a wrong warehouse file. The source's troubles: cli_source_live_test.py.
"""

import json
import os
import pathlib
import subprocess
import unittest

import duckdb

from cli_fixture import (CONFIGURATION, ENVIRONMENT, FAILED, OK, CliTest, Pipeline, main)

# As root a mode does not keep anybody out, unless these capabilities are given up.
UNPRIVILEGED = (("setpriv", "--bounding-set=-dac_override,-dac_read_search")
                if os.geteuid() == 0 else ())


class PipelineFile(CliTest):
    def refuse(self, old: str, new: str, *phrases: str) -> None:
        pipeline = self.pipeline()
        self.assertIn(old, pipeline.text)
        pipeline.file.write_text(pipeline.text.replace(old, new, 1))
        for command in (["run"], ["check"], ["drop", "--yes"], ["query", "SELECT 1"]):
            done = pipeline.command(command[0], pipeline.file.name, *command[1:])
            self.assert_refused(done, CONFIGURATION, *phrases)
        self.assertEqual([path.name for path in self.folder.iterdir()], [pipeline.file.name])
        pipeline.file.write_text(pipeline.text)

    def test_wrong_files(self):
        name = f"{self.name}.yaml"
        self.refuse("tables:", "tabels:", f"{name}:5:3", "tabels", "did you mean 'tables'", "^~~~")
        self.refuse("tables: [public.orders]", "tables: {a: b}", f"{name}:5:11", "list")
        self.refuse("type: log,", "type: log, segment_bytes: many,", f"{name}:6:", "segment_bytes")
        self.refuse("type: log,", "type: log, linger: 1h,", f"{name}:6:", "linger")
        self.refuse("  uri:", "  type: postgres\n  uri:", f"{name}:4:3", "duplicate key 'type'")
        self.refuse("[public.orders]", "[public.orders", f"{name}:", "error")
        self.refuse("[public.orders]", "[]", "tables")
        self.refuse("type: postgres", "type: oracle", "oracle", "postgres")
        self.refuse("uri: postgresql://", "uri: ${env:LEAT_NOT_SET}", "LEAT_NOT_SET", "not set",
                    "export LEAT_NOT_SET")
        # All that is wrong at once.
        self.refuse("  tables:", "  tabels:\n  slott: x\n  tables:", "tabels", "slott")

    def test_missing_file(self):
        pipeline = self.pipeline()
        pipeline.file.unlink()
        for command in ("run", "check"):
            self.assert_refused(pipeline.command(command, pipeline.file.name), CONFIGURATION,
                                pipeline.file.name, "no such file")

    def test_wrong_arguments(self):
        pipeline = self.pipeline()
        for arguments in ([], ["rnu"], ["run"], ["run", pipeline.file.name, "--only", "both"]):
            self.assertEqual(pipeline.command(*arguments).returncode, CONFIGURATION, arguments)
        self.assertEqual(pipeline.command("--help").returncode, OK)


class Commands(CliTest):
    def test_init_check_run(self):
        pipeline = self.pipeline()
        done = pipeline.command("init", "new.yaml")
        self.assertEqual(done.returncode, OK)
        self.assertIn("leat check new.yaml", done.stdout)
        text = (self.folder / "new.yaml").read_text()
        self.assert_refused(pipeline.command("init", "new.yaml"), ENVIRONMENT, "exists already")
        self.assertEqual((self.folder / "new.yaml").read_text(), text)
        # What init writes is valid but for the password's variable and the server.
        pipeline.leat.environment["LEAT_PASSWORD"] = "x"
        ours = (text.replace("postgresql://leat:${env:LEAT_PASSWORD}@127.0.0.1:5432/shop", self.uri)
                .replace("pipeline: shop", f"pipeline: {self.name}"))
        pipeline.file.write_text(ours)
        self.sql("CREATE TABLE customers (id int PRIMARY KEY)")
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        self.assertFalse(any((self.folder / name).exists() for name in ("data", "warehouse.duckdb")))
        self.assertEqual(self.sql("SELECT count(*) FROM pg_publication"), [(0,)])
        told = "\n".join(finding["what"] for finding in findings)
        self.assert_told(told, "PostgreSQL", "public.orders: key id", "max_slot_wal_keep_size is -1",
                         f"slot {self.slot} will be made", "log will be made", "duckdb file will be made")
        self.assert_runs(pipeline, "public.orders", "public.customers")
        self.assertEqual(pipeline.check()[0], OK)

    def test_tables_of_a_sink(self):
        pipeline = self.pipeline()
        one = "path: warehouse.duckdb, tables: [%s]}"
        pipeline.file.write_text(pipeline.text.replace("path: warehouse.duckdb}", one % "ordres"))
        code, findings = pipeline.check()
        self.assertEqual(code, ENVIRONMENT, findings)
        self.assertIn("tables: ordres is neither a table of the source nor a transform",
                      [found["what"] for found in findings if found["severity"] == "problem"])
        pipeline.file.write_text(pipeline.text.replace("path: warehouse.duckdb}", one % "Orders"))
        self.assertEqual(pipeline.check()[0], OK)
        self.assert_runs(pipeline)

    def test_query(self):
        pipeline = self.pipeline()
        query = ["query", pipeline.file.name]
        self.assert_refused(pipeline.command(*query, "SELECT 1"), ENVIRONMENT, "not running",
                            f"leat run {pipeline.file.name}")
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            table = pipeline.command(*query, "SELECT id, note FROM orders WHERE id < 3 ORDER BY id")
            self.assertEqual(table.stdout, "id  note\n--  ------\n 1  note 1\n 2  note 2\n(2 rows)\n")
            done = pipeline.command(*query, "SELECT max(amount) AS most, NULL AS none FROM orders", "--json")
            answer = json.loads(done.stdout)
            self.assertEqual((answer["columns"], answer["rows"], answer["truncated"]),
                             (["most", "none"], [["75.00", None]], False))
            self.assert_refused(pipeline.command(*query, "INSERT INTO orders VALUES (9, 9, '')"),
                                FAILED, "not a SELECT")
            self.assert_refused(pipeline.command(*query, "SELECT * FROM ordes"), FAILED, "ordes")
            self.assert_refused(pipeline.command(*query, "SELECT 1", "--sink", "x"), FAILED, "x")
        self.assert_equal(pipeline)

    def test_capture_then_deliver(self):
        pipeline = self.pipeline()
        done = pipeline.run("--only", "capture")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertFalse(pipeline.warehouse.exists())
        self.sql("UPDATE orders SET note = 'changed' WHERE id < 10", "DELETE FROM orders WHERE id = 20")
        # The second finds nothing that is new, and must not wait for it.
        for _ in range(2):
            self.assertEqual(pipeline.run("--only", "capture").returncode, OK)
        report = self.folder / "report.json"
        done = pipeline.run("--only", "deliver", "--report", str(report), "--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_equal(pipeline)
        figures = json.loads(report.read_text())
        self.assertEqual(figures["result"], "ok")
        self.assertGreater(figures["peak_rss_bytes"], 0)
        self.assertEqual(json.loads(done.stdout), figures)

    def test_report_of_a_failure(self):
        pipeline = self.pipeline(tables="public.nowhere")
        report = self.folder / "report.json"
        self.assert_refused(pipeline.run("--report", str(report)), ENVIRONMENT, "public.nowhere")
        figures = json.loads(report.read_text())
        self.assertEqual(figures["result"], "failed")
        self.assertIn("public.nowhere", figures["error"])
        self.assertEqual(figures["code"], "PG-TABLE-MISSING")
        refused = json.loads(pipeline.run("--json").stdout)
        self.assertEqual((refused["code"], refused["exit_code"]), ("PG-TABLE-MISSING", ENVIRONMENT))
        done = pipeline.run("--report", "no/such/folder/report.json")
        self.assert_refused(done, ENVIRONMENT, "report cannot be written")

    def test_drop(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        self.assert_refused(pipeline.command("drop", pipeline.file.name), FAILED, "nothing was removed")
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            done = pipeline.command("drop", pipeline.file.name, "--yes")
            self.assert_refused(done, ENVIRONMENT, "in use", "pid")
        done = pipeline.command("drop", pipeline.file.name, "--yes", "--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertEqual(json.loads(done.stdout)["removed"],
                         [f"replication slot {self.slot}", f"publication {self.slot}", "log data/shop"])
        self.assertFalse(pipeline.log.exists())
        self.assertTrue(pipeline.warehouse.exists())
        slots = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{}'"
        self.assertEqual(self.sql(slots.format(self.slot)), [(0,)])
        done = pipeline.command("drop", pipeline.file.name, "--yes")
        self.assertEqual((done.returncode, done.stdout), (OK, "nothing was left to remove\n"))

    def test_explain(self):
        command = self.pipeline().command
        listed = json.loads(command("explain", "--json").stdout)["codes"]
        self.assertEqual(len(command("explain").stdout.splitlines()), len(listed))
        told = command("explain", "pg-slot-lost")
        self.assertEqual(told.returncode, OK, told.stderr)
        self.assert_told(told.stdout, "PG-SLOT-LOST", "what becomes of the data", "on_gap: resnapshot")
        page = json.loads(command("explain", "PG-SLOT-LOST", "--json").stdout)
        self.assertIn(page, listed)
        self.assertEqual(set(page), {"code", "title", "meaning", "data", "steps"})
        self.assert_refused(command("explain", "PG-SLOTT-LOST"), CONFIGURATION,
                            "no such code: PG-SLOTT-LOST", "PG-SLOT-LOST", "next step")

    def test_version(self):
        pipeline = self.pipeline()
        self.assertRegex(pipeline.command("version").stdout, r"^leat \d+\.\d+\.\d+ ")
        version = json.loads(pipeline.command("version", "--json").stdout)
        self.assertRegex(version["version"], r"^\d+\.\d+\.\d+$")
        self.assertIn("lane.before_commit", version["failpoints"])


class LogFolder(CliTest):
    def setUp(self):
        super().setUp()
        self.shop = self.pipeline()

    def run_with_changes(self) -> pathlib.Path:
        """Several frames in the log; its newest segment of changes."""
        with self.running(self.shop):
            for number in range(51, 56):
                self.sql(f"INSERT INTO orders VALUES ({number}, 1, 'x')")
                self.wait_for_rows(self.shop, number)
        self.assert_equal(self.shop)
        return max(self.shop.log.glob("changes-*.seg"))

    def inspect(self) -> tuple[int, dict | None, list[dict]]:
        """Exit code, first defect, segments."""
        done = self.shop.command("log", "inspect", "data/shop", "--json")
        found = json.loads(done.stdout)
        return done.returncode, found["summary"].get("first_defect"), found["segments"]

    def frames(self, segment: pathlib.Path) -> list[dict]:
        listed = self.inspect()[2]
        return next(one["frames"] for one in listed if one["file"] == segment.name)

    def write_at(self, segment: pathlib.Path, at: int, data: bytes) -> None:
        with segment.open("r+b") as file:
            file.seek(at)
            file.write(data)

    def test_is_a_file(self):
        self.shop.log.parent.mkdir()
        self.shop.log.write_text("in the way")
        self.assert_refused(self.shop.run(), ENVIRONMENT, "folder", "data/shop")
        self.assert_problem(self.shop, "not a folder")
        self.shop.log.unlink()
        self.assert_runs(self.shop)

    def test_is_read_only(self):
        self.assert_runs(self.shop)
        self.sql("INSERT INTO orders VALUES (51, 1, 'x')")
        modes = {path: path.stat().st_mode for path in [self.shop.log, *self.shop.log.rglob("*")]}
        for path in modes:
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = self.shop.run(prefix=UNPRIVILEGED)
        if done.returncode == OK:
            self.skipTest("modes keep nobody out here")
        self.assert_refused(done, ENVIRONMENT, "Permission denied", "data/shop")
        for path, mode in modes.items():
            path.chmod(mode)
        self.assert_runs(self.shop)

    def test_owned_by_another_process(self):
        with self.running(self.shop) as first:
            self.wait_for_rows(self.shop, 50)
            self.assert_refused(self.shop.run(), ENVIRONMENT, "in use by another process",
                                str(first.process.pid))
            self.assert_problem(self.shop, "in use by another process", str(first.process.pid))
        self.assert_runs(self.shop)

    def test_of_another_pipeline(self):
        self.assert_runs(self.shop)
        other = self.pipeline(name=f"{self.name}b", warehouse="other.duckdb")
        phrases = ("log belongs to another pipeline", self.name, "folder of its own")
        self.assert_refused(other.run(), ENVIRONMENT, *phrases)
        self.assert_problem(other, *phrases)
        done = other.command("drop", other.file.name, "--yes")
        self.assert_refused(done, ENVIRONMENT, *phrases)
        self.assert_runs(self.shop)

    def test_damaged_in_the_middle(self):
        segment = self.run_with_changes()
        whole = segment.read_bytes()
        victim = [frame for frame in self.frames(segment) if frame["kind"] == "changes"][1]
        at = victim["at"] + 100
        self.write_at(segment, at, bytes(byte ^ 0xff for byte in whole[at:at + 64]))
        self.sql("INSERT INTO orders VALUES (56, 1, 'x')")
        self.assert_refused(self.shop.run(), FAILED, "log is damaged", segment.name,
                            f"byte {victim['at']}", "leat log inspect")
        code, found, _ = self.inspect()
        self.assertEqual(code, FAILED)
        self.assertEqual((found["file"], found["at"], found["tail"]),
                         (segment.name, victim["at"], False))
        segment.write_bytes(whole)
        self.assert_runs(self.shop)

    def test_damaged_and_given_up(self):
        segment = self.run_with_changes()
        victim = [frame for frame in self.frames(segment) if frame["kind"] == "changes"][1]
        self.write_at(segment, victim["at"] + 100, b"\xff" * 64)
        self.assert_refused(self.shop.run(), FAILED, "log is damaged", "leat drop FILE")
        dropped = self.shop.command("drop", self.shop.file.name, "--yes")
        self.assertEqual(dropped.returncode, OK, dropped.stderr)
        self.shop.warehouse.rename(self.folder / "old.duckdb")
        self.assert_runs(self.shop)

    def test_torn_at_the_tail(self):
        segment = self.run_with_changes()
        end = max(frame["at"] + frame["bytes"] for frame in self.frames(segment))
        self.write_at(segment, end, b"half a frame" * 500)
        code, found, _ = self.inspect()
        self.assertEqual((code, found["at"], found["tail"]), (OK, end, True))
        self.sql("INSERT INTO orders VALUES (56, 1, 'x')")
        self.assert_runs(self.shop)
        self.assertEqual(self.inspect()[:2], (OK, None))

    def test_acknowledged_frames_gone(self):
        """The disk lost what it had acknowledged: a stop with the reason, not a silent gap."""
        segment = self.run_with_changes()
        whole = segment.read_bytes()
        frames = [frame for frame in self.frames(segment) if frame["kind"] == "changes"]
        self.write_at(segment, frames[2]["at"], bytes(len(whole) - frames[2]["at"]))
        done = self.shop.run()
        self.assert_refused(done, FAILED, "frames that were durable are gone", "data/shop")
        segment.write_bytes(whole)
        self.assert_runs(self.shop)


class Warehouse(CliTest):
    def test_locked(self):
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        self.sql("DELETE FROM orders WHERE id < 5")
        with duckdb.connect(str(pipeline.warehouse)):
            phrases = ("duckdb file is in use", str(os.getpid()), "Stop the process")
            self.assert_refused(pipeline.run(), ENVIRONMENT, *phrases)
            self.assert_problem(pipeline, *phrases)
        self.assert_runs(pipeline)

    def test_of_another_pipeline(self):
        self.assert_runs(self.pipeline())
        other = self.pipeline(name=f"{self.name}b", queue="data/other")
        phrases = ("belongs to another pipeline", self.name, "another file")
        self.assert_problem(other, *phrases)
        self.assert_refused(other.run(), ENVIRONMENT, *phrases)
        self.assert_equal(self.pipeline())
        self.assert_runs(self.pipeline(name=f"{self.name}b", queue="data/other",
                                       warehouse="other.duckdb"))

    def test_not_a_duckdb_file(self):
        pipeline = self.pipeline(warehouse="notes.txt")
        text = "these are my notes, not a database\n" * 500
        pipeline.warehouse.write_text(text)
        self.assert_problem(pipeline, "not a duckdb file", "notes.txt")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "not a duckdb file", "notes.txt")
        self.assertEqual(pipeline.warehouse.read_text(), text)
        self.assert_runs(self.pipeline())

    def test_folder_is_missing(self):
        pipeline = self.pipeline(warehouse="lake/warehouse.duckdb")
        self.assert_problem(pipeline, "lake", "mkdir")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "duckdb file cannot be opened", "lake")
        (self.folder / "lake").mkdir()
        self.assert_runs(pipeline)


if __name__ == "__main__":
    main()
