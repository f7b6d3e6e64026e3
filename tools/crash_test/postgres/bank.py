"""The bank-transfer test: whoever looks at the running warehouse never sees money made or lost.

Procedures on the server move money as fast as it goes, in transactions over two tables; meanwhile
`leat query` asks for totals again and again, through kills. From the end of the first snapshot on
the total must be right, every account must agree with its transfers, and none may disappear.
"""

import pathlib
import random
import threading
import time

import psycopg

import compare
from database import ACCOUNTS, OPENING
from generation import Generation
from harness import CAUGHT_UP_SECONDS_MAX, KILLED, Failure, Report
from leat_process import Leat, Simulation
from pg_server import PgServer
from postgres.database import BALANCES, BANK, PostgresDatabase

PROCEDURE = f"""
CREATE PROCEDURE move_money(seconds float8, pause float8) LANGUAGE plpgsql AS $$
DECLARE
    ends timestamptz := clock_timestamp() + make_interval(secs => seconds);
    a int; b int; moved int;
BEGIN
    WHILE clock_timestamp() < ends LOOP
        a := 1 + floor(random() * {ACCOUNTS - 1});
        b := a + 1 + floor(random() * ({ACCOUNTS} - a));
        moved := floor(random() * 200) - 100;
        UPDATE nasty_accounts SET balance = balance - moved WHERE id = a;
        UPDATE nasty_accounts SET balance = balance + moved WHERE id = b;
        INSERT INTO nasty_transfers (source, target, amount) VALUES (a, b, moved);
        COMMIT;
        PERFORM pg_sleep(pause);
    END LOOP;
END $$"""
ANSWERS_PER_CYCLE_MIN = 1


class Looker(threading.Thread):
    """Asks the running process again and again, and keeps the first wrong answer."""

    def __init__(self, leat: Leat):
        super().__init__(daemon=True)
        self.leat = leat
        self.stopping = threading.Event()
        self.answers = 0  # whole ones, from the end of the first snapshot on
        self.wrong: str | None = None
        self.transfers = 0

    def run(self) -> None:
        question = f"SELECT *, (SELECT count(*) FROM nasty_transfers) FROM ({BALANCES})"
        while not self.stopping.is_set() and self.wrong is None:
            rows = self.leat.query(question)
            if rows is None:  # not running, or the tables are not there yet
                self.stopping.wait(0.02)
                continue
            self._judge([int(value) if value is not None else None for value in rows[0]])

    def _judge(self, answer: list) -> None:
        *balances, transfers = answer
        right = balances == [ACCOUNTS, ACCOUNTS * OPENING, 0]
        if not right and self.answers > 0:
            self.wrong = f"accounts, total and disagreeing accounts are {balances}"
        elif right and transfers < self.transfers:
            self.wrong = f"{self.transfers} transfers were there, now {transfers}"
        elif right:
            self.answers += 1
            self.transfers = transfers


class BankTest:
    """One run: cycles of a kill each, on one pipeline."""

    def __init__(self, options, database: PostgresDatabase, binary: pathlib.Path,
                 folder: pathlib.Path, report: Report):
        self.options = options
        self.database = database
        self.binary = binary
        self.folder = folder
        self.report = report

    def run(self) -> None:
        with self.database.server as server:
            Simulation(self.binary, server.uri(), "--mix", "nasty", "--rows", "0", "--events",
                       "0").wait()
            with psycopg.connect(server.uri()) as connection:
                connection.execute(PROCEDURE)
            self._run_on(server)

    def _run_on(self, server: PgServer) -> None:
        rng = random.Random(self.options.seed)
        generation = Generation(self.folder / "pipeline", self.binary, self.database,
                                self.options.lanes, rng, {"knobs", "forget", "transforms"},
                                BANK)
        self.report.generations = 1
        looker = Looker(generation.leat)
        looker.start()
        try:
            for number in range(1, self.options.cycles + 1):
                self._cycle(server.uri(), generation, looker, rng, number)
                self.report.cycles = number
        finally:
            looker.stopping.set()
            looker.join()
        generation.leat.run_until_caught_up(CAUGHT_UP_SECONDS_MAX)
        self._compare(server.uri(), generation)
        self.report.transactions["transfers seen"] = looker.transfers
        self.report.transactions["answers checked"] = looker.answers

    def _cycle(self, uri: str, generation: Generation, looker: Looker, rng: random.Random,
               number: int) -> None:
        seconds = rng.uniform(0.3, self.options.duration_per_cycle)
        answers = looker.answers
        movers = [threading.Thread(target=self._move, args=(uri, seconds))
                  for _ in range(self.options.writers)]
        for mover in movers:
            mover.start()
        running = generation.leat.start()
        try:
            code = self._let_run(running, seconds, looker, answers)
        finally:
            killed = running.kill()
        for mover in movers:
            mover.join()
        if code is not None or killed != KILLED:
            raise Failure(f"leat ended by itself with {killed}\n{running.tail()}")
        if looker.wrong is not None:
            raise Failure(f"a state that the source never had: {looker.wrong}")
        self.report.kills["at a random moment"] += 1
        print(f"cycle {number:>4}  SIGKILL after {seconds:.2f} s  {looker.answers - answers} "
              f"answers, {looker.transfers} transfers seen", flush=True)

    def _let_run(self, running, seconds: float, looker: Looker, answers: int) -> int | None:
        """Its time, and longer until something was seen, for otherwise nothing was tested."""
        code = running.wait(seconds)
        deadline = time.monotonic() + CAUGHT_UP_SECONDS_MAX
        while code is None and looker.answers < answers + ANSWERS_PER_CYCLE_MIN:
            if time.monotonic() > deadline:
                raise Failure(f"no total to be seen within {CAUGHT_UP_SECONDS_MAX} s\n"
                              f"{running.tail()}")
            if looker.wrong is not None:
                break
            code = running.wait(0.05)
        return code

    def _move(self, uri: str, seconds: float) -> None:
        pause = self.options.writers / self.options.rate
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute("CALL move_money(%s, %s)", [seconds, pause])

    def _compare(self, uri: str, generation: Generation) -> None:
        for warehouse in generation.warehouses:
            results = compare.compare(uri, warehouse, BANK)
            if unequal := compare.differing(results):
                raise Failure(f"{warehouse.name} is not equal to the source:\n{unequal}")
            self.report.comparisons += 1
            self.report.rows_compared += sum(result.source_rows for result in results)
