"""The collections of the crash test and what fills them: each is there for a trap of its own.

Values are nasty on purpose: every BSON type, null beside missing, fields that differ in case only
or have names of ours, dates beyond any calendar, numbers where an int and a double are equal but
not the same.
"""

import random

from bson import (Binary, Code, DatetimeMS, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex,
                  Timestamp)

from database import ACCOUNTS, OPENING

DATABASE = "crash"
ELSEWHERE = "audit"  # a second database, whose collections have it in their table's name

ORDERS = 2_000  # ids 1..ORDERS are in play
PEOPLE = 800
MIXED = 300
DRIFTING = 400
REMADE = 300
EVENTS = 600
BULK = 6_000

# In the order of the pipeline file.
NAMES = ["accounts", "transfers", "orders", "people", "mixed", "drifting", "remade", "bulk",
         "audit.events"]
# Updates of the others come without their document, which is looked up.
WITH_IMAGES = ["accounts", "transfers", "orders", "drifting", "remade"]
# Which are emptied for every new life, so that columns widen in it.
BEGUN_ANEW = ["drifting", "mixed"]
# Whose images may be switched on and off at any time: states of the bank must add up.
SWITCHED = ["orders", "drifting", "people", "bulk"]


def full_name(name: str) -> str:
    return name if "." in name else f"{DATABASE}.{name}"


def split(name: str) -> tuple[str, str]:
    """Database and collection."""
    database, _, collection = full_name(name).partition(".")
    return database, collection


TEXTS = ["", " ", "null", "NULL", r"\N", "it's \"quoted\"", "tab\tline\nend\r", "naïve 漢字 🚰",
         "a" * 300, "5", "1.0", '{"a": 1}', "\x00inside", "507f1f77bcf86cd799439011"]
INTS = [0, 1, -1, 2**31 - 1, -2**31, 42]
LONGS = [Int64(2**53), Int64(-2**53), Int64(7)]
HUGE = [Int64(2**53 + 1), Int64(-2**53 - 1), Int64(2**63 - 1), Int64(-2**63)]
# Zero is always -0.0, and never where ints are: DuckDB's own compression keeps one sign only.
DOUBLES = [float("nan"), float("inf"), float("-inf"), 0.1, 5e-324, 1.7976931348623157e308, 1.5,
           1e16, 1e22, 123456789.0]
DECIMALS = ["0", "-0", "1.20", "1E+3", "-1.5E-7", "NaN", "Infinity", "-Infinity",
            "9.999999999999999999999999999999999E+6144", "1234567890123456789012345678901234"]
DATES = [0, 1, -1, -62135596800000, 253402300799999, 1709210096700, 253402300800000]
ENDLESS = [2**63 - 1, -2**63, 10**16]  # beyond the calendars of the warehouses
NAMES_OF_PEOPLE = ["", "näme {}", "NAME {}", "o'brien {}", "漢字 {}", "a\\b {}"]


