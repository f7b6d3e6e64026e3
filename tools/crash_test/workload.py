"""Writers: `leat simulate --mix nasty` on every database of the source, until it is paused.

Each start has the next seed. A server that crashes ends them, and they are started again; any
other end that nobody asked for is a failure of the test.
"""

import collections
import pathlib

from database import Database
from leat_process import LeatFailed, Simulation

ROWS = 3_000  # of the largest table of the sample data, to begin with
COUNTED = ["changes", "transactions", "rolled_back_transactions", "transactions_in_conflict"]


class Workload:
    """All writers. resume() and pause() at will; both may be called again."""

    def __init__(self, database: Database, binary: pathlib.Path, options):
        self.binary = binary
        self.options = options
        self.shares = database.simulated()
        self.next_seed = options.seed * 10_000
        self.running: list[Simulation] = []
        self.counts = collections.Counter()

    def make_tables(self) -> None:
        for uri in self.shares:
            self._start(uri, "--events", "0").wait()

    def resume(self) -> None:
        if self.running:
            return
        self.running = [self._start(uri, "--rate", str(self.options.rate * share), "--writers",
                                    str(self.options.writers))
                        for uri, share in self.shares.items()]

    def pause(self) -> None:
        """Returns when every open transaction has ended."""
        for simulation in self._taken():
            report = simulation.stop()
            self.counts.update({name: report.get(name, 0) for name in COUNTED})

    def check(self) -> None:
        """Raises LeatFailed if one ended by itself."""
        for simulation in self.running:
            if simulation.process.poll() is not None:
                simulation.wait()
                raise LeatFailed("leat simulate ended, and nobody told it to")

    def after_server_crash(self) -> None:
        """The server is up again; its end was the writers' end, too."""
        for simulation in self._taken():
            simulation.give_up()
            self.counts["ended by a crash of the server"] += 1
        self.resume()

    def end(self) -> None:
        """Of any, in any state."""
        for simulation in self._taken():
            simulation.give_up()

    def _taken(self) -> list[Simulation]:
        taken, self.running = self.running, []
        return taken

    def _start(self, uri: str, *arguments: str) -> Simulation:
        self.next_seed += 1
        return Simulation(self.binary, uri, "--mix", "nasty", "--rows", str(ROWS), "--seed",
                          str(self.next_seed), *arguments)
