#!/usr/bin/env python3
"""The independent checker: is every row of the source in the warehouse, as often, and nothing else?

    compare.py --source URI --warehouse FILE --table public.orders [--table ...]

Knows nothing of Leat's code: PostgreSQL and DuckDB each hash the canonical text of their own rows
(canonical.py), sums of hashes are compared per bucket of keys, and only rows of buckets that
differ are fetched, so millions of rows take seconds and no memory. Exit code 0: equal, 1: not,
2: could not compare. Only columns that the source still has count; dropped ones stay behind.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import json
import pathlib
import sys

import duckdb
import psycopg
from psycopg import sql

from canonical import (AS_TEXT, SourceType, TypeMismatch, framed, pair, quoted, row_text,
                       split_name, target_name)

FETCHED_ROWS_MAX = 20_000  # per table and side; more differences than that are only counted
SHOWN_WIDTH = 80
SESSION = ("SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres';"
           "SET extra_float_digits = 1; SET bytea_output = 'hex'; SET statement_timeout = 0")


class CannotCompare(Exception):
    """The source or the warehouse cannot be read at all."""


@dataclasses.dataclass(frozen=True)
class Column:
    name: str
    type: SourceType
    generated: bool


@dataclasses.dataclass
class Result:
    """What was found about one table."""
    table: str
    target: str
    source_rows: int = 0
    warehouse_rows: int = 0
    problem: str | None = None  # the table could not be compared row by row
    differences: list[str] = dataclasses.field(default_factory=list)
    difference_count: int = 0  # rows that one side has more often; a lower bound past the maximum

    @property
    def equal(self) -> bool:
        return self.problem is None and self.difference_count == 0

    def __str__(self) -> str:
        if self.problem is not None:
            return f"{self.table}: {self.problem}"
        rows = f"{self.source_rows} rows in the source, {self.warehouse_rows} in the warehouse"
        if self.equal:
            return f"{self.table}: equal, {self.source_rows} rows"
        shown = "".join(f"\n    {difference}" for difference in self.differences)
        return f"{self.table}: DIFFERENT, {rows}, {self.difference_count} rows differ{shown}"


def compare(uri: str, warehouse: str | pathlib.Path, tables: list[str],
            shown_max: int = 10) -> list[Result]:
    """Compares the tables (`schema.table`) with their targets in a DuckDB file nobody has open.

    The source must stand still meanwhile.
    """
    if not pathlib.Path(warehouse).exists():
        raise CannotCompare(f"no warehouse file: {warehouse}")
    try:
        with (psycopg.connect(uri, autocommit=True) as source,
              duckdb.connect(str(warehouse), read_only=True) as target):
            source.execute(SESSION)
            return [Comparison(source, target, table, shown_max).run() for table in tables]
    except (duckdb.IOException, psycopg.OperationalError) as error:
        raise CannotCompare(str(error).strip()) from error


def differing(results: list[Result]) -> str:
    """What is to be said about the tables that are not equal; empty if all are."""
    return "\n".join(str(result) for result in results if not result.equal)


class Comparison:
    """One table's comparison over two open connections."""

    def __init__(self, source: psycopg.Connection, warehouse: duckdb.DuckDBPyConnection,
                 table: str, shown_max: int):
        self.source = source
        self.warehouse = warehouse
        self.schema, self.name = split_name(table)
        self.target = target_name(self.schema, self.name)
        self.shown_max = shown_max
        self.result = Result(table, self.target)

    def run(self) -> Result:
        try:
            self._prepare()
        except TypeMismatch as mismatch:
            self.result.problem = str(mismatch)
            return self.result
        ours, theirs = self._both(self._bucket_query(True), self._bucket_query(False))
        ours = {bucket: (rows, hashes) for bucket, rows, hashes in ours}
        theirs = {bucket: (rows, hashes) for bucket, rows, hashes in theirs}
        self.result.source_rows = sum(rows for rows, _ in ours.values())
        self.result.warehouse_rows = sum(rows for rows, _ in theirs.values())
        unequal = sorted(bucket for bucket in ours.keys() | theirs.keys()
                         if ours.get(bucket) != theirs.get(bucket))
        if unequal:
            self._explain(unequal, ours, theirs)
        return self.result

    def _prepare(self) -> None:
        """Finds columns and key, and how each column is compared."""
        oid = self.source.execute("SELECT to_regclass(%s)::oid",
                                  [f"{quoted(self.schema)}.{quoted(self.name)}"]).fetchone()[0]
        if oid is None:
            raise TypeMismatch("no such table in the source")
        held = dict(self.warehouse.execute(
            "SELECT column_name, data_type FROM duckdb_columns() "
            "WHERE schema_name = 'main' AND table_name = ? AND database_name = current_database()",
            [self.target]).fetchall())
        if not held:
            raise TypeMismatch(f"no table {self.target} in the warehouse")
        self.columns, self.pairs = [], []
        for column in source_columns(self.source, oid):
            if column.name not in held:
                if column.generated:  # not part of logical replication
                    continue
                raise TypeMismatch(f"column {column.name} is missing in the warehouse")
            try:
                self.pairs.append(pair(column.type, held[column.name]))
            except TypeMismatch as mismatch:
                raise TypeMismatch(f"column {column.name}: {mismatch}") from None
            self.columns.append(column.name)
        self.key = [name for name in key_columns(self.source, oid) if name in self.columns]

    def _expressions(self, of_source: bool) -> list[str]:
        return [(both.source if of_source else both.warehouse).replace("{x}", quoted(name))
                for name, both in zip(self.columns, self.pairs)]

    def _hashed(self, of_source: bool, selected: str) -> str:
        """A subquery with each row's hash, its bucket (by key if there is one) and more."""
        expressions = self._expressions(of_source)
        bytes_of = "octet_length" if of_source else "strlen"
        row = row_text(expressions, bytes_of)
        key = [expressions[self.columns.index(name)] for name in self.key]
        by = row_text(key, bytes_of) if key else row
        table = (f"{quoted(self.schema)}.{quoted(self.name)}" if of_source
                 else f"main.{quoted(self.target)}")
        return f"(SELECT md5({row}) AS h, substr(md5({by}), 1, 3) AS b{selected} FROM {table}) AS r"

    def _bucket_query(self, of_source: bool) -> str:
        number = ("('x' || substr(h, 1, 15))::bit(60)::bigint" if of_source
                  else "('0x' || substr(h, 1, 15))::BIGINT")
        text = "text" if of_source else "VARCHAR"
        return (f"SELECT b, count(*), sum({number})::{text} "
                f"FROM {self._hashed(of_source, '')} GROUP BY b")

    def _row_query(self, of_source: bool, buckets: list[str]) -> str:
        """Per row: canonical values, then the same for people to read."""
        readable = [(AS_TEXT.source if of_source else AS_TEXT.warehouse)
                    .replace("{x}", quoted(name)) for name in self.columns]
        bytes_of = "octet_length" if of_source else "strlen"
        canonical = [framed(text, bytes_of) for text in self._expressions(of_source)]
        nullable = [f"coalesce({text}, 'NULL')" for text in readable]
        selected = "".join(f", {text} AS c{i}" for i, text in enumerate(canonical + nullable))
        names = ", ".join(f"c{i}" for i in range(2 * len(self.columns)))
        wanted = ", ".join(f"'{bucket}'" for bucket in buckets)
        return f"SELECT {names} FROM {self._hashed(of_source, selected)} WHERE b IN ({wanted})"

    def _both(self, ours: str, theirs: str) -> tuple[list, list]:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(lambda: self.warehouse.execute(theirs).fetchall())
            # Parameters are none, so that % and {} in names stay what they are.
            found = self.source.execute(sql.SQL("{}").format(sql.SQL(ours))).fetchall()
            return found, running.result()

    def _explain(self, unequal: list[str], ours: dict, theirs: dict) -> None:
        """Fetches the rows of unequal buckets and names the first that differ."""
        buckets, rows = [], 0
        for bucket in unequal:
            here = max(ours.get(bucket, (0,))[0], theirs.get(bucket, (0,))[0])
            if buckets and rows + here > FETCHED_ROWS_MAX:
                break
            buckets.append(bucket)
            rows += here
        sides = [fold(rows, len(self.columns)) for rows in
                 self._both(self._row_query(True, buckets), self._row_query(False, buckets))]
        missing, surplus = sides[0][0] - sides[1][0], sides[1][0] - sides[0][0]
        readable = sides[1][1] | sides[0][1]
        self.result.difference_count = max(
            1, len(self._by_key(missing).keys() | self._by_key(surplus).keys()))
        if len(buckets) < len(unequal):
            self.result.differences.append(
                f"({len(buckets)} of {len(unequal)} differing parts of the table looked at)")
        wrong = self._by_key(surplus)
        for key, rows_missing in sorted(self._by_key(missing).items())[:self.shown_max]:
            self._name(key, rows_missing, wrong.pop(key, []), sides, readable)
        room = self.shown_max + 1 - len(self.result.differences)
        for key, rows_surplus in sorted(wrong.items())[:max(0, room)]:
            self._name(key, [], rows_surplus, sides, readable)

    def _by_key(self, rows: collections.Counter) -> dict[tuple, list[tuple]]:
        grouped = collections.defaultdict(list)
        places = [self.columns.index(name) for name in self.key] or range(len(self.columns))
        for row in rows:
            grouped[tuple(row[i] for i in places)].append(row)
        return grouped

    def _name(self, key: tuple, missing: list, surplus: list, sides: list, readable: dict) -> None:
        """Adds one line about one key: what the source has, what the warehouse has instead."""
        some = (missing or surplus)[0]
        shown = readable[some]
        named = [i for i, name in enumerate(self.columns) if not self.key or name in self.key]
        where = ", ".join(f"{self.columns[i]}={short(shown[i])}" for i in named)
        if len(missing) == 1 and len(surplus) == 1 and self.key:
            other = readable[surplus[0]]
            fields = "; ".join(
                f"{name}: source {short(shown[i])}, warehouse {short(other[i])}"
                for i, name in enumerate(self.columns) if missing[0][i] != surplus[0][i])
            self.result.differences.append(f"row ({where}): {fields}")
            return
        counts = [sum(side[0][row] for row in missing + surplus) for side in sides]
        self.result.differences.append(
            f"row ({where}): {counts[0]} times in the source, {counts[1]} in the warehouse")


