"""What the benchmarks do at the source, and the pipelines they run: servers, tables, rows, leat."""

import http.client
import json
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

import psycopg

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from pg_server import PgServer  # noqa: E402

BUILD = pathlib.Path(os.environ.get("LEAT_BUILD_DIR", ROOT / "build" / "release"))
LEAT = os.environ.get("LEAT_BINARY", str(BUILD / "bin" / "leat"))

class Source:
    """A private server, and `leat simulate` that writes to it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-bench-"))
        os.chmod(self.folder, 0o755)
        self.server = PgServer(self.folder / "pg", settings={
            "shared_buffers": "512MB", "max_wal_size": "8GB", "checkpoint_timeout": "1h",
            "max_replication_slots": "40", "max_wal_senders": "20", "synchronous_commit": "off",
            "wal_sender_timeout": "300s", "autovacuum": "off", "fsync": "off"})

    def __enter__(self):
        self.server.start()
        self.connection = psycopg.connect(self.server.uri(), autocommit=True)
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.server.remove()
        subprocess.run(["rm", "-rf", str(self.folder)], check=False)

    def sql(self, text, *parameters):
        cursor = self.connection.execute(text, parameters or None)
        return cursor.fetchall() if cursor.description else None

    def simulate(self, *arguments):
        """Changes of the table `events`: seven columns, about 100 bytes a row. The report."""
        return json.loads(timed([LEAT, "simulate", self.server.uri(), "--data", "events", "--rate",
                                 0, "--json", *arguments])[2])

    def make_events(self, rows=0):
        self.simulate("--rows", rows, "--events", 0)

    def insert(self, rows, per_transaction):
        self.simulate("--rows", 0, "--mix", "inserts", "--events", rows, "--transaction",
                      per_transaction)

    def slot(self, name, publication_tables):
        self.sql(f"CREATE PUBLICATION {name} FOR TABLE {publication_tables}")
        self.sql("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", name)

    def drop_slot(self, name):
        self.sql("SELECT pg_drop_replication_slot(%s)", name)
        self.sql(f"DROP PUBLICATION {name}")

    def mark_end(self):
        """Where a reference client stops: an LSN that only one more row, inserted here, is behind.

        Without that row the client would wait for the server's next keepalive, seconds later.
        """
        text = self.sql("SELECT pg_current_wal_insert_lsn()")[0][0]
        self.insert(1, 1)
        self.sql("SET synchronous_commit = on")
        self.sql("SELECT txid_current()")
        self.sql("SET synchronous_commit = off")
        high, low = text.split("/")
        return text, (int(high, 16) << 32) + int(low, 16)


def write_pipeline(source, name, tables, extra_sink="", extra_run=""):
    """A pipeline file in the source's folder; returns its path and the warehouse's."""
    warehouse = source.folder / f"{name}.duckdb"
    path = source.folder / f"{name}.yaml"
    path.write_text(f"""pipeline: {name}
source:
  type: postgres
  uri: {source.server.uri()}
  tables: [{', '.join(tables)}]
queue: {{type: log, path: {source.folder}/data/{name}}}
sinks:
  - {{type: duckdb, path: {warehouse}{extra_sink}}}
{extra_run}""")
    return path, warehouse


def high_water(pid):
    """The most resident memory of a process so far, in bytes; 0 when it has ended. The kernel's
    ru_maxrss would count what this process held when it started the other."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)
    return int(found[1]) * 1024 if found else 0


class Run:
    """A `leat run`; `cpu_seconds`, `peak_rss` and `report` are there once it has ended."""

    def __init__(self, pipeline, *arguments):
        self.report_path = pathlib.Path(str(pipeline) + ".report.json")
        self.log = open(str(pipeline) + ".log", "ab")
        self.peak_rss = 0
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [LEAT, "run", str(pipeline), "--report", str(self.report_path), *arguments],
            stdout=self.log, stderr=self.log)

    def wait(self):
        ended = 0
        while not ended:
            self.peak_rss = max(self.peak_rss, high_water(self.process.pid))
            ended, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            time.sleep(0 if ended else 0.01)
        self.seconds = time.monotonic() - self.started
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds = usage.ru_utime + usage.ru_stime
        self.log.close()
        if self.process.returncode not in (0, -signal.SIGKILL):
            raise RuntimeError(f"leat ended with {self.process.returncode}: "
                               + open(self.log.name).read()[-2000:])
        if self.process.returncode == 0:
            self.report = json.loads(self.report_path.read_text())
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()


def query(source, name, sql):
    """First value of a query to the running pipeline, or None while it cannot answer."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.connect(str(source.folder / "data" / name / "leat.sock"))
        connection.request("POST", "/query", sql)
        answer = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    rows = answer.get("rows")
    return rows[0][0] if rows else None


def wait_for_rows(source, name, table, rows, run, every=0.05):
    """Seconds from the start of the run until a query sees so many rows."""
    while run.process.poll() is None:
        seen = query(source, name, f"SELECT count(*) FROM {table}")
        if seen is not None and int(seen) >= rows:
            return time.monotonic() - run.started
        time.sleep(every)
    raise RuntimeError("leat ended early: " + open(run.log.name).read()[-2000:])


def cpu_of(pid):
    """CPU seconds that a running process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(command):
    """Seconds and CPU seconds of a command that must succeed; also what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, done.stdout


def recvlogical(source, slot, end_lsn):
    """C0: pg_recvlogical, text, protocol 1, to /dev/null; seconds."""
    return timed([source.server.bindir / "pg_recvlogical", "-d", source.server.uri(), "-S", slot,
                  "--start", "-f", "/dev/null", "--endpos", end_lsn, "--no-loop", "-o",
                  "proto_version=1", "-o", f"publication_names={slot}"])[0]


def counting_stream(source, slot, end_number):
    """The counting client over the same changes: its own figures."""
    uri = source.server.uri() + "?replication=database"
    return json.loads(timed([BUILD / "bin" / "postgres_counting_client", "stream", uri, slot, slot,
                             end_number])[2])
