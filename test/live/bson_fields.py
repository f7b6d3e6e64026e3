"""BSON as it lies in a document, by a reader of its own: pymongo hides what a test must see (fields of
the same name, undefined, text that is not UTF-8). `as_json` is relaxed Extended JSON by MongoDB's
table, as Python values in which an object is a list of pairs.
"""

import base64
import dataclasses
import datetime
import json
import math
import struct

import bson
from bson.decimal128 import Decimal128

DOUBLE, STRING, DOCUMENT, ARRAY, BINARY, UNDEFINED, OBJECT_ID, BOOL, DATE, NULL, REGEX = range(1, 12)
DB_POINTER, CODE, SYMBOL, CODE_WITH_SCOPE, INT, TIMESTAMP, LONG, DECIMAL = range(12, 20)
MIN_KEY, MAX_KEY = 0xFF, 0x7F
FIXED = {DOUBLE: 8, UNDEFINED: 0, OBJECT_ID: 12, BOOL: 1, DATE: 8, NULL: 0, INT: 4, TIMESTAMP: 8,
         LONG: 8, DECIMAL: 16, MIN_KEY: 0, MAX_KEY: 0}
YEAR_10000 = 253_402_300_800_000


@dataclasses.dataclass(frozen=True)
class Field:
    name: str
    type: int
    raw: bytes

    @property
    def is_null(self) -> bool:
        return self.type in (NULL, UNDEFINED)

    @property
    def is_number(self) -> bool:
        return self.type in (DOUBLE, INT, LONG, DECIMAL)

    @property
    def number(self) -> int:
        """Of the fixed-size integers: int, long, date."""
        return int.from_bytes(self.raw, "little", signed=True)

    @property
    def double(self) -> float:
        return struct.unpack("<d", self.raw)[0]

    @property
    def text(self) -> bytes:
        return self.raw[4:-1]

    @property
    def subtype(self) -> int:
        return self.raw[4]


def int32(raw: bytes, at: int = 0) -> int:
    return int.from_bytes(raw[at:at + 4], "little", signed=True)


def size_of(kind: int, raw: bytes, at: int) -> int:
    if kind in FIXED:
        return FIXED[kind]
    if kind == REGEX:
        return raw.index(b"\0", raw.index(b"\0", at) + 1) + 1 - at
    extra = {STRING: 4, CODE: 4, SYMBOL: 4, DB_POINTER: 16, BINARY: 5}.get(kind, 0)
    return int32(raw, at) + extra


def fields(raw: bytes) -> list[Field]:
    found, at = [], 4
    while raw[at] != 0:
        end = raw.index(b"\0", at + 1)
        size = size_of(raw[at], raw, end + 1)
        found.append(Field(raw[at + 1:end].decode("utf-8", "surrogateescape"), raw[at],
                           raw[end + 1:end + 1 + size]))
        at = end + 1 + size
    return found


def double_json(value: float):
    return value if math.isfinite(value) else [("$numberDouble", str(value).replace("inf", "Infinity")
                                                .replace("nan", "NaN"))]


def date_json(ms: int):
    if not 0 <= ms < YEAR_10000:
        return [("$date", [("$numberLong", str(ms))])]
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
    return [("$date", moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds") + "Z")]


def as_json(field: Field):
    raw, kind = field.raw, field.type
    if kind == DOCUMENT:
        return [(inner.name, as_json(inner)) for inner in fields(raw)]
    if kind == ARRAY:
        return Array(as_json(inner) for inner in fields(raw))
    if kind in (INT, LONG):
        return field.number
    if kind == CODE_WITH_SCOPE:
        code = int32(raw, 4)
        return [("$code", raw[8:7 + code].decode()),
                ("$scope", [(inner.name, as_json(inner)) for inner in fields(raw[8 + code:])])]
    if kind == REGEX:
        pattern, options = raw.split(b"\0")[:2]
        return [("$regularExpression", [("pattern", pattern.decode()), ("options", options.decode())])]
    if kind == DB_POINTER:
        return [("$dbPointer", [("$ref", raw[4:-13].decode()), ("$id", [("$oid", raw[-12:].hex())])])]
    simple = {
        DOUBLE: lambda: double_json(field.double),
        STRING: lambda: field.text.decode(),
        BOOL: lambda: raw != b"\0",
        NULL: lambda: None,
        UNDEFINED: lambda: [("$undefined", True)],
        MIN_KEY: lambda: [("$minKey", 1)],
        MAX_KEY: lambda: [("$maxKey", 1)],
        OBJECT_ID: lambda: [("$oid", raw.hex())],
        DATE: lambda: date_json(field.number),
        CODE: lambda: [("$code", field.text.decode())],
        SYMBOL: lambda: [("$symbol", field.text.decode())],
        DECIMAL: lambda: [("$numberDecimal", str(Decimal128.from_bid(raw)))],
        TIMESTAMP: lambda: [("$timestamp", [("t", int.from_bytes(raw[4:], "little")),
                                            ("i", int.from_bytes(raw[:4], "little"))])],
        BINARY: lambda: [("$binary", [("base64", base64.b64encode(raw[5:]).decode()),
                                      ("subType", f"{field.subtype:02x}")])],
    }
    return simple[kind]()


class Array(tuple):
    """Not a list, which is an object here."""


def read_json(text: str):
    """The same from text. Numbers keep their kind: 1 is not 1.0."""
    return arrays(json.loads(text, object_pairs_hook=Pairs))


class Pairs(list):
    """An object's members, told from an array while reading."""


def arrays(value):
    if isinstance(value, Pairs):
        return [(name, arrays(inner)) for name, inner in value]
    return Array(map(arrays, value)) if isinstance(value, list) else value


def is_same(a, b) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(is_same, a, b))
    return a == b


def raw_documents(collection) -> list[bytes]:
    """As they are stored."""
    options = bson.codec_options.CodecOptions(document_class=bson.raw_bson.RawBSONDocument)
    return [bytes(document.raw) for document in collection.with_options(codec_options=options).find()]
