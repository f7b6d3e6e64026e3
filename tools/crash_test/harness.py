"""The crash test itself: cycles of running, killing and checking the program under load.

Raises Failure with what was found; everything that happened is counted in `Report`.
"""

import collections
import contextlib
import dataclasses
import pathlib
import random
import signal
import threading
import time

import psycopg
from psycopg import errors

import compare
import operations
import tables
import transforms
from generation import Generation, Torn
from leat_process import Leat, LeatFailed, Running
from pg_server import PgServer
from plan import Cycle, Plan
from workload import Workload, end_prepared, make_source, touch_tables

SERVER = {
    "logical_decoding_work_mem": "64kB",  # so that nearly every large transaction is streamed
    "max_prepared_transactions": "30",
    "max_connections": "60",
    "deadlock_timeout": "100ms",
    "wal_sender_timeout": "20s",
}
CAUGHT_UP_SECONDS_MAX = 300
SLOT_RELEASE_SECONDS_MAX = 30
VERIFY_BEFORE_DROP_SHARE = 0.7
KILLED = -signal.SIGKILL


class Failure(Exception):
    """Lost or doubled rows, a torn state, or a program that ended in the wrong way."""


@dataclasses.dataclass
class Report:
    """What happened in a run, for people and for machines."""
    seed: int
    lanes: int
    result: str = "running"
    failure: str | None = None
    cycles: int = 0
    kills: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failpoints_hit: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    failpoints_never_reached: list[str] = dataclasses.field(default_factory=list)
    other_faults: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    generations: int = 0
    comparisons: int = 0
    rows_compared: int = 0
    shaped_tables: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    transactions: dict = dataclasses.field(default_factory=dict)
    seconds: float = 0
    without: list[str] = dataclasses.field(default_factory=list)


