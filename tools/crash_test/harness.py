"""The crash test itself: cycles of running, killing and checking the program under load.

Raises Failure with what was found; everything that happened is counted in `Report`.
"""

import collections
import contextlib
import dataclasses
import pathlib
import random
import signal
import time

from database import CannotCompare, Database
from generation import Generation, Torn
from leat_process import Leat, LeatFailed, Running
from plan import Cycle, Plan
from workload import Workload

CAUGHT_UP_SECONDS_MAX = 300
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
    """One run. Threads: this one, and what the database has of its own."""

    def __init__(self, options, database: Database, binary: pathlib.Path, folder: pathlib.Path,
                 report: Report):
        self.options = options
        self.database = database
        self.binary = binary
        self.folder = folder
        self.report = report
        self.without = set(options.without)
        self.generation: Generation | None = None
        self.rng = random.Random(f"{options.seed}/between cycles")
        failpoints = [name for name in Leat(binary, folder / "none.yaml").failpoints()
                      if not name.startswith(database.foreign_failpoints)]
        self.plan = Plan(options.seed, failpoints, options.duration_per_cycle, self.without,
                         database.upheavals)
        self.report.failpoints_never_reached = list(failpoints)

    def run(self) -> None:
        deadline = time.monotonic() + self.options.minutes * 60
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.database.running())
            self.workload = Workload(self.database, self.binary, self.options)
            self.workload.make_tables()
            stack.callback(lambda: self.report.transactions.update(self.workload.counts))
            stack.callback(self.workload.end)
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
            self.database.open_gap()
            what = "changes lost"
        elif kind == "empty":
            what = self.generation.empty_one()
        elif kind == "tables":
            what = self.generation.take_out_or_put_back()
        elif kind == "sql":
            what = self.generation.change_transforms()
        else:
            extra = ["--rebuild", self.generation.wanted_anew()]
            what = f"rebuild of {extra[1]}"
        self.report.other_faults[{"gap": "changes lost to the stream", "empty": "warehouse removed",
                                  "tables": "table taken out or put back",
                                  "sql": "transforms changed",
                                  "rebuild": "table or sink wanted anew"}[kind]] += 1
        notes.append(what)
        return extra

    def _catch_up(self) -> float:
        """Seconds. A server that fails gets what `leat explain` says."""
        try:
            return self.generation.leat.run_until_caught_up(CAUGHT_UP_SECONDS_MAX)
        except LeatFailed as failed:
            reason = self.database.needs_gap(str(failed))
            if reason is None:
                raise
        self.database.open_gap()
        self.report.other_faults[f"changes given up because {reason}"] += 1
        return self.generation.leat.run_until_caught_up(CAUGHT_UP_SECONDS_MAX)

    def _run_until_dead(self, cycle: Cycle, rng: random.Random, notes: list[str],
                        extra: list[str]) -> str:
        armed = f"{cycle.failpoint}={cycle.hits}" if cycle.failpoint else ""
        # Whoever only delivers cannot wait for an image.
        halves = ["capture"] if self.generation.upheavals or cycle.restore else ["capture", "deliver"]
        parts = {"apart": ["--only", rng.choice(halves)]}.get(cycle.kind, [])
        running = self.generation.leat.start(*parts, *extra, failpoints=armed)
        try:
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
            self.workload.check()
            code = running.wait(min(left, 0.02))
            if code is not None:
                return code
        return None

    def _crash_server(self, notes: list[str]) -> None:
        self.database.crash()
        self.workload.after_server_crash()
        self.report.other_faults[f"{self.database.title} ended at once and restarted"] += 1
        notes.append(f"{self.database.title} crashed")

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
            return self._excuse(running, code, "")
        if cycle.kind == "terminate":
            code = running.stop()
            # On a busy machine it may not have come to know of signals yet, nor to say a word.
            if code != 0 and not (code == -signal.SIGTERM and not running.tail()):
                raise Failure(f"leat ended with {code} after SIGTERM\n{running.tail()}")
            self.report.other_faults["ended by SIGTERM"] += 1
            return f"SIGTERM after {cycle.seconds:.2f} s"
        code = running.kill()
        if code != KILLED:
            return self._excuse(running, code, "")
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
            self._excuse(running, code, kind)
            return
        self.report.kills[kind] += 1

    def _excuse(self, running: Running, code: int, when: str) -> str:
        """It ended by itself: counts why it had to, or fails."""
        reason = self.database.excuse(running.tail(), not self.generation.knows_tables)
        if reason is None:
            raise Failure(f"leat ended by itself with {code} {when}\n{running.tail()}")
        self.report.other_faults[f"ended because {reason}"] += 1
        return f"ended: {reason}"

    def _leave_unfinished_tail(self, rng: random.Random) -> None:
        """Kills it between the frames of a large transaction, for the next start to cut off."""
        self.workload.pause()
        self._catch_up()
        self.database.write_large()
        self._run_and_kill(self.options.duration_per_cycle * 2, "between frames",
                           f"log.frame_synced={rng.randint(2, 6)}")
        self.workload.resume()

    def _rewriting(self, wanted: bool, rng: random.Random):
        if not wanted or "rewrite" in self.without:
            return contextlib.nullcontext()

        def count(what: str) -> None:
            self.report.other_faults[what] += 1
        return self.database.rewriting(random.Random(rng.getrandbits(32)), count)

    def _begin_anew(self, rng: random.Random) -> None:
        """Drops the pipeline, most times after a last comparison, and makes another."""
        if self.generation is not None:
            if rng.random() < VERIFY_BEFORE_DROP_SHARE:
                self._verify()
            self.database.wait_until_released()
            self.generation.leat.drop()
            if not self.options.keep:
                self.generation.remove()
        self.workload.pause()
        self.database.begin_anew()
        self.workload.resume()
        self.report.generations += 1
        self.generation = Generation(
            self.folder / f"generation-{self.report.generations}", self.binary, self.database,
            self.options.lanes, random.Random(rng.getrandbits(48)), self.without)

    def _check_balances(self) -> None:
        try:
            self.generation.check_balances()
        except Torn as torn:
            raise Failure(f"a state that the source never had: {torn}") from torn

    def _verify(self) -> None:
        """Stops the world, lets the pipeline catch up and compares every lane with the source."""
        self.workload.pause()
        if self.database.take_away(self.rng):
            self.workload.make_tables()
            self.report.other_faults["tables dropped and made again"] += 1
        self.database.settle()
        self.generation.put_back()
        seconds = self._catch_up()
        begun = time.monotonic()
        rows = 0
        for warehouse in self.generation.warehouses:
            compared = self.database.compare(warehouse, self.generation.source(),
                                             self.generation.shaped)
            if compared.difference:
                raise Failure(f"{warehouse.name} is not equal to the source:\n"
                              f"{compared.difference}")
            rows += compared.rows
            self.report.shaped_tables.update(compared.shaped)
        self.generation.verified = self.generation.knows_tables = True
        self._check_balances()
        self.report.comparisons += len(self.generation.warehouses)
        self.report.rows_compared += rows
        print(f"  equal: {rows} rows in {len(self.generation.warehouses)} lanes, caught up in "
              f"{seconds:.1f} s, compared in {time.monotonic() - begun:.1f} s", flush=True)


# What ends a run as a failure; anything else is a bug of the test.
FAILURES = (Failure, LeatFailed, CannotCompare, TimeoutError)
