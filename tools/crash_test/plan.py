"""What happens in each cycle, drawn from the seed: how the program dies and what else goes wrong.

About two cycles of three arm the next failpoint in turn; the others kill at a random moment, end
by SIGTERM, or run capture and delivery apart. A failpoint that was not reached is armed with its
first hit the next time.
"""

import dataclasses
import random

FAILPOINT_SHARE = 0.65
# These lie before the first image is complete, so their cycle starts a pipeline anew.
FIRST_SNAPSHOT = ("snapshot.", "capture.after_begin")
# These need tables that are filled beside the live ones.
REBUILD = ("lane.rebuild",)
# These need transforms that say something else than before.
CHANGED_SQL = ("lane.set_aside",)
# gap: changes are lost to the stream; empty: a warehouse is removed; tables: one is taken out of the pipeline
# file, or put back; rebuild: a sink, or a table of one, is wanted anew; sql: other transforms.
UPHEAVALS = ("gap", "empty", "tables", "tables", "rebuild", "rebuild", "sql", "sql")
UPHEAVAL_SHARE = 0.3


@dataclasses.dataclass(frozen=True)
class Cycle:
    number: int
    kind: str  # failpoint | random | terminate | apart
    failpoint: str | None
    hits: int
    fresh: bool  # forget the pipeline and begin with a new first snapshot
    seconds: float  # until the kill, where no failpoint comes first
    again: tuple[float, ...]  # further starts, each killed after so many seconds: in recovery
    server_crash_at: float | None
    restore: bool  # put an older copy of one warehouse back first
    upheaval: str | None  # something that asks for images of tables
    seed: int  # for details

    def title(self) -> str:
        text = f"{self.failpoint}={self.hits}" if self.failpoint else self.kind
        return ("fresh " if self.fresh else "") + text


class Plan:
    """Hands out cycles; told afterwards which failpoints were reached."""

    def __init__(self, seed: int, failpoints: list[str], seconds: float, without: set[str],
                 upheavals: set[str]):
        self.seed = seed
        self.failpoints = failpoints
        self.seconds = seconds
        self.without = without
        self.upheavals = [kind for kind in UPHEAVALS if kind in upheavals]
        self.missed: set[str] = set()
        self._turn = 0

    def cycle(self, number: int) -> Cycle:
        rng = random.Random(f"{self.seed}/cycle/{number}")
        failpoint, hits = None, 0
        kind = rng.choices(["random", "terminate", "apart"], [6, 2, 2])[0]
        if self.failpoints and rng.random() < FAILPOINT_SHARE:
            kind = "failpoint"
            failpoint = self.failpoints[self._turn % len(self.failpoints)]
            self._turn += 1
            hits = rng.choice([1, 1, 1, 2, rng.randint(1, 6), rng.randint(1, 60)])
            if failpoint in self.missed:
                hits = 1
        first_snapshot = failpoint is not None and failpoint.startswith(FIRST_SNAPSHOT)
        fresh = number == 1 or first_snapshot or (kind == "random" and rng.random() < 0.12)
        upheaval = rng.choice(self.upheavals)
        if failpoint is not None and failpoint.startswith(REBUILD):
            fresh, upheaval = False, "rebuild"
        elif failpoint in CHANGED_SQL and "sql" in self.upheavals:
            fresh, upheaval = False, "sql"
        elif fresh and number > 1 and rng.random() < 0.5:
            fresh = False  # the image of an upheaval reaches the same points
        elif rng.random() >= UPHEAVAL_SHARE:
            upheaval = None
        again = tuple(rng.uniform(0.02, 0.5) for _ in range(rng.choice([0, 0, 0, 1, 2, 3])))
        return Cycle(
            number=number, kind=kind, failpoint=failpoint, hits=hits,
            fresh=fresh,
            seconds=self._lifetime(kind, rng),
            again=again,
            server_crash_at=self._unless("server_crash", rng.random() < 0.15,
                                         rng.uniform(0, self.seconds / 2)),
            restore=bool(self._unless("restore", rng.random() < 0.15, True)),
            upheaval=None if fresh else self._unless("upheaval", upheaval is not None, upheaval),
            seed=rng.getrandbits(48))

    def _lifetime(self, kind: str, rng: random.Random) -> float:
        if kind == "failpoint":
            return self.seconds
        # A program that is not yet up knows nothing of signals.
        return rng.uniform(0.05 if kind != "terminate" else 0.6, max(self.seconds, 0.7))

    def _unless(self, feature: str, drawn: bool, value):
        return value if drawn and feature not in self.without else None

    def reached(self, failpoint: str) -> None:
        self.missed.discard(failpoint)

    def not_reached(self, failpoint: str) -> None:
        self.missed.add(failpoint)
