#!/usr/bin/env python3
"""Full and lost disks and very large things under a running pipeline: it waits with a reason and goes on by
itself when there is room again, or stops and says what to do; nothing is lost. The small disks are
tmpfs mounts, which takes root; without it the tests are skipped.
"""

import contextlib
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

from cli_fixture import ENVIRONMENT, FAILED, CliTest, eventually, main

BALLAST = "ballast"


@contextlib.contextmanager
def small_disk(megabytes: int):
    with tempfile.TemporaryDirectory(prefix="leat-disk-") as name:
        folder = pathlib.Path(name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
                       check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", folder], check=False)


class JournaledDisk:
    """An ext4 volume that turns read-only at an error, as a real disk does. It cannot be asked to
    while files are being written; the kernel's own test hook makes the error."""

    def __init__(self, megabytes: int):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-disk-"))
        self.image = self.folder.with_suffix(".img")
        with open(self.image, "wb") as image:
            image.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop,errors=remount-ro", self.image, self.folder],
                       check=True)

    def umount(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True)

    def turn_read_only(self) -> None:
        device = subprocess.run(["findmnt", "-no", "SOURCE", self.folder], check=True,
                                capture_output=True, text=True).stdout.strip()
        pathlib.Path(f"/sys/fs/ext4/{pathlib.Path(device).name}/trigger_fs_error").write_text("1")

    def remove(self) -> None:
        self.umount()
        self.folder.rmdir()
        self.image.unlink()


def resize(folder: pathlib.Path, megabytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", folder], check=True)


def fill(folder: pathlib.Path) -> None:
    """Takes all the room there is."""
    with open(folder / BALLAST, "wb", buffering=0) as ballast:
        with contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(1 << 16))
        with contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(1 << 12))


def make_room(folder: pathlib.Path) -> None:
    (folder / BALLAST).unlink()


def status(pipeline) -> dict:
    """As the running pipeline tells it, through its socket."""
    connection = http.client.HTTPConnection("leat")
    connection.sock = socket.socket(socket.AF_UNIX)
    with contextlib.closing(connection):
        connection.sock.connect(str(next(pipeline.log.glob("*.sock"))))
        connection.request("GET", "/status")
        return json.load(connection.getresponse())


class FullDisk(CliTest):
    def insert(self, first: int, count: int, bytes_each: int = 400) -> None:
        self.sql("INSERT INTO orders SELECT g, 1, repeat(md5(g::text), "
                 f"{max(1, bytes_each // 32)}) FROM generate_series({first}, {first + count - 1}) g")

    def small_log(self, pipeline) -> None:
        pipeline.text = pipeline.text.replace("type: log,", "type: log, segment_bytes: 1MiB, "
                                              "max_bytes: 64MiB,")
        pipeline.file.write_text(pipeline.text)

    def test_full_log_volume_makes_the_source_wait(self):
        with small_disk(40) as disk:
            pipeline = self.pipeline(queue=f"{disk}/log")
            self.small_log(pipeline)
            with self.running(pipeline) as run:
                self.wait_for_rows(pipeline, 50)
                fill(disk)
                # More than the segments hold that were made ahead.
                self.insert(1000, 10000)
                eventually(lambda: "No space left" in
                           status(pipeline)["queue"]["message"], "a reason in the status")
                make_room(disk)
                self.wait_for_rows(pipeline, 10050)
                eventually(lambda: status(pipeline)["queue"]["message"] == "", "no pressure")
                self.assertIsNone(run.process.poll())
            self.assert_equal(pipeline)

    def test_full_warehouse_volume_makes_the_sink_wait(self):
        with small_disk(6) as disk:
            pipeline = self.pipeline(warehouse=f"{disk}/warehouse.duckdb")
            with self.running(pipeline) as run:
                self.wait_for_rows(pipeline, 50)
                fill(disk)
                # No text that compresses.
                self.sql("INSERT INTO orders SELECT g, 1, (SELECT string_agg(md5(g::text || "
                         "i::text), '') FROM generate_series(1, 20) i) "
                         "FROM generate_series(1000, 20999) g")
                eventually(lambda: status(pipeline)["sinks"][0]["phase"] == "waiting",
                           f"a sink that waits\n{run.tail()}")
                self.assert_told(run.tail(), "space", "next step")
                make_room(disk)
                resize(disk, 400)
                self.wait_for_rows(pipeline, 20050)
            self.assert_equal(pipeline)

    def test_full_spill_volume_makes_the_source_wait(self):
        with small_disk(40) as disk:
            pipeline = self.pipeline(queue=f"{disk}/log")
            self.small_log(pipeline)
            with self.running(pipeline) as run:
                self.wait_for_rows(pipeline, 50)
                # One transaction of about 60 MB does not fit beside the log, as long as it is open.
                self.insert(1000, 40000, 1500)
                eventually(lambda: "No space left" in run.log.read_text() or "No space left" in
                           status(pipeline)["queue"]["message"], f"a reason\n{run.tail()}")
                resize(disk, 400)
                self.wait_for_rows(pipeline, 40050)
            self.assert_equal(pipeline)

    def test_log_volume_that_turns_read_only_stops_the_pipeline(self):
        if not os.path.exists("/dev/loop-control"):
            self.skipTest("no loop devices")
        disk = JournaledDisk(100)
        self.addCleanup(disk.remove)
        pipeline = self.pipeline(queue=f"{disk.folder}/log")
        self.small_log(pipeline)
        run = pipeline.leat.start()
        try:
            self.wait_for_rows(pipeline, 50)
            self.insert(1000, 1000)
            disk.turn_read_only()
            self.insert(2000, 10000)
            self.assertEqual(run.wait(60), FAILED, run.tail())
            self.assert_told(run.tail(), "read-only file system [LOG-DISK]", "mount it")
        finally:
            if run.process.poll() is None:
                run.kill()
        self.assert_refused(pipeline.run(), ENVIRONMENT, "read-only file system [LOG-DISK]")
        disk.umount()
        disk.mount()
        # What had been confirmed would not be sent again.
        self.assert_runs(pipeline)

    def test_lost_log_volume_stops_the_pipeline(self):
        with small_disk(100) as disk:
            pipeline = self.pipeline(queue=f"{disk}/log")
            self.small_log(pipeline)
            run = pipeline.leat.start()
            try:
                self.wait_for_rows(pipeline, 50)
                # Held open, so that it can be looked into afterwards.
                os.chdir(disk)
                subprocess.run(["umount", "-l", disk], check=True)
                self.insert(1000, 10000)
                code = run.wait(60)
                self.assertEqual(code, FAILED, run.tail())
                self.assert_told(run.tail(), "folder of the log is gone", "next step")
                self.assertEqual(os.listdir(disk), [])
            finally:
                os.chdir("/")
                if run.process.poll() is None:
                    run.kill()


