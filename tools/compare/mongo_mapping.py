"""What a BSON value becomes in a column of the warehouse, stated once more and by itself.

Values of both sides become tuples that are equal exactly when the values are, types included: an
int is not a double, a document is its fields in their order. Where a column has widened under a
value, several outcomes are right: 5 is 5.0 behind DOUBLE, and {"$numberDecimal": "5"} behind
exact text.
"""

import decimal
import math
import struct

from bson import (Binary, Code, DatetimeMS, DBRef, Decimal128, MaxKey, MinKey, ObjectId,
                  Regex, Timestamp, json_util)
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion

EXACT_IN_DOUBLE = 2**53
# One less at either end than 64 bits of microseconds hold.
CALENDAR_MS = (2**63 - 1) // 1000 - 1
RAW = CodecOptions(document_class=dict, datetime_conversion=DatetimeConversion.DATETIME_MS,
                   uuid_representation=UuidRepresentation.UNSPECIFIED)
RELAXED = json_util.JSONOptions(
    json_mode=json_util.JSONMode.RELAXED, document_class=dict,
    datetime_conversion=DatetimeConversion.DATETIME_MS,
    uuid_representation=UuidRepresentation.UNSPECIFIED)


def exact(value) -> tuple:
    """The value with its type."""
    match value:
        case None:
            return ("null",)
        case bool():
            return ("bool", value)
        case int():
            return ("int", int(value))
        case float():
            return ("double", b"NaN" if math.isnan(value) else struct.pack("<d", value))
        case str() if not isinstance(value, Code):
            return ("text", str(value))
        case Code():
            scope = None if value.scope is None else exact(value.scope)
            return ("code", str(value), scope)
        case Decimal128():
            return ("decimal", "NaN" if str(value) == "NaN" else value.bid)
        case ObjectId():
            return ("objectId", value.binary)
        case DatetimeMS():
            return ("date", int(value))
        case bytes():
            return ("binary", getattr(value, "subtype", 0), bytes(value))
        case list():
            return ("array", *map(exact, value))
        case dict():
            return ("document", *((name, exact(item)) for name, item in value.items()))
        case DBRef():
            return exact(dict(value.as_doc()))
        case Regex():
            return ("regex", value.pattern, value.flags)
        case Timestamp():
            return ("timestamp", value.time, value.inc)
        case MinKey() | MaxKey():
            return (type(value).__name__,)
    raise TypeError(f"no rule for {type(value)}")


def parsed(text: str) -> tuple:
    """The value that JSON of the warehouse stands for."""
    return exact(json_util.loads(text, json_options=RELAXED))


def is_number(value) -> bool:
    return isinstance(value, (int, float, Decimal128)) and not isinstance(value, bool)


def is_beyond_calendar(value) -> bool:
    return isinstance(value, DatetimeMS) and abs(int(value)) > CALENDAR_MS


def spelled(value) -> str:
    """A number as exact text."""
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return repr(value).replace("inf", "Infinity")
    return str(value)


def family(value) -> str | None:
    """What a VARCHAR column may hold one of."""
    if isinstance(value, str) and not isinstance(value, Code):
        return "text"
    if isinstance(value, ObjectId):
        return "object ids"
    return "numbers" if is_number(value) else None


def fits(value, column_type: str) -> bool:
    """Whether a column of this type can hold the value, as far as the type alone says it."""
    is_int = isinstance(value, int) and not isinstance(value, bool)
    match column_type:
        case "JSON":
            return True
        case "BOOLEAN":
            return isinstance(value, bool)
        case "BIGINT":
            return is_int
        case "DOUBLE":
            return isinstance(value, float) or (is_int and abs(value) <= EXACT_IN_DOUBLE)
        case "VARCHAR":
            return family(value) is not None
        case "TIMESTAMP WITH TIME ZONE":
            return isinstance(value, DatetimeMS) and not is_beyond_calendar(value)
        case "UUID":
            return isinstance(value, Binary) and value.subtype == 4 and len(value) == 16
        case "BLOB":
            return isinstance(value, bytes) and getattr(value, "subtype", 0) == 0
    raise TypeError(f"no rule for a column of type {column_type}")


def outcomes(value, column_type: str) -> set[tuple]:
    """What a column may hold of a value that fits: see cell()."""
    match column_type:
        case "JSON":
            return {exact(value)} | widened(value)
        case "DOUBLE":
            return {exact(float(value))}
        case "VARCHAR" if isinstance(value, ObjectId):
            return {("text", str(value))}
        case "VARCHAR" if is_number(value):
            return {("text", spelled(one)) for one in [value, *as_double(value)]}
        case "TIMESTAMP WITH TIME ZONE":
            return {("date", int(value) * 1000)}
        case "UUID" | "BLOB":
            return {("binary", bytes(value))}
    return {exact(value)}


def widened(value) -> set[tuple]:
    """What a number may be as JSON where it had another column before."""
    if not is_number(value):
        return set()
    numbers = [value, *as_double(value)]
    return ({exact(one) for one in numbers}
            | {exact(Decimal128(spelled(one))) for one in numbers if has_decimal(one)})


def as_double(value) -> list[float]:
    is_exact = (isinstance(value, int) and abs(value) <= EXACT_IN_DOUBLE)
    return [float(value)] if is_exact else []


def has_decimal(value) -> bool:
    return isinstance(value, Decimal128) or len(decimal.Decimal(spelled(value)).as_tuple().digits) <= 34


NOTHING = ("SQL's NULL",)  # and not JSON's

# How a column is read from DuckDB so that nothing is lost on the way.
READ = {"TIMESTAMP WITH TIME ZONE": "CASE WHEN isinf({x}) THEN NULL ELSE epoch_us({x}) END",
        "JSON": "{x}::VARCHAR", "UUID": "{x}::VARCHAR"}


def cell(value, column_type: str) -> tuple:
    """What a column holds, to be among the outcomes."""
    if value is None:
        return NOTHING
    match column_type:
        case "JSON":
            return parsed(value)
        case "TIMESTAMP WITH TIME ZONE":
            return ("date", value)
        case "UUID":
            return ("binary", bytes.fromhex(value.replace("-", "")))
        case "BLOB":
            return ("binary", bytes(value))
    return exact(value)


def key(value: tuple, column_type: str, numbers_are_text: bool = False) -> tuple:
    """One form for all outcomes of an `_id`: numbers that MongoDB holds for equal are one."""
    match value:
        case ("int", number):
            return ("number", decimal.Decimal(number))
        case ("double" | "decimal", "NaN" | b"NaN"):
            return ("number", "NaN")
        case ("double", bits):
            return ("number", decimal.Decimal(struct.unpack("<d", bits)[0]))
        case ("decimal", bits):
            return ("number", Decimal128.from_bid(bits).to_decimal())
        case ("text", text) if column_type == "VARCHAR" and numbers_are_text:
            return ("number", "NaN" if text == "NaN" else decimal.Decimal(text))
    return value
