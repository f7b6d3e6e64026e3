#!/usr/bin/env python3
"""`make demo`: a shop's PostgreSQL under live changes, kept equal in DuckDB through a kill -9.

Starts everything itself in a temporary folder and takes everything away again, also on Ctrl-C.
Ends with `source and warehouse are equal` and exit code 0 only if the independent checker found
every row of the source in the warehouse, as often, and nothing else; otherwise with 1.
"""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import psycopg

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "compare")]

import compare  # noqa: E402
from leat_process import Leat, LeatFailed, Running, Simulation, find_binary  # noqa: E402
from pg_server import PgError, PgServer  # noqa: E402

TABLES = ["public.orders", "public.customers"]
ORDERS = 100_000  # at first; the customers are a twentieth of it
CHANGES_PER_SECOND = 800
LOOK_EVERY_SECONDS = 0.7
FIRST_SECONDS = 6.0  # until the kill
DOWN_SECONDS = 2.0
SECOND_SECONDS = 5.0  # after the restart
CATCH_UP_SECONDS_MAX = 60
LOOK = """SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM customers),
                 (SELECT sum(amount) FROM orders), (SELECT epoch_us(max(changed)) FROM orders)"""


class DemoFailed(Exception):
    """Something did not go as a demo should."""


def say(text: str = "", strong: bool = False) -> None:
    colour = strong and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(f"\033[1m{text}\033[0m" if colour else text, flush=True)


class Demo:
    """One showing; everything lives in `folder`."""

    def __init__(self, binary: pathlib.Path, folder: pathlib.Path, server: PgServer):
        self.server = server
        self.uri = server.uri("shop")
        self.warehouse = folder / "warehouse.duckdb"
        pipeline = shutil.copy(HERE / "shop.yaml", folder)
        self.leat = Leat(binary, pathlib.Path(pipeline), {"SHOP_PORT": str(server.port)})
        self.begun = time.monotonic()
        self.seen = False  # the warehouse has answered since the last start

    def run(self) -> None:
        self._open_shop()
        shoppers = self._simulate("--mix", "moving", "--rate", str(CHANGES_PER_SECOND),
                                  "--transaction", "2", "--seed", "2")
        running, code = None, 0
        try:
            say("leat run shop.yaml", strong=True)
            running = self.leat.start()
            self._show(running, FIRST_SECONDS)
            say(f"kill -9 {running.process.pid}", strong=True)
            running.kill()
            self._line("leat is dead; the shop goes on")
            time.sleep(DOWN_SECONDS)
            say("leat run shop.yaml", strong=True)
            running = self.leat.start(log="second.log")
            self._show(running, SECOND_SECONDS)
        finally:
            done = shoppers.stop()
            if running is not None and running.process.poll() is None:
                code = running.stop()
        if code != 0:
            raise DemoFailed(f"leat ended with {code} after SIGTERM\n{running.tail()}")
        self._line(f"the shop closes after {done['transactions']} live transactions")
        self._prove()

    def _open_shop(self) -> None:
        with psycopg.connect(self.server.uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
        made = self._simulate("--rows", str(ORDERS), "--events", "0").wait()["tables"]
        version = self.leat.command("version").stdout.strip()
        say(f"{version}, PostgreSQL on port {self.server.port}: "
            f"{made['orders']['first_rows']} orders, {made['customers']['first_rows']} customers, "
            f"{CHANGES_PER_SECOND} changes a second")
        say()
        for line in (HERE / "shop.yaml").read_text().splitlines():
            say(f"    {line}")
        say()

    def _simulate(self, *arguments: str) -> Simulation:
        return Simulation(self.leat.binary, self.uri, "--data", "shop", "--wall-clock", *arguments)

    def _show(self, running: Running, seconds: float) -> None:
        """A line now and then on what a query of the running warehouse sees, for so long."""
        self.seen = False
        ends = time.monotonic() + seconds
        while time.monotonic() < ends or not self.seen:
            if running.wait(LOOK_EVERY_SECONDS) is not None:
                raise DemoFailed(f"leat ended with {running.process.returncode}\n{running.tail()}")
            if time.monotonic() > ends + CATCH_UP_SECONDS_MAX:
                raise DemoFailed(f"the warehouse stays empty\n{running.tail()}")
            self._look()

    def _look(self) -> None:
        with psycopg.connect(self.uri) as connection:
            in_source = connection.execute("SELECT count(*) FROM orders").fetchone()[0]
        answer = self.leat.query(LOOK)
        if answer is None or answer[0][3] is None:
            self._line(f"orders {in_source:>7} in the shop")
            return
        orders, customers, revenue, changed_us = answer[0]
        self.seen = int(customers) > 0
        age_ms = max(0.0, time.time() - int(changed_us) / 1e6) * 1000
        self._line(f"orders {in_source:>7} in the shop, {int(orders):>7} in the warehouse   "
                   f"customers {customers}   revenue {float(revenue):,.2f}   "
                   f"newest order {age_ms:.0f} ms old")

    def _line(self, text: str) -> None:
        say(f"  {time.monotonic() - self.begun:4.1f} s  {text}")

    def _prove(self) -> None:
        say("leat run shop.yaml --until-caught-up", strong=True)
        seconds = self.leat.run_until_caught_up(CATCH_UP_SECONDS_MAX)
        self._line(f"caught up in {seconds:.1f} s")
        say("compare every row", strong=True)
        results = compare.compare(self.uri, self.warehouse, TABLES)
        for result in results:
            self._line(str(result))
        if not all(result.equal for result in results):
            raise DemoFailed("source and warehouse differ")
        say()
        say("source and warehouse are equal", strong=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="PostgreSQL to DuckDB, through a kill -9")
    parser.add_argument("--leat", help="the program (default: build/release)")
    parser.add_argument("--bindir", help="PostgreSQL's programs (default: Debian's newest)")
    parser.add_argument("--keep", action="store_true", help="keep the warehouse and the log")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-demo-"))
    folder.chmod(0o755)  # the server's user must pass
    try:
        binary = find_binary(options.leat)
        with PgServer(folder / "postgres", options.bindir) as server:
            Demo(binary, folder, server).run()
        return 0
    except (DemoFailed, LeatFailed, PgError, compare.CannotCompare, psycopg.Error) as error:
        say(f"\ndemo failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("\ninterrupted")
        return 1
    finally:
        if options.keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
