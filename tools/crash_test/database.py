"""Database: the source under test, as the cycles need it. One implementation per folder. The main
thread calls everything.
"""

import abc
import contextlib
import dataclasses
import pathlib
import random
import typing

# As the mix makes them: what is on every account at first. The total never changes.
ACCOUNTS = 1_000
OPENING = 1_000


class CannotCompare(Exception):
    """The source or the warehouse cannot be read at all."""


@dataclasses.dataclass
class Compared:
    """What a comparison of one warehouse with the source has found."""
    rows: int
    difference: str  # empty: equal
    shaped: list[str] = dataclasses.field(default_factory=list)  # tables of transforms, compared


class Database(abc.ABC):
    title: str  # for people
    rate: float  # changes per second, if nobody says otherwise
    tables: list[str]  # as the pipeline file names them
    bank: set[str]  # whose states always add up: never taken out
    knobs: dict[str, list]  # options of the source, and what may be drawn for them
    features: list[str]  # what may be left out besides what any source has
    upheavals: set[str]  # what of plan.UPHEAVALS there is
    foreign_failpoints: tuple[str, ...]  # prefixes of those that this source never reaches

    @abc.abstractmethod
    def balances_of(self, source: dict) -> str:
        """SQL over a warehouse that a pipeline with this source fills: the number of accounts, the
        total, and how many accounts disagree with their transfers."""

    @abc.abstractmethod
    def running(self) -> contextlib.AbstractContextManager:
        """The server, without tables, as long as the block lasts."""

    @abc.abstractmethod
    def crash(self) -> None:
        """The server ends at once, and is up again on return."""

    @abc.abstractmethod
    def simulated(self) -> dict[str, float]:
        """The databases that writers change: URIs, and the share of all changes that each gets."""

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

    def begin_anew(self) -> None:
        """Before a new life, while no writer is active: undoes what would make it tame."""

    def transforms(self, rng: random.Random) -> list:
        """Those of one life, in the order of the file: each with its `name` and its `entry`."""
        return []

    def take_away(self, rng: random.Random) -> bool:
        """While no writer is active: drops tables, which writers then make again. False: it did
        not."""
        return False

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