def fold(rows: list[tuple], width: int) -> tuple[collections.Counter, dict]:
    """The multiset of canonical rows, and how to show each."""
    return (collections.Counter(row[:width] for row in rows),
            {row[:width]: row[width:] for row in rows})


def short(value: str) -> str:
    if len(value) <= SHOWN_WIDTH:
        return value
    return f"{value[:SHOWN_WIDTH]}… ({len(value)} characters)"


def source_columns(source: psycopg.Connection, oid: int) -> list[Column]:
    """The live columns of a table in their order, domains resolved, arrays with their element."""
    found = source.execute("""
        WITH RECURSIVE plain(attnum, oid, typmod) AS (
            SELECT attnum, atttypid, atttypmod FROM pg_attribute
            WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped
          UNION ALL
            SELECT p.attnum, t.typbasetype, t.typtypmod
            FROM plain p JOIN pg_type t ON t.oid = p.oid WHERE t.typtype = 'd')
        SELECT a.attname, t.typname, p.typmod, e.typname, a.attgenerated <> ''
        FROM plain p JOIN pg_type t ON t.oid = p.oid AND t.typtype <> 'd'
        JOIN pg_attribute a ON a.attrelid = %(oid)s AND a.attnum = p.attnum
        LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
        ORDER BY a.attnum""", {"oid": oid}).fetchall()
    return [Column(name, SourceType(type_name, typmod,
                                    SourceType(element, typmod) if element else None), generated)
            for name, type_name, typmod, element, generated in found]


