"""Is every document of a collection in the warehouse, once, with each of its values in its column or
in `_extra`, and nothing else? Knows the mapping by its documentation only, not Leat's code.
"""

import dataclasses
import decimal
import pathlib
import uuid

import bson_fields as bf
import duckdb
from bson.decimal128 import Decimal128

EXTRA, NULLS, DOCUMENT = "_extra", "_nulls", "document"
SHOWN_MAX = 5
AS_FETCHED = {"TIMESTAMP WITH TIME ZONE": "epoch_us({})", "JSON": "{}::VARCHAR"}


class Table:
    """A table of a DuckDB file that nobody has open."""

    def __init__(self, warehouse: pathlib.Path, name: str):
        with duckdb.connect(str(warehouse), read_only=True) as database:
            self.types = dict(database.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? "
                "AND schema_name = 'main'", [name]).fetchall())
            selected = [AS_FETCHED.get(kind, "{}").format(quoted(column))
                        for column, kind in self.types.items()]
            self.rows = [dict(zip(self.types, row)) for row in database.execute(
                f"SELECT {', '.join(selected)} FROM {quoted(name)}").fetchall()] if selected else []


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclasses.dataclass
class Judging:
    mode: str = "columns"
    tells_nulls: bool = False
    # Columns of numbers have widened: a number is what it was, but its type may be the wider one.
    has_drifted: bool = False
    excluded: frozenset = frozenset()  # top-level fields that are not to be there


def differences(collection, table: Table, judging: Judging) -> str:
    """Empty: they are equal."""
    wanted = {}
    if not table.types:
        return "no such table in the warehouse"
    for raw in bf.raw_documents(collection):
        key = next(field for field in bf.fields(raw) if field.name == "_id")
        wanted[repr(cell_of(key, table.types["_id"]))] = raw
    told, seen = [], set()
    for row in table.rows:
        key = repr(bf.read_json(row["_id"]) if table.types["_id"] == "JSON" else row["_id"])
        if key in seen:
            told.append(f"_id {key}: twice in the warehouse")
        elif key not in wanted:
            told.append(f"_id {key}: only in the warehouse")
        elif judging.mode == "document":
            told += whole_document(key, wanted[key], row, judging)
        else:
            told += row_differences(key, wanted[key], row, table.types, judging)
        seen.add(key)
    told += [f"_id {key}: missing in the warehouse" for key in wanted if key not in seen]
    shown = "\n".join(told[:SHOWN_MAX])
    return f"{len(told)} differences, {len(wanted)} documents:\n{shown}" if told else ""


def captured_fields(raw: bytes, judging: Judging) -> list[bf.Field]:
    return [field for field in bf.fields(raw) if field.name not in judging.excluded]


def whole_document(key: str, raw: bytes, row: dict, judging: Judging) -> list[str]:
    wanted = [(field.name, bf.as_json(field)) for field in captured_fields(raw, judging)]
    return [] if bf.is_same(bf.read_json(row[DOCUMENT]), wanted) else [
        f"_id {key}: {row[DOCUMENT][:200]} is not {str(wanted)[:200]}"]


def row_differences(key: str, raw: bytes, row: dict, types: dict, judging: Judging) -> list[str]:
    told, left, extra = [], dict(row), []
    extra_left = bf.read_json(left.pop(EXTRA, None) or "{}")
    nulls = []
    for field in captured_fields(raw, judging):
        is_key = field.name == "_id"
        if field.is_null and not is_key:
            nulls.append(field.name)
            continue
        cell = left.pop(field.name, None)
        if cell is not None:
            wanted = cell_of(field, types[field.name])
            same = same_cell(cell, wanted, types[field.name])
            if not same and not (judging.has_drifted and same_number(field, cell)):
                told.append(f"_id {key}: {field.name} is {short(cell)}, not {short(wanted)}")
        else:
            extra.append((field.name, bf.as_json(field)))
    if not bf.is_same(extra_left, extra):
        told.append(f"_id {key}: _extra is {short(extra_left)}, not {short(extra)}")
    cell = left.pop(NULLS, None)
    if judging.tells_nulls and not bf.is_same(bf.read_json(cell or "[]"), bf.Array(nulls)):
        told.append(f"_id {key}: _nulls is {cell}, not {nulls}")
    told += [f"_id {key}: {name} is {short(value)}, not NULL"
             for name, value in left.items() if value is not None]
    return told


def short(value) -> str:
    return repr(value)[:120]


def same_cell(cell, wanted, kind: str) -> bool:
    if kind == "JSON":
        return isinstance(cell, str) and bf.is_same(bf.read_json(cell), wanted)
    return bf.is_same(cell, wanted)


def same_number(field: bf.Field, cell) -> bool:
    """Whatever a column that widened makes of a number."""
    if not field.is_number or not isinstance(cell, str):
        return False
    if "$numberDecimal" in cell:
        cell = dict(bf.read_json(cell))["$numberDecimal"]
    return decimal.Decimal(cell) == decimal.Decimal(number_text(field))


def cell_of(field: bf.Field, kind: str):
    """What a column of this type holds of the value; JSON as bson_fields reads it."""
    if kind == "JSON":
        return bf.as_json(field)
    if kind == "VARCHAR":
        if field.is_number:
            return number_text(field)
        return field.raw.hex() if field.type == bf.OBJECT_ID else field.text.decode(errors="replace")
    return {
        "BOOLEAN": lambda: field.raw != b"\0",
        "BIGINT": lambda: field.number,
        "DOUBLE": lambda: field.double if field.type == bf.DOUBLE else float(field.number),
        "TIMESTAMP WITH TIME ZONE": lambda: field.number * 1000,
        "UUID": lambda: uuid.UUID(bytes=field.raw[5:]),
        "BLOB": lambda: field.raw[5:],
    }[kind]()


def number_text(field: bf.Field) -> str:
    if field.type == bf.DECIMAL:
        return str(Decimal128.from_bid(field.raw))
    if field.type != bf.DOUBLE:
        return str(field.number)
    names = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
    return names.get(repr(field.double), repr(field.double))
