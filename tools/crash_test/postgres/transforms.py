"""Transforms under test, and what their tables must hold by the source's own account.

All read the table `nasty_tasks`. Every rule is one whose outcome the rows alone decide: what is rejected
is deleted (`on_bad_update: delete`), or could never change from good to bad. So each output table
equals a query over the source, which PostgreSQL answers here, in its own SQL.
"""

import dataclasses
import pathlib
import random

import duckdb
import psycopg

SHARE = 0.7  # of the lives that have transforms at all
SHOWN_ROWS_MAX = 5
# A price that casts to DECIMAL(12,2).
IS_PRICE = r"coalesce(price ~ '^-?[0-9]+([.][0-9]+)?$', true)"


@dataclasses.dataclass(frozen=True)
class Shaped:
    """One transform: as the pipeline file has it, and the query that PostgreSQL answers."""
    entry: dict
    expected: str
    needs: str | None = None  # the transform that it reads

    @property
    def name(self) -> str:
        return self.entry["name"]


ALL = [
    # Rows leave the filter and come back.
    Shaped({"name": "tasks_open", "sql": "SELECT id, state, note FROM nasty_tasks WHERE state = 'open'"},
           "SELECT id, state, note FROM nasty_tasks WHERE state = 'open'"),
    # A cast that fails for some rows, at any time of their lives.
    Shaped({"name": "tasks_priced", "sql": "SELECT id, state, price::DECIMAL(12,2) AS price, size "
                                           "FROM nasty_tasks", "on_bad_update": "delete",
            "bad_ratio_max": 1},
           f"SELECT id, state, price::numeric(12,2), size FROM nasty_tasks WHERE {IS_PRICE}"),
    # Expectations of both kinds, after a filter, and a key under another name.
    Shaped({"name": "tasks_small",
            "sql": "SELECT id AS task, size * 2 AS twice, state FROM nasty_tasks WHERE size >= 0",
            "expect": [{"name": "is_small", "that": "twice < 180", "otherwise": "dead_letter"},
                       {"name": "is_shown", "that": "state <> 'hidden'", "otherwise": "drop"}],
            "on_bad_update": "delete", "bad_ratio_max": 1},
           "SELECT id, size * 2, state FROM nasty_tasks "
           "WHERE size >= 0 AND size * 2 < 180 AND state <> 'hidden'"),
    # What was rejected once is rejected for good: the code never changes. Other rows keep.
    Shaped({"name": "tasks_coded", "sql": "SELECT id, code::INTEGER AS code, note FROM nasty_tasks",
            "bad_ratio_max": 1},
           "SELECT id, code::int, note FROM nasty_tasks WHERE code ~ '^[0-9]+$'"),
    # A chain: its first step rejects, its second filters.
    Shaped({"name": "tasks_cheap", "sql": "SELECT id, price FROM tasks_priced WHERE price < 50",
            "on_bad_update": "delete", "bad_ratio_max": 1},
           f"SELECT id, price::numeric(12,2) FROM nasty_tasks WHERE {IS_PRICE} "
           f"AND CASE WHEN {IS_PRICE} THEN price::numeric(12,2) END < 50", needs="tasks_priced"),
]


def draw(rng: random.Random) -> list[Shaped]:
    """The transforms of one life, in the order of the file."""
    if rng.random() >= SHARE:
        return []
    chosen = {shaped.name for shaped in rng.sample(ALL, rng.randint(1, len(ALL)))}
    chosen |= {shaped.needs for shaped in ALL if shaped.name in chosen and shaped.needs}
    return [shaped for shaped in ALL if shaped.name in chosen]


def compare(uri: str, warehouse: pathlib.Path, shaped: Shaped) -> tuple[int, str]:
    """How many rows the source wants in the table, and how the warehouse differs (empty: not)."""
    with psycopg.connect(uri) as source:
        wanted = {tuple(row) for row in source.execute(shaped.expected)}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(f"SELECT * FROM {shaped.name}").fetchall()
    found = set(rows)
    if found == wanted and len(rows) == len(found):
        return len(wanted), ""
    missing = sorted(wanted - found, key=repr)
    extra = sorted(found - wanted, key=repr)
    return len(wanted), (
        f"{shaped.name}: {len(wanted)} rows wanted, {len(rows)} found\n"
        f"  missing ({len(missing)}): {missing[:SHOWN_ROWS_MAX]}\n"
        f"  too many ({len(extra)}): {extra[:SHOWN_ROWS_MAX]}")
