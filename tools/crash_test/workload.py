"""Writers: concurrent sessions that change the source at a given rate until paused or stopped.

Each has its own thread, connection and random numbers (seed and writer's number). A server that
crashes or is away is waited for; conflicts between writers are counted; any other error of the
source is kept as a failure of the test.
"""

import collections
import queue
import random
import threading

from database import Away, Conflict, Database


class Workload:
    """All writers; start() once, then pause() and resume() at will, stop() at the end."""

    def __init__(self, database: Database, seed: int, writers: int, rate: float,
                 without: set[str]):
        self.database = database
        self.counts = collections.Counter()
        self.failure: str | None = None
        self.without = without
        self._requests: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._going = threading.Event()
        self._stopping = threading.Event()
        self._pause_seconds = writers / rate
        self._idle = [threading.Event() for _ in range(writers)]
        self._threads = [threading.Thread(target=self._write, args=(number, seed), daemon=True)
                         for number in range(1, writers + 1)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def resume(self) -> None:
        for idle in self._idle:
            idle.clear()
        self._going.set()

    def pause(self) -> None:
        """Returns when every open transaction has ended."""
        self._going.clear()
        for idle, thread in zip(self._idle, self._threads):
            while not idle.wait(0.1) and thread.is_alive():
                pass

    def request(self, operation: str) -> None:
        """Some writer executes it soon, alone in a transaction that is committed."""
        if operation not in self.without:
            self._requests.put(operation)

    def stop(self) -> None:
        self._stopping.set()
        self._going.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _write(self, number: int, seed: int) -> None:
        rng = random.Random(f"{seed}/{number}")
        writer = None
        while not self._stopping.is_set():
            if not self._going.is_set():
                self._idle[number - 1].set()
                self._going.wait()
                continue
            try:
                if writer is None:
                    writer = self.database.writer(number, rng, self.without)
                writer.transact(self._wanted())
                self.counts["committed"] += 1
            except Away:
                self.counts["server away"] += 1
                if writer is not None:
                    writer.close()
                writer = None
                self._stopping.wait(0.05)
            except Conflict as conflict:
                self.counts[str(conflict)] += 1
            except Exception as error:  # kept for the main thread, which ends the test
                self.failure = self.failure or f"writer {number}: {type(error).__name__}: {error}"
                self._idle[number - 1].set()
                return
            self._stopping.wait(rng.expovariate(1 / self._pause_seconds))
        if writer is not None:
            writer.close()

    def _wanted(self) -> str | None:
        try:
            return self._requests.get_nowait()
        except queue.Empty:
            return None