class CrashTest:
    """One run. Threads: this one, the writers, and one that rewrites tables in fresh cycles."""

    def __init__(self, options, binary: pathlib.Path, folder: pathlib.Path, report: Report):
        self.options = options
        self.binary = binary
        self.folder = folder
        self.report = report
        self.without = set(options.without)
        self.generation: Generation | None = None
        failpoints = Leat(binary, folder / "none.yaml").failpoints()
        self.plan = Plan(options.seed, failpoints, options.duration_per_cycle, self.without)
        self.report.failpoints_never_reached = list(failpoints)

    def run(self) -> None:
        deadline = time.monotonic() + self.options.minutes * 60
        server = PgServer(self.folder / "postgres", self.options.bindir, SERVER)
        self.server = server
        with contextlib.ExitStack() as stack:
            stack.enter_context(server)
            make_source(server.uri())
            self.workload = Workload(server.uri(), self.options.seed, self.options.writers,
                                     self.options.rate, self.without)
            self.workload.start()
            stack.callback(self.workload.stop)
            stack.callback(lambda: self.report.transactions.update(self.workload.counts))
            for number in range(1, self.options.cycles + 1):
                cycle = self.plan.cycle(number)
                last = number == self.options.cycles or time.monotonic() > deadline
                self._cycle(cycle)
                self.report.cycles = number
                if number % self.options.verify_every == 0 or last:
                    self._verify()
                if last:
                    break

    def _cycle(self, cycle: Cycle) -> None:
        begun = time.monotonic()
        rng = random.Random(cycle.seed)
        notes = []
        self.workload.resume()
        if cycle.fresh:
            self._begin_anew(rng)
        elif cycle.restore and (lane := self.generation.restore_one()):
            self.report.other_faults["older copy of a warehouse put back"] += 1
            notes.append(f"older copy of {lane} put back")
        extra = self._upheave(cycle.upheaval, notes) if cycle.upheaval else []
        if cycle.failpoint == "log.cut_tail":
            self._leave_unfinished_tail(rng)
        how = self._run_until_dead(cycle, rng, notes, extra)
        for seconds in cycle.again:
            self._run_and_kill(seconds, "in recovery")
        if self.generation.verified:
            self._check_balances()
            if rng.random() < 0.3:
                self.generation.copy_one()
        if cycle.again:
            notes.append(f"{len(cycle.again)} times in recovery")
        print(f"cycle {cycle.number:>4}  {cycle.title():<34} {how:<28} "
              f"generation {self.report.generations:<3} {time.monotonic() - begun:4.1f} s  "
              f"{', '.join(notes)}".rstrip(), flush=True)

    def _upheave(self, kind: str, notes: list[str]) -> list[str]:
        """Makes images of tables due; what `leat run` is to be told besides."""
        self.generation.upheavals += 1
        extra = []
        if kind == "gap":
            self._drop_slot()
            what = "slot dropped"
        elif kind == "empty":
            what = self.generation.empty_one()
        elif kind == "tables":
            what = self.generation.take_out_or_put_back()
        elif kind == "sql":
            what = self.generation.change_transforms()
        else:
            extra = ["--rebuild", self.generation.wanted_anew()]
            what = f"rebuild of {extra[1]}"
        self.report.other_faults[{"gap": "slot dropped", "empty": "warehouse removed",
                                  "tables": "table taken out or put back",
                                  "sql": "transforms changed",
                                  "rebuild": "table or sink wanted anew"}[kind]] += 1
        notes.append(what)
        return extra

    def _drop_slot(self) -> None:
        self._wait_for_slot()
        with psycopg.connect(self.server.uri(), autocommit=True) as connection:
            connection.execute("SELECT pg_drop_replication_slot(slot_name) "
                               "FROM pg_replication_slots WHERE NOT temporary")

    def _catch_up(self) -> float:
        """Seconds. A server that fails at decoding gets what `leat explain PG-DECODING` says."""
        try:
            return self.generation.leat.run_until_caught_up(CAUGHT_UP_SECONDS_MAX)
        except LeatFailed as failed:
            if "PG-DECODING" not in str(failed):
                raise
        self._drop_slot()
        self.report.other_faults["slot dropped because the server failed at decoding"] += 1
        return self.generation.leat.run_until_caught_up(CAUGHT_UP_SECONDS_MAX)

    def _run_until_dead(self, cycle: Cycle, rng: random.Random, notes: list[str],
                        extra: list[str]) -> str:
        armed = f"{cycle.failpoint}={cycle.hits}" if cycle.failpoint else ""
        # Whoever only delivers cannot wait for an image.
        halves = ["capture"] if self.generation.upheavals or cycle.restore else ["capture", "deliver"]
        parts = {"apart": ["--only", rng.choice(halves)]}.get(cycle.kind, [])
        running = self.generation.leat.start(*parts, *extra, failpoints=armed)
        try:
            if cycle.failpoint:
                self.workload.request(operations.large_change)
                if "columns" not in self.without:
                    self.workload.request(operations.change_columns)
            with self._rewriting(cycle.fresh, rng):
                code = self._watch(running, cycle, notes)
            return self._judge(running, cycle, code)
        finally:
            if running.process.poll() is None:
                running.kill()

    def _watch(self, running: Running, cycle: Cycle, notes: list[str]) -> int | None:
        """Lets it run its time, with the server's crash in between; the exit code if it died."""
        begun = time.monotonic()
        crash_at = cycle.server_crash_at
        while (left := begun + cycle.seconds - time.monotonic()) > 0:
            if crash_at is not None and time.monotonic() - begun >= crash_at:
                self._crash_server(notes)
                crash_at = None
            if self.workload.failure:
                raise Failure(self.workload.failure)
            code = running.wait(min(left, 0.02))
            if code is not None:
                return code
        return None

    def _crash_server(self, notes: list[str]) -> None:
        self.server.restart("immediate")
        end_prepared(self.server.uri())
        self.report.other_faults["PostgreSQL stopped at once and restarted"] += 1
        notes.append("PostgreSQL crashed")

    def _judge(self, running: Running, cycle: Cycle, code: int | None) -> str:
        """Counts how it died, or fails if it did so by itself."""
        if code == KILLED and cycle.failpoint:
            self.report.failpoints_hit[cycle.failpoint] += 1
            self.report.kills["at a failpoint"] += 1
            if cycle.failpoint in self.report.failpoints_never_reached:
                self.report.failpoints_never_reached.remove(cycle.failpoint)
            self.plan.reached(cycle.failpoint)
            return "died at the failpoint"
        if code is not None:
            raise Failure(f"leat ended by itself with {code}\n{running.tail()}")
        if cycle.kind == "terminate":
            code = running.stop()
            if code != 0:
                raise Failure(f"leat ended with {code} after SIGTERM\n{running.tail()}")
            self.report.other_faults["ended by SIGTERM"] += 1
            return f"SIGTERM after {cycle.seconds:.2f} s"
        code = running.kill()
        if code != KILLED:
            raise Failure(f"leat ended by itself with {code}\n{running.tail()}")
        self.report.kills["at a random moment"] += 1
        if cycle.failpoint:
            self.plan.not_reached(cycle.failpoint)
        return f"SIGKILL after {cycle.seconds:.2f} s"

    def _run_and_kill(self, seconds: float, kind: str, failpoints: str = "") -> None:
        running = self.generation.leat.start(failpoints=failpoints)
        code = running.wait(seconds)
        if code is None:
            code = running.kill()
        if code != KILLED:
            raise Failure(f"leat ended by itself with {code} {kind}\n{running.tail()}")
        self.report.kills[kind] += 1

    def _leave_unfinished_tail(self, rng: random.Random) -> None:
        """Kills it between the frames of a large transaction, for the next start to cut off."""
        self.workload.pause()
        self._catch_up()
        with psycopg.connect(self.server.uri()) as connection:
            connection.execute("INSERT INTO bulk SELECT i, repeat(md5(i::text), 30), 1 "
                               "FROM generate_series(1, 20000) i ON CONFLICT (id) "
                               "DO UPDATE SET payload = excluded.payload || 'v'")
        self._run_and_kill(self.options.duration_per_cycle * 2, "between frames",
                           f"log.frame_synced={rng.randint(2, 6)}")
        self.workload.resume()

    @contextlib.contextmanager
    def _rewriting(self, wanted: bool, rng: random.Random):
        """VACUUM FULL of one table after another meanwhile, as far as locks allow."""
        if not wanted or "rewrite" in self.without:
            yield
            return
        stop = threading.Event()
        thread = threading.Thread(target=self._rewrite, args=(stop, rng.getrandbits(32)))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _rewrite(self, stop: threading.Event, seed: int) -> None:
        rng = random.Random(seed)
        with contextlib.suppress(psycopg.OperationalError):
            with psycopg.connect(self.server.uri(), autocommit=True) as connection:
                connection.execute("SET lock_timeout = '150ms'")
                while not stop.wait(rng.uniform(0, 0.1)):
                    with contextlib.suppress(errors.LockNotAvailable, errors.DeadlockDetected):
                        connection.execute(f"VACUUM FULL {rng.choice(tables.REWRITTEN)}")
                        self.report.other_faults["table rewritten during a first snapshot"] += 1

    def _begin_anew(self, rng: random.Random) -> None:
        """Drops the pipeline, most times after a last comparison, and makes another."""
        if self.generation is not None:
            if rng.random() < VERIFY_BEFORE_DROP_SHARE:
                self._verify()
                self.workload.resume()
            self._wait_for_slot()
            self.generation.leat.drop()
            if not self.options.keep:
                self.generation.remove()
        with psycopg.connect(self.server.uri(), autocommit=True) as connection:
            for statement in tables.FILL.values():
                with contextlib.suppress(errors.DeadlockDetected, errors.UniqueViolation):
                    connection.execute(statement)
        self.report.generations += 1
        self.generation = Generation(
            self.folder / f"generation-{self.report.generations}", self.binary, self.server.uri(),
            self.options.lanes, random.Random(rng.getrandbits(48)), self.without)

    def _wait_for_slot(self) -> None:
        """A walsender may notice only after a while that its client was killed; until then it may
        even make the slot that the dead client asked for."""
        deadline = time.monotonic() + SLOT_RELEASE_SECONDS_MAX
        with psycopg.connect(self.server.uri(), autocommit=True) as connection:
            while connection.execute(
                    "SELECT FROM pg_stat_activity WHERE backend_type = 'walsender'").fetchone():
                if time.monotonic() > deadline:
                    raise Failure("the slot of a killed leat stays in use")
                time.sleep(0.05)

    def _check_balances(self) -> None:
        try:
            self.generation.check_balances()
        except Torn as torn:
            raise Failure(f"a state that the source never had: {torn}") from torn

    def _verify(self) -> None:
        """Stops the world, lets the pipeline catch up and compares every lane with the source."""
        self.workload.pause()
        if self.workload.failure:
            raise Failure(self.workload.failure)
        end_prepared(self.server.uri())
        touch_tables(self.server.uri())
        self.generation.put_back()
        seconds = self._catch_up()
        begun = time.monotonic()
        rows = 0
        for warehouse in self.generation.warehouses:
            results = compare.compare(self.server.uri(), warehouse, tables.TABLES)
            if unequal := compare.differing(results):
                raise Failure(f"{warehouse.name} is not equal to the source:\n{unequal}")
            rows += sum(result.source_rows for result in results)
            rows += self._verify_shaped(warehouse)
        self.generation.verified = True
        self._check_balances()
        self.report.comparisons += len(self.generation.warehouses)
        self.report.rows_compared += rows
        print(f"  equal: {rows} rows in {len(self.generation.warehouses)} lanes, caught up in "
              f"{seconds:.1f} s, compared in {time.monotonic() - begun:.1f} s", flush=True)


    def _verify_shaped(self, warehouse: pathlib.Path) -> int:
        """Every table that a transform makes, against the same rule in PostgreSQL's SQL."""
        rows = 0
        for shaped in self.generation.shaped:
            count, difference = transforms.compare(self.server.uri(), warehouse, shaped)
            if difference:
                raise Failure(f"{warehouse.name} is not what its transforms make of the source:\n"
                              f"{difference}")
            rows += count
            self.report.shaped_tables[shaped.name] += 1
        return rows


# What ends a run as a failure; anything else is a bug of the test.
FAILURES = (Failure, LeatFailed, compare.CannotCompare)
