#!/usr/bin/env python3
"""make pressure: what is larger than memory, on a real server: one transaction of 10 GB, and ten
million transactions of one row; both while a pipeline runs that had caught up.

    pressure.py [--megabytes N] [--transactions N] [--only large|small]

Contents are compared row by row afterwards, and memory must have stayed below what docs/guide/
sizing.md says to give. The values do not compress. ctest runs a small form. Full size needs about six
times --megabytes on the disk.
"""

import argparse
import base64
import contextlib
import http.client
import json
import os
import pathlib
import socket
import sys
import threading
import time

from workload import ROOT, Run, Source, query, wait_for_rows, write_pipeline

sys.path.insert(0, str(ROOT / "tools" / "compare"))
import compare  # noqa: E402

MIB = 1 << 20
SINK_MEMORY = 256 * MIB
MEMORY_MAX = 256 * MIB + SINK_MEMORY * 3 // 2
VALUE_BYTES = 1000
SAMPLE_SECONDS = 0.2


class Watch(threading.Thread):
    """The most that the pipeline took of the disk and how far it was behind, until stopped."""

    def __init__(self, folder: pathlib.Path, name: str, pid: int):
        super().__init__(daemon=True)
        self.folder = folder
        self.pid = pid
        self.name_of_pipeline = name
        self.peaks: dict[str, float] = {}
        self.ended = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.ended.wait(SAMPLE_SECONDS):
            for what, value in (self.sizes() | self.lags() | self.stage()).items():
                self.peaks[what] = max(value, self.peaks.get(what, 0))

    def stop(self) -> dict[str, float]:
        self.ended.set()
        self.join()
        assert self.peaks, "nothing was seen of the run"
        return self.peaks

    def sizes(self) -> dict[str, float]:
        sizes = {"spill_mib": 0.0, "log_mib": 0.0, "warehouse_mib": 0.0}
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                size = path.stat().st_blocks * 512 / MIB
                if path.name.startswith("spill"):
                    sizes["spill_mib"] += size
                elif path.suffix == ".seg":
                    sizes["log_mib"] += size
                elif "duckdb" in str(path.relative_to(self.folder)):
                    sizes["warehouse_mib"] += size
        return sizes

    def stage(self) -> dict[str, float]:
        """Rows of the open epoch are in a file without a name."""
        size = 0.0
        for descriptor in pathlib.Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found = descriptor.stat()
                size += found.st_blocks * 512 / MIB if found.st_nlink == 0 else 0
        return {"stage_mib": size}

    def lags(self) -> dict[str, float]:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.sock.connect(str(self.folder / "data" / self.name_of_pipeline / "leat.sock"))
            connection.request("GET", "/status")
            status = json.load(connection.getresponse())
            return {"log_lag_s": status["capture"]["lag_seconds"],
                    "sink_lag_s": status["sinks"][0]["lag_seconds"]}
        return {}


def large(source: Source, megabytes: int) -> int:
    """One transaction of rows of a kilobyte."""
    rows = megabytes * 1_000_000 // VALUE_BYTES
    with source.connection.cursor() as cursor, \
            cursor.copy("COPY things (id, value) FROM STDIN") as copy:
        for number in range(1, rows + 1):
            value = base64.b64encode(os.urandom(VALUE_BYTES * 3 // 4)).decode()
            copy.write(f"{number}\t{value}\n")
    return rows


def small(source: Source, transactions: int) -> int:
    """As many transactions of one row, as fast as one session of the server writes them."""
    source.sql(f"""DO $$ BEGIN FOR i IN 1..{transactions} LOOP
        INSERT INTO things VALUES (i, md5(i::text)); COMMIT; END LOOP; END $$""")
    return transactions


def press(name: str, write, amount: int) -> bool:
    with Source() as source:
        source.sql("CREATE TABLE things (id bigint PRIMARY KEY, value text)")
        source.sql("ALTER TABLE things ALTER value SET STORAGE PLAIN")
        source.sql("INSERT INTO things VALUES (0, '')")
        pipeline, warehouse = write_pipeline(source, name, ["public.things"],
                                             f", memory_limit: {SINK_MEMORY // MIB}MiB")
        run = Run(pipeline)
        wait_for_rows(source, name, "things", 1, run)
        watch = Watch(source.folder, name, run.process.pid)
        begun = time.monotonic()
        rows = write(source, amount)
        written = time.monotonic()
        wait_for_rows(source, name, "things", rows + 1, run, every=SAMPLE_SECONDS)
        visible = time.monotonic()
        peaks = watch.stop()
        run.stop()
        left = [path.name for path in source.folder.rglob("spill*")]
        wrong = compare.differing(compare.compare(source.server.uri(), warehouse,
                                                  ["public.things"]))
        figures = {"rows": rows, "write_s": written - begun, "visible_after_s": visible - written,
                   "cpu_s": run.cpu_seconds, "peak_rss_mib": run.peak_rss / MIB} | peaks
        print(f"{name}: " + ", ".join(f"{what} {value:,.1f}" for what, value in figures.items()),
              flush=True)
    if run.peak_rss > MEMORY_MAX:
        wrong += f"\npeak RSS is above {MEMORY_MAX // MIB} MiB"
    if left:
        wrong += f"\nspill files are left: {left}"
    if wrong:
        print(f"{name}: {wrong}", file=sys.stderr)
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=10_000)
    parser.add_argument("--transactions", type=int, default=10_000_000)
    parser.add_argument("--only", choices=("large", "small"))
    options = parser.parse_args()
    cases = {"large": (large, options.megabytes), "small": (small, options.transactions)}
    held = [press(name, *case) for name, case in cases.items() if options.only in (None, name)]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