class LargeThings(CliTest):
    def test_many_subtransactions_some_rolled_back(self):
        self.sql("CREATE TABLE nested (id int PRIMARY KEY)")
        pipeline = self.pipeline(tables="public.nested, public.orders")
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            self.sql("""DO $$ BEGIN FOR i IN 1..100000 LOOP
                          BEGIN
                            INSERT INTO nested VALUES (i);
                            IF i % 10 = 0 THEN RAISE EXCEPTION 'undo'; END IF;
                          EXCEPTION WHEN raise_exception THEN NULL; END;
                        END LOOP; END $$""")
            self.wait_for_rows(pipeline, 90000, "nested")
        self.assert_equal(pipeline, "public.nested")

    def test_as_many_columns_as_a_table_can_have(self):
        columns = ", ".join(f"c{number} int" for number in range(1, 1600))
        self.sql(f"CREATE TABLE wide (id int PRIMARY KEY, {columns})",
                 "INSERT INTO wide (id, c1599) SELECT g, g FROM generate_series(1, 20) g")
        pipeline = self.pipeline(tables="public.wide, public.orders")
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 20, "wide")
            self.sql("INSERT INTO wide (id, c1, c1599) SELECT g, 1, g FROM "
                     "generate_series(21, 500) g",
                     "UPDATE wide SET c800 = id WHERE id % 2 = 0", "DELETE FROM wide WHERE id < 5")
            # The comparison of every column takes minutes at both databases.
            sums = "SELECT count(*), sum(id), sum(c1), sum(c800), sum(c1599) FROM wide"
            wanted = [[str(value) for value in self.sql(sums)[0]]]
            eventually(lambda: pipeline.leat.query(sums) == wanted, f"{wanted} in the warehouse")

    def test_values_too_large_for_the_memory_of_the_sink(self):
        pipeline = self.pipeline()
        small = pipeline.text.replace("{type: duckdb,", "{type: duckdb, memory_limit: 64MiB,")
        pipeline.file.write_text(small)
        run = pipeline.leat.start()
        try:
            self.wait_for_rows(pipeline, 50)
            self.sql("INSERT INTO orders SELECT g, 1, repeat('abcdefgh', 5000000) "
                     "FROM generate_series(100, 102) g")
            eventually(lambda: "raise memory_limit" in run.log.read_text().lower(),
                       f"the next step\n{run.tail()}")
            self.assertIsNone(run.process.poll())
        finally:
            run.kill()
        pipeline.file.write_text(small.replace("64MiB", "1GiB"))
        self.assert_runs(pipeline)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("small disks need root", file=sys.stderr)
        sys.exit(77)
    main()