class Values:
    """Random values of each kind, from one seeded generator."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def text(self) -> str:
        return self.rng.choice(TEXTS) + str(self.rng.randrange(50))

    def big_text(self) -> str:
        """Now and then of 100 KB."""
        return self.rng.randbytes(self.rng.choice([10] * 60 + [2_000] * 12 + [50_000])).hex()

    def double(self) -> float:
        return self.rng.choice([*DOUBLES, self.rng.gauss(0, 1e6)])

    def int(self):
        return self.rng.choice([*INTS, *LONGS, self.rng.randrange(1000)])

    def decimal(self) -> Decimal128:
        return Decimal128(self.rng.choice([*DECIMALS, f"{self.rng.randrange(10**9)}E-4"]))

    def date(self) -> DatetimeMS:
        return DatetimeMS(self.rng.choice([*DATES, self.rng.randrange(2 * 10**12)]))

    def uuid(self) -> Binary:
        return Binary(self.rng.randbytes(16), 4)

    def object_id(self) -> ObjectId:
        return ObjectId(self.rng.randbytes(12))

    def blob(self) -> bytes:
        return self.rng.randbytes(self.rng.choice([0, 1, 20, 3_000]))

    def rare(self):
        """Of a type that has no column of its own."""
        return self.rng.choice([
            Regex("^a.*\"b", "im"), Timestamp(self.rng.randrange(2**32), 7), MinKey(), MaxKey(),
            Code("f(1)"), Code("g", {"x": 1}), Binary(b"\x01\x02", 5), Binary(b"short", 4),
            Binary(self.rng.randbytes(16), 3)])

    def scalar(self):
        draw = self.rng.choice([self.text, self.double, self.int, self.decimal, self.date,
                                self.uuid, self.object_id, self.blob, self.rare,
                                lambda: self.rng.choice(HUGE), lambda: self.rng.random() < 0.5])
        return draw()

    def nested(self, depth: int = 2):
        """Documents and arrays within each other."""
        rng = self.rng
        if depth == 0 or rng.random() < 0.5:
            return rng.choice([None, self.scalar()])
        if rng.random() < 0.5:
            return [-0.0, *(self.nested(depth - 1) for _ in range(rng.randrange(4)))]
        return {name: self.nested(depth - 1)
                for name in rng.sample(["a", "b", "", "with.dot", "é", "A"], rng.randrange(4))}

    def key(self):
        """An `_id` of any type; few different ones, some equal to another of another type."""
        rng = self.rng
        number = rng.randrange(MIXED // 12)
        return rng.choice([
            number, Int64(number), float(number), Decimal128(str(number)), number + 0.5,
            f"key {number}", rng.choice(TEXTS), str(number), ObjectId(f"{number:024x}"), {"a": number, "b": "x"},
            {"a": float(number)}, Binary(number.to_bytes(16, "big"), 4), Binary(bytes([number]), 0),
            DatetimeMS(number * 1000), number % 2 == 0, Timestamp(number, 1), None,
            Int64(2**60 + number)])

    def name(self) -> str:
        return self.rng.choice(NAMES_OF_PEOPLE).format(self.rng.randrange(PEOPLE))

    def order(self) -> dict:
        """All fields of an order but its key; each of one kind, null or missing."""
        rng = self.rng
        fields = {
            "customer": rng.randrange(1000), "amount": self.decimal(), "state": self.text(),
            "x": rng.choice([-0.0, self.double()]), "at": self.date(), "uid": self.uuid(),
            "blob": self.blob(), "ref": self.object_id(), "is_paid": rng.random() < 0.5,
            "total": rng.choice(HUGE + LONGS), "tags": [self.text() for _ in range(rng.randrange(4))],
            "lines": [{"sku": self.text(), "n": rng.choice([1, 1.0, Int64(1)])}],
            "address": self.nested(3), "note": self.big_text()}
        return self._thinned(fields)

    def person(self) -> dict:
        fields = {"email": self.text(), "biography": self.big_text(), "friends": [None, "a"],
                  "born": self.date(), "score": self.int(), "nothing": None}
        return self._thinned(fields)

    def drift(self) -> dict:
        """A few fields whose kinds go together less and less well; odd names among them."""
        rng = self.rng
        wild = rng.random() < 0.15
        kinds = {
            "i": [self.int], "d": [self.int, self.double], "n": [self.int, self._huge, self.decimal],
            "h": [self.int, self._huge], "dh": [self.double, self._huge],
            "t": [self.text, self.object_id], "id": [self.object_id, self.text],
            "when": [self.date, self._endless, self.text], "b": [self.blob, self.uuid, self.rare],
            "any": [self.scalar], "deep": [self.nested], "flag": [lambda: True, self.int],
            "I": [self.int], "": [self.text], "_extra": [self.text], "_NULLS": [self.int],
            "with.dot": [self.text], "$dollar": [self.int], "q\"uote": [self.int],
            f"new{rng.randrange(40)}": [self.int, self.double, self.text, self.nested]}
        fields = {}
        for name in rng.sample(list(kinds), rng.randint(1, 6)):
            draw = rng.choice(kinds[name] if wild else kinds[name][:1])
            fields[name] = None if rng.random() < 0.1 else draw()
        return fields

    def event(self) -> dict:
        rng = self.rng
        return {"day": rng.randrange(31), "kind": self.text(), "count": rng.randrange(100),
                "detail": self.nested()}

    def bulk(self) -> dict:
        return {"payload": "x" * self.rng.choice([30, 30, 300]) + str(self.rng.randrange(1000)),
                "number": self.rng.choice([0.5, float("nan"), 3.25]), "n": self.rng.randrange(9)}

    def _huge(self):
        return self.rng.choice(HUGE)

    def _endless(self) -> DatetimeMS:
        return DatetimeMS(self.rng.choice(ENDLESS))

    def _thinned(self, fields: dict) -> dict:
        """Some fields null, some missing."""
        thinned = {}
        for name, value in fields.items():
            draw = self.rng.random()
            if draw > 0.2:
                thinned[name] = value
            elif draw > 0.1:
                thinned[name] = None
        return thinned


def filling(name: str) -> list[dict]:
    """The documents a collection begins with, of narrow kinds."""
    rng = random.Random(f"filling of {name}")
    values = Values(rng)
    match name:
        case "accounts":
            return [{"_id": i, "id": i, "owner": f"owner {i}", "opening": OPENING,
                     "balance": OPENING} for i in range(1, ACCOUNTS + 1)]
        case "orders":
            return [{"_id": i} | values.order() for i in range(1, ORDERS, 3)]
        case "people":
            return [{"_id": f"näme {i}", "email": f"{i}@example.org"} for i in range(1, PEOPLE, 2)]
        case "mixed":
            return [{"_id": i, "v": i} for i in range(1, MIXED // 12, 2)]
        case "drifting":
            return [{"_id": Int64(i), "i": i} for i in range(1, DRIFTING, 2)]
        case "remade":
            return [{"_id": i, "v": f"first {i}"} for i in range(1, REMADE, 2)]
        case "bulk":
            return [{"_id": i} | values.bulk() for i in range(1, BULK, 3)]
        case "audit.events":
            return [{"_id": values.object_id()} | values.event() for _ in range(EVENTS)]
        case _:
            return []

