#!/usr/bin/env python3
"""The independent checker over MongoDB: is every document in the warehouse, once, with each value
where it belongs and of its type, and nothing else?

    mongo_compare.py --source URI --warehouse FILE --collection shop.orders [--collection ...]

Knows nothing of Leat's code; mongo_mapping.py states what a value becomes. Both sides are read
whole. Exit code 0: equal, 1: not, 2: could not compare.
"""

import argparse
import collections
import dataclasses
import pathlib
import sys

import duckdb
import pymongo
import pymongo.errors
from pymongo.uri_parser import parse_uri

import mongo_mapping as mapping
from canonical import quoted
from compare import CannotCompare, Result, differing, short

__all__ = ["CannotCompare", "Rules", "Result", "compare", "differing"]

OURS = ("_extra", "_nulls")


@dataclasses.dataclass(frozen=True)
class Rules:
    """Options of the source that decide where a value goes."""
    mode: str = "columns"
    on_conflict: str = "widen"
    columns_max: int = 500
    nulls: bool = False

    @classmethod
    def of(cls, source: dict) -> "Rules":
        """Of the source in a pipeline file."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: source[name] for name in names if name in source})


def compare(uri: str, warehouse: str | pathlib.Path, collections: list[str],
            rules: Rules = Rules(), shown_max: int = 10) -> list[Result]:
    """Compares collections (`database.collection`, or `collection` of the URI's database) with
    their targets in a DuckDB file nobody has open. The source must stand still meanwhile."""
    if not pathlib.Path(warehouse).exists():
        raise CannotCompare(f"no warehouse file: {warehouse}")
    try:
        with (pymongo.MongoClient(uri) as client,
              duckdb.connect(str(warehouse), read_only=True) as target):
            return [Comparison(client, parse_uri(uri)["database"], target, name, rules,
                               shown_max).run() for name in collections]
    except (duckdb.IOException, pymongo.errors.PyMongoError) as error:
        raise CannotCompare(str(error).strip()) from error


class Comparison:
    """One collection's comparison over two open connections."""

    def __init__(self, client: pymongo.MongoClient, default: str | None,
                 warehouse: duckdb.DuckDBPyConnection, name: str, rules: Rules, shown_max: int):
        database, _, collection = name.partition(".")
        if not collection:
            database, collection = default, name
        self.collection = client[database].get_collection(collection, mapping.RAW)
        self.target = collection if database == default else f"{database}_{collection}"
        self.warehouse = warehouse
        self.rules = rules
        self.shown_max = shown_max
        self.result = Result(name, self.target)

    def run(self) -> Result:
        self.types = dict(self.warehouse.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'main' "
            "AND table_name = ? AND database_name = current_database()", [self.target]).fetchall())
        documents = list(self.collection.find())
        self.result.source_rows = len(documents)
        if not self.types:
            if documents:
                self.result.problem = f"no table {self.target} in the warehouse"
            return self.result
        self.folded = {name.lower() for name in self.types}
        rows = self._read()
        self.result.warehouse_rows = sum(map(len, rows.values()))
        wanted = self._by_key(documents)
        for key, document in wanted.items():
            found = rows.pop(key, [])
            if len(found) == 1:
                self._compare_row(document, found[0])
            else:
                self._differ(f"row (_id={short(repr(document['_id']))}): once in the source, "
                             f"{len(found)} times in the warehouse")
        for found in rows.values():
            self._differ(f"row (_id={short(repr(found[0]['_id']))}): not in the source, "
                         f"{len(found)} times in the warehouse")
        self._check_families(documents)
        return self.result

    def _read(self) -> dict[tuple, list[dict]]:
        selected = ", ".join(mapping.READ.get(kind, "{x}").replace("{x}", quoted(name))
                             for name, kind in self.types.items())
        fetched = self.warehouse.execute(
            f"SELECT {selected} FROM main.{quoted(self.target)}").fetchall()
        ids = [document["_id"] for document in self.collection.find({}, {"_id": 1})]
        self.numbers_are_text = any(map(mapping.is_number, ids))
        rows = collections.defaultdict(list)
        for values in fetched:
            row = dict(zip(self.types, values))
            rows[self._key(mapping.cell(row["_id"], self.types["_id"]))].append(row)
        return rows

    def _by_key(self, documents: list[dict]) -> dict[tuple, dict]:
        kind = self.types["_id"]
        wanted = {}
        for document in documents:
            value = document["_id"]
            if mapping.fits(value, kind):
                key = self._key(next(iter(mapping.outcomes(value, kind))))
            else:
                key = ("does not fit", kind, mapping.exact(value))
            wanted[key] = document
        return wanted

    def _key(self, value: tuple) -> tuple:
        return mapping.key(value, self.types["_id"], self.numbers_are_text)

    def _compare_row(self, document: dict, row: dict) -> None:
        if self.rules.mode == "document":
            expected = {"_id": document["_id"], "document": document}
            self._compare_fields(document["_id"], expected, row, exactly=True)
            return
        aside = {}
        held = {"_id": document["_id"]}
        for name, value in document.items():
            if name == "_id" or value is None:
                continue
            (held if self._has_place(name, value, row) else aside)[name] = value
        self._compare_fields(document["_id"], held, row)
        self._compare_ours(document, aside, row)

    def _has_place(self, name: str, value, row: dict) -> bool:
        """Whether a field's value belongs into its own column."""
        if name not in self.types or name in OURS or not mapping.fits(value, self.types[name]):
            return False
        # What kind the column was made for, its type alone does not always say; and what was aside
        # when a column came to be JSON stays there.
        may_be_aside = mapping.is_beyond_calendar(value) or (
            self.rules.on_conflict == "variant" and self.types[name] in ("VARCHAR", "BIGINT"))
        return not (may_be_aside and row[name] is None)

    def _may_lack_column(self, name: str) -> bool:
        return (name.lower() in self.folded or name == "" or name.lower() in OURS
                or len(self.types) + 2 >= self.rules.columns_max)

    def _compare_fields(self, id_, held: dict, row: dict, exactly: bool = False) -> None:
        for name, kind in self.types.items():
            if name in OURS:
                continue
            found = mapping.cell(row[name], kind)
            if name not in held:
                right = found == mapping.NOTHING
            elif exactly and kind == "JSON" and name != "_id":
                right = found == mapping.exact(held[name])
            else:
                right = (mapping.fits(held[name], kind)
                         and found in mapping.outcomes(held[name], kind))
            if not right:
                self._differ(f"row (_id={short(repr(id_))}): {name}: source "
                             f"{short(repr(held.get(name)))}, warehouse {short(repr(row[name]))}")
                return

    def _compare_ours(self, document: dict, aside: dict, row: dict) -> None:
        where = f"row (_id={short(repr(document['_id']))})"
        wrong = [name for name in aside if name not in self.types
                 and not self._may_lack_column(name)]
        if self.rules.on_conflict == "widen":
            wrong += [name for name, value in aside.items()
                      if name in self.types and name not in OURS
                      and not mapping.is_beyond_calendar(value)]
        if wrong:
            self._differ(f"{where}: has no place in a column: {wrong}")
            return
        found = row.get("_extra")
        expected = mapping.exact(aside) if aside else mapping.NOTHING
        if mapping.cell(found, "JSON") != expected:
            self._differ(f"{where}: _extra: source {short(repr(aside))}, "
                         f"warehouse {short(repr(found))}")
        nulls = [name for name, value in document.items() if value is None and name != "_id"]
        expected = mapping.exact(nulls) if nulls and self.rules.nulls else mapping.NOTHING
        found = row.get("_nulls")
        if mapping.cell(found, "JSON") != expected:
            self._differ(f"{where}: _nulls: source {nulls}, warehouse {found}")

    def _check_families(self, documents: list[dict]) -> None:
        """Text, ids and numbers would not be told apart in one column of text."""
        if self.rules.mode == "document" or self.rules.on_conflict == "variant":
            return
        for name, kind in self.types.items():
            held = {mapping.family(document[name]) for document in documents
                    if document.get(name) is not None} if kind == "VARCHAR" else set()
            if len(held) > 1:
                self._differ(f"column {name} is VARCHAR and mixes {sorted(map(str, held))}")

    def _differ(self, what: str) -> None:
        self.result.difference_count += 1
        if len(self.result.differences) < self.shown_max:
            self.result.differences.append(what)


def main() -> int:
    parser = argparse.ArgumentParser(description="compare MongoDB and warehouse, value by value")
    parser.add_argument("--source", required=True, metavar="URI")
    parser.add_argument("--warehouse", required=True, action="append", metavar="FILE")
    parser.add_argument("--collection", required=True, action="append", metavar="DATABASE.NAME")
    for field in dataclasses.fields(Rules):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default),
                            default=field.default, help="as the pipeline file has it")
    parser.add_argument("--shown", type=int, default=10, help="differing rows shown per table")
    options = parser.parse_args()
    rules = Rules.of(vars(options))
    equal = True
    for warehouse in options.warehouse:
        try:
            results = compare(options.source, warehouse, options.collection, rules, options.shown)
        except CannotCompare as error:
            print(f"mongo_compare: {error}", file=sys.stderr)
            return 2
        equal = equal and all(result.equal for result in results)
        for result in results:
            print(result)
    print("source and warehouse are equal" if equal else "source and warehouse differ")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