def key_columns(source: psycopg.Connection, oid: int) -> list[str]:
    """What names a row: the primary key, else the index of the replica identity, else nothing."""
    found = source.execute("""
        SELECT a.attname FROM (
            SELECT indrelid, indkey FROM pg_index
            WHERE indrelid = %s AND (indisprimary OR indisreplident)
            ORDER BY indisprimary DESC LIMIT 1) i
        CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        ORDER BY k.place""", [oid]).fetchall()
    return [name for name, in found]


def main() -> int:
    parser = argparse.ArgumentParser(description="compare source and warehouse, row by row")
    parser.add_argument("--source", required=True, metavar="URI")
    parser.add_argument("--warehouse", required=True, action="append", metavar="FILE")
    parser.add_argument("--table", required=True, action="append", metavar="SCHEMA.TABLE")
    parser.add_argument("--shown", type=int, default=10, help="differing rows shown per table")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    equal = True
    for warehouse in options.warehouse:
        try:
            results = compare(options.source, warehouse, options.table, options.shown)
        except CannotCompare as error:
            print(f"compare: {error}", file=sys.stderr)
            return 2
        equal = equal and all(result.equal for result in results)
        for result in results:
            print(json.dumps(dataclasses.asdict(result) | {"warehouse": warehouse})
                  if options.json else result)
    if not options.json:
        print("source and warehouse are equal" if equal else "source and warehouse differ")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
