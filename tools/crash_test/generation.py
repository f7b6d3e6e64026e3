"""One life of the pipeline under test, from its first snapshot to `leat drop`.

Owns the pipeline file, the warehouses and older copies of them. Options of the pipeline are drawn
anew for every life, so that small segments, epochs and checkpoints are met as well as defaults.
"""

import pathlib
import random
import shutil
import tempfile

import duckdb
import yaml

from database import ACCOUNTS, OPENING, Database
from leat_process import Leat

PIPELINE = "crash"
COPIES_MAX = 3  # older copies kept per lane
KNOBS = {
    "queue": {"segment_bytes": ["1MiB", "4MiB"]},
    "sink": {"wal_bytes_max": ["1MiB", "8MiB"], "stage_bytes_max": ["1MiB"], "threads": [1, 2]},
    "run": {"snapshot_workers": [1, 3], "epoch_rows_max": [40, 2000]},
}
KNOB_SHARE = 0.4
FORGETFUL_SHARE = 0.25  # lives whose log keeps nothing for a sink that goes back


class Torn(Exception):
    """A warehouse that shows a state the source never had."""


class Generation:
    """Folder, pipeline file and warehouses of one life. Files are touched while nothing runs."""

    def __init__(self, folder: pathlib.Path, binary: pathlib.Path, database: Database, lanes: int,
                 rng: random.Random, without: set[str], published: list[str] | None = None):
        folder.mkdir(parents=True)
        self.folder = folder
        self.rng = rng
        self.database = database
        self.draws_transforms = "transforms" not in without
        self.warehouses = [folder / f"lane{lane}.duckdb" for lane in range(lanes)]
        self.copies: dict[pathlib.Path, list[pathlib.Path]] = {path: [] for path in self.warehouses}
        self.verified = False  # the first image was complete at some time
        self.knows_tables = False  # the program has met all that its file names
        self.forgetful = "forget" not in without and rng.random() < FORGETFUL_SHARE
        self.options = self._draw_options("knobs" not in without)
        self.shaped = database.transforms(rng) if self.draws_transforms else []
        self.published = published or database.tables
        self.taken_out: str | None = None
        self.upheavals = 0
        self.file = folder / "pipeline.yaml"
        self._write_file()
        self.leat = Leat(binary, self.file)

    def _draw_options(self, drawn: bool) -> dict[str, dict]:
        all_knobs = {"source": self.database.knobs} | KNOBS
        options = {section: {} for section in all_knobs}
        for section, knobs in all_knobs.items() if drawn else ():
            for name, choices in knobs.items():
                if self.rng.random() < KNOB_SHARE:
                    options[section][name] = self.rng.choice(choices)
        if self.forgetful:
            options["queue"]["rewind_time"] = "0s"
        return options

    def _write_file(self) -> None:
        self.file.write_text(yaml.safe_dump(self._pipeline(), sort_keys=False))

    def put_back(self) -> None:
        """All tables are in the pipeline file again."""
        self.taken_out = None
        self._write_file()

    def take_out_or_put_back(self) -> str:
        """One table leaves the pipeline file, or the one that left comes back."""
        self.knows_tables = False
        if self.taken_out:
            name = self.taken_out
            self.put_back()
            return f"{name} is back"
        # The bank's tables stay: every state of theirs must add up.
        self.taken_out = self.rng.choice([table for table in self.published
                                          if table not in self.database.bank])
        self._write_file()
        return f"{self.taken_out} taken out"

    def empty_one(self) -> str:
        """Removes a warehouse; it counts as incomplete until it is compared again."""
        path = self.rng.choice(self.warehouses)
        for part in parts_of(path):
            part.unlink()
        self.verified = False
        return f"{path.stem} removed"

    def change_transforms(self) -> str:
        """What comes to be computed otherwise, or is new, is to be filled anew."""
        self.shaped = self.database.transforms(self.rng) if self.draws_transforms else []
        self._write_file()
        return "transforms changed"

    def wanted_anew(self) -> str:
        """SINK or SINK.TABLE for `--rebuild`."""
        sink = self.rng.choice(self.warehouses).stem
        names = [table.removeprefix("public.").replace(".", "_") for table in self.kept()]
        return self.rng.choice([sink, f"{sink}.{self.rng.choice(names)}"])

    def kept(self) -> list[str]:
        return [table for table in self.published if table != self.taken_out]

    def source(self) -> dict:
        """The source as the pipeline file has it."""
        return self.database.source(self.kept(), self.options["source"])

    def _pipeline(self) -> dict:
        sinks = [{"type": "duckdb", "name": path.stem, "path": str(path)} | self.options["sink"]
                 for path in self.warehouses]
        pipeline = {
            "pipeline": PIPELINE,
            "source": self.source(),
            "queue": {"type": "log", "path": str(self.folder / "log")} | self.options["queue"],
            "sinks": sinks,
        }
        if self.shaped:
            pipeline["transforms"] = [shaped.entry for shaped in self.shaped]
        return pipeline | {"run": {"on_gap": "resnapshot"} | self.options["run"]}

    def copy_one(self) -> None:
        """Keeps a copy of one warehouse as it is now, to be put back later."""
        path = self.rng.choice(self.warehouses)
        if self.forgetful or not path.exists():
            return
        copies = self.copies[path]
        if len(copies) == COPIES_MAX:
            shutil.rmtree(copies.pop(self.rng.randrange(COPIES_MAX)))
        place = pathlib.Path(tempfile.mkdtemp(prefix=f"{path.stem}-", dir=self.folder))
        for part in parts_of(path):
            shutil.copy2(part, place / part.name)
        copies.append(place)

    def restore_one(self) -> str | None:
        """Puts an older copy of one warehouse back; its lane's name, or None without a copy."""
        having = [path for path in self.warehouses if self.copies[path]]
        if not having:
            return None
        path = self.rng.choice(having)
        for part in parts_of(path):
            part.unlink()
        for part in self.rng.choice(self.copies[path]).iterdir():
            shutil.copy2(part, path.parent / part.name)
        return path.stem

    def check_balances(self) -> None:
        """After a kill, before recovery: money was neither made nor lost in any lane."""
        for path in self.warehouses:
            found = read_balances(path, self.database.balances_of(self.source()))
            expected = (ACCOUNTS, ACCOUNTS * OPENING, 0)
            if found != expected:
                raise Torn(f"{path.name}: accounts, total and accounts that disagree with their "
                           f"transfers are {found}, not {expected}")

    def remove(self) -> None:
        shutil.rmtree(self.folder)


def parts_of(warehouse: pathlib.Path) -> list[pathlib.Path]:
    """The database file and its write-ahead logs."""
    found = warehouse.parent.glob(f"{warehouse.name}*")
    return [part for part in found if part.is_file()]


def read_balances(warehouse: pathlib.Path, query: str) -> tuple | None:
    """From a copy, for opening a file may write to it: what a crash left must stay as it is."""
    with tempfile.TemporaryDirectory(dir=warehouse.parent) as place:
        for part in parts_of(warehouse):
            shutil.copy2(part, place)
        # Attached, since the file's WAL may hold a conversion (docs/guide/reading.md).
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{pathlib.Path(place) / warehouse.name}' AS warehouse")
            connection.execute("USE warehouse")
            return connection.execute(query).fetchone()
