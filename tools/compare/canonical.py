"""One canonical text per value, computed by each server about its own values.

For a column of a source table and its counterpart in the warehouse this gives a pair of SQL
expressions that yield equal text exactly when the values are equal. Floats go by their bits (all
NaN are one value, -0.0 is not 0.0), times by microseconds, everything without a type of its own
in the warehouse by PostgreSQL's text output.

A DuckDB file may keep one sign only where a column holds both 0.0 and -0.0, for it compresses them
as equal. Such data is reported as different, and it is.
"""

import dataclasses
import re


class TypeMismatch(Exception):
    """A warehouse column of a type that cannot hold the source column's values."""


@dataclasses.dataclass(frozen=True)
class SourceType:
    """A PostgreSQL type with domains resolved; `element` is set for arrays."""
    name: str
    typmod: int = -1
    element: "SourceType | None" = None

    def decimal(self) -> tuple[int, int] | None:
        """Precision and scale if the values fit a DECIMAL, else None."""
        if self.name != "numeric" or self.typmod < 4:
            return None
        precision = (self.typmod - 4) >> 16
        scale = ((self.typmod - 4) & 0x7FF ^ 0x400) - 0x400  # 11 bits, signed
        return (precision, scale) if precision <= 38 and 0 <= scale <= precision else None


@dataclasses.dataclass(frozen=True)
class Pair:
    """SQL templates over `{x}`; NULL for NULL."""
    source: str
    warehouse: str


# format() calls the type's output function where a cast would not (char(n) keeps its blanks), but
# makes '' of NULL; a composite value of NULLs is NULL for IS NULL, though not for IS DISTINCT FROM.
AS_TEXT = Pair("CASE WHEN {x} IS DISTINCT FROM NULL THEN format('%s', {x}) END", "{x}::VARCHAR")
# PostgreSQL knows no cast from float to bits, but its binary output is just that.
FLOAT8 = Pair("CASE WHEN {x} = 'NaN' THEN 'NaN'"
              " ELSE ('x' || encode(float8send({x}), 'hex'))::bit(64)::text END",
              "CASE WHEN isnan({x}) THEN 'NaN' ELSE {x}::BIT::VARCHAR END")
FLOAT4 = Pair("CASE WHEN {x} = 'NaN' THEN 'NaN'"
              " ELSE ('x' || encode(float4send({x}), 'hex'))::bit(32)::text END",
              FLOAT8.warehouse)
INFINITE = "CASE WHEN {x} > '2000-01-01' THEN 'infinity' ELSE '-infinity' END"
DATE = Pair("CASE WHEN isfinite({x}) THEN ({x} - date '2000-01-01')::text ELSE {x}::text END",
            f"CASE WHEN isinf({{x}}) THEN {INFINITE} ELSE ({{x}} - DATE '2000-01-01')::VARCHAR END")
TIMESTAMP = Pair("CASE WHEN isfinite({x})"
                 " THEN (extract(epoch FROM {x}) * 1000000)::numeric(40, 0)::text"
                 " ELSE {x}::text END",
                 f"CASE WHEN isinf({{x}}) THEN {INFINITE} ELSE epoch_us({{x}})::VARCHAR END")
TIME = Pair("(extract(epoch FROM {x}) * 1000000)::numeric(40, 0)::text", "epoch_us({x})::VARCHAR")
BYTES = Pair("encode({x}, 'hex')", "lower(hex({x}))")
# DuckDB writes .5 where precision and scale are equal.
DECIMAL = Pair(AS_TEXT.source, r"regexp_replace({x}::VARCHAR, '^(-?)\.', '\10.')")

# Source type -> the warehouse types it may have, each with how to compare it.
TYPED = {
    "bool": {"BOOLEAN": Pair("{x}::text", "{x}::VARCHAR")},
    "int2": {"SMALLINT": AS_TEXT},
    "int4": {"INTEGER": AS_TEXT},
    "int8": {"BIGINT": AS_TEXT},
    "oid": {"UINTEGER": AS_TEXT, "BIGINT": AS_TEXT, "VARCHAR": AS_TEXT},
    "float4": {"FLOAT": FLOAT4},
    "float8": {"DOUBLE": FLOAT8},
    "bytea": {"BLOB": BYTES},
    "date": {"DATE": DATE},
    "time": {"TIME": TIME, "VARCHAR": AS_TEXT},
    "timestamp": {"TIMESTAMP": TIMESTAMP},
    "timestamptz": {"TIMESTAMP WITH TIME ZONE": TIMESTAMP},
    "uuid": {"UUID": AS_TEXT},
    "json": {"VARCHAR": AS_TEXT, "JSON": AS_TEXT},
    "jsonb": {"VARCHAR": AS_TEXT, "JSON": AS_TEXT},
}


def pair(source: SourceType, warehouse: str) -> Pair:
    """How to compare a column; raises TypeMismatch if the warehouse's type is not allowed."""
    if source.element is not None and warehouse.endswith("[]"):
        return list_pair(pair(source.element, warehouse.removesuffix("[]")))
    if (decimal := source.decimal()) is not None:
        allowed = {f"DECIMAL({decimal[0]},{decimal[1]})": DECIMAL, "VARCHAR": AS_TEXT}
    else:
        allowed = TYPED.get(source.name, {"VARCHAR": AS_TEXT})
    if warehouse not in allowed:
        raise TypeMismatch(f"{source.name} in the source, {warehouse} in the warehouse")
    return allowed[warehouse]


def list_pair(element: Pair) -> Pair:
    """Arrays of one dimension: the number of elements, then each as in a row."""
    inside_source = framed(element.source.replace("{x}", "e"), "octet_length")
    inside_warehouse = framed(element.warehouse.replace("{x}", "e"), "strlen")
    return Pair(
        "cardinality({x}) || ':' || coalesce((SELECT string_agg("
        + inside_source + ", '' ORDER BY i) FROM unnest({x}) WITH ORDINALITY AS u(e, i)), '')",
        "len({x}) || ':' || array_to_string(list_transform({x}, lambda e: "
        + inside_warehouse + "), '')")


def framed(text: str, bytes_of: str) -> str:
    """A value with its length in front, or ~ for NULL, so that joined values stay unambiguous."""
    return f"coalesce({bytes_of}({text}) || ':' || ({text}), '~')"


def row_text(columns: list[str], bytes_of: str) -> str:
    """One text for a whole row from its columns' canonical expressions, NULL-safe."""
    return " || ".join(framed(column, bytes_of) for column in columns)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def target_name(schema: str, table: str) -> str:
    """The warehouse's table for a source table: schema and table, `public` left out."""
    return table if schema == "public" else f"{schema}_{table}"


def split_name(name: str) -> tuple[str, str]:
    """`schema.table` as written in a pipeline file; parts in double quotes may hold dots."""
    parts = [part.strip('"') for part in re.findall(r'"[^"]+"|[^.]+', name)]
    return (parts[0], parts[1]) if len(parts) == 2 else ("public", parts[0])
