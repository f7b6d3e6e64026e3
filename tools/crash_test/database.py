"""Database: the source under test, as the cycles need it. One implementation per folder.

The main thread calls everything but what a Writer does; each Writer belongs to one thread of the
workload. Both may be called while the pipeline runs.
"""

import abc
import contextlib
import dataclasses
import pathlib
import random
import typing


ACCOUNTS = 1_000
OPENING = 1_000  # what is on every account at first; the total never changes


class Away(Exception):
    """The server crashed, or is not up yet: to be waited for."""


class CannotCompare(Exception):
    """The source or the warehouse cannot be read at all."""


class Conflict(Exception):
    """What concurrent writers may do to each other; the message names it for the report."""


class Writer(abc.ABC):
    """One writer's connection. The same random numbers give the same statements."""

    @abc.abstractmethod
    def transact(self, wanted: str | None) -> None:
        """One transaction, or a few changes; `wanted`: a special operation by its name, alone and
        committed. Raises Away or Conflict; anything else fails the test."""

    @abc.abstractmethod
    def close(self) -> None:
        """Of any connection, in any state."""


@dataclasses.dataclass
class Compared:
    """What a comparison of one warehouse with the source has found."""
    rows: int
    difference: str  # empty: equal
    shaped: list[str] = dataclasses.field(default_factory=list)  # tables of transforms, compared


class Database(abc.ABC):
    title: str  # for people
    tables: list[str]  # as the pipeline file names them
    bank: set[str]  # whose states always add up: never taken out
    knobs: dict[str, list]  # options of the source, and what may be drawn for them
    features: list[str]  # parts of the workload that may be left out, besides those of the cycles
    upheavals: set[str]  # what of plan.UPHEAVALS there is
    foreign_failpoints: tuple[str, ...]  # prefixes of those that this source never reaches

    @abc.abstractmethod
    def balances_of(self, source: dict) -> str:
        """SQL over a warehouse that a pipeline with this source fills: the number of accounts, the
        total, and how many accounts disagree with their transfers."""

    @abc.abstractmethod
    def running(self) -> contextlib.AbstractContextManager:
        """The server, with its tables filled, as long as the block lasts."""

    @abc.abstractmethod
    def crash(self) -> None:
        """The server ends at once, and is up again on return."""

    @abc.abstractmethod
    def writer(self, number: int, rng: random.Random, without: set[str]) -> Writer:
        """Raises Away."""

    @abc.abstractmethod
    def fill(self) -> None:
        """Brings every table back to some thousand rows, as far as writers let it."""

    @abc.abstractmethod
    def settle(self) -> None:
        """While no writer is active: ends what a crash left open, and changes every table once
        more, so that the end of the stream carries all of them."""

    @abc.abstractmethod
    def write_large(self) -> None:
        """One transaction of many frames, while no writer is active."""

    @abc.abstractmethod
    def open_gap(self) -> None:
        """Changes that nobody has read yet are lost to the stream. The pipeline does not run."""

    @abc.abstractmethod
    def source(self, tables: list[str], options: dict) -> dict:
        """The pipeline file's source."""

    @abc.abstractmethod
    def compare(self, warehouse: pathlib.Path, source: dict, shaped: list) -> Compared:
        """Row by row; neither side changes meanwhile. `source`: of the pipeline file; `shaped`: of
        transforms()."""

    # What not every source needs.

    def transforms(self, rng: random.Random) -> list:
        """Those of one life, in the order of the file: each with its `name` and its `entry`."""
        return []

    def wait_until_released(self) -> None:
        """Until the server has noticed that its client was killed. Raises TimeoutError."""

    def rewriting(self, rng: random.Random, count: typing.Callable[[str], None]):
        """During a first snapshot: rearranges what is being read."""
        return contextlib.nullcontext()

    def excuse(self, output: str, may_lack_tables: bool) -> str | None:
        """The program ended by itself as it should, for this reason; None: it should not have.
        `may_lack_tables`: it may not yet know tables that are in its file."""
        return None

    def needs_gap(self, output: str) -> str | None:
        """The program told its operator to start over behind the server's fault; None: it did
        not."""
        return None
