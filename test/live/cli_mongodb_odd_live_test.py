#!/usr/bin/env python3
"""Documents that no driver would write, and such as are at the edge: odd names, values outside any
calendar or encoding, very deep and very large ones. Nothing of them is lost.
"""

import struct

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

import cli_fixture
from cli_fixture import OK
from mongo_fixture import IMAGES, DocumentTest

MEGABYTE = 1 << 20
LENIENT = CodecOptions(document_class=RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_MS)


def raw(*fields: tuple[bytes, int, bytes]) -> RawBSONDocument:
    """A document of (name, type, value), whatever a driver would say to it."""
    body = b"".join(bytes([kind]) + name + b"\0" + value for name, kind, value in fields)
    return RawBSONDocument(struct.pack("<i", len(body) + 5) + body + b"\0", LENIENT)


def text(value: bytes) -> bytes:
    return struct.pack("<i", len(value) + 1) + value + b"\0"


def number(value: int) -> bytes:
    return struct.pack("<i", value)


class Odd(DocumentTest):
    def test_names(self):
        names = ["a.b", "a..b", "$field", "a", "A", "É", "é", "", " ", "_extra", "_nulls", "_op",
                 "_commit", "_ordinal", "document", "_ID", "with\"quote", "with'quote", "x" * 300,
                 "rowid", "select", "_leat_new_orders", "_unchanged", "\u4e2d"]
        rows = [raw((b"_id", 0x10, number(i)), (name.encode(), 0x10, number(i)))
                for i, name in enumerate(names)]
        rows += [raw((b"_id", 0x10, number(100)),
                     *((name.encode(), 0x02, text(name.encode())) for name in names))]
        changes = [raw((b"_id", 0x10, number(i)), (name.encode(), 0x02, text(b"changed")))
                   for i, name in enumerate(names, 200)]
        self.fill_and_check(rows, changes)

    def test_same_field_twice(self):
        rows = [raw((b"_id", 0x10, number(i)), (b"a", 0x10, number(1)), (b"a", 0x02, text(b"two")),
                    (b"b", 0x03, bytes(bson.encode({"x": i}))), (b"a", 0x10, number(3)))
                for i in range(3)]
        self.fill_and_check(rows, [raw((b"_id", 0x10, number(9)), (b"c", 0x10, number(1)),
                                       (b"c", 0x10, number(2)))])

    def test_types_that_drivers_no_longer_write(self):
        pointer = text(b"orders") + bytes(range(12))
        rows = [raw((b"_id", 0x10, number(1)), (b"undefined", 0x06, b""), (b"symbol", 0x0E, text(b"s")),
                    (b"pointer", 0x0C, pointer))]
        changes = [raw((b"_id", 0x10, number(2)), (b"symbol", 0x02, text(b"a string")),
                       (b"pointer", 0x06, b""), (b"undefined", 0x10, number(1)))]
        self.fill_and_check(rows, changes)

    def test_dates_outside_any_calendar(self):
        dates = [2**63 - 1, -2**63, 9_223_372_036_854_775, -9_223_372_036_854_775, 253_402_300_800_000,
                 -62_135_596_800_001]
        rows = [raw((b"_id", 0x10, number(i)), (b"at", 0x09, struct.pack("<q", ms)))
                for i, ms in enumerate(dates)]
        rows.append(raw((b"_id", 0x10, number(50)), (b"at", 0x09, struct.pack("<q", 0))))
        changes = [raw((b"_id", 0x10, number(i)), (b"at", 0x09, struct.pack("<q", ms)),
                       (b"in", 0x03, bytes(raw((b"at", 0x09, struct.pack("<q", ms))).raw)))
                   for i, ms in enumerate(dates, 100)]
        pipeline = self.fill_and_check(rows, changes)
        self.assertEqual(self.types(pipeline)["at"], "TIMESTAMP WITH TIME ZONE")

    def test_text_that_is_not_utf8(self):
        """The bytes are all there, as a binary of subtype 80 in `_extra`."""
        orders = self.db.create_collection("orders", **IMAGES)
        orders.insert_many([raw((b"_id", 0x10, number(1)), (b"t", 0x02, text(b"good"))),
                            raw((b"_id", 0x10, number(2)), (b"t", 0x02, text(b"bad \xff\xfe")))])
        pipeline = self.pipeline()
        self.assertEqual(pipeline.run().returncode, OK)
        orders.insert_many([raw((b"_id", 0x10, number(3)), (b"t", 0x02, text(b"\xc3"))),
                            raw((b"_id", 0x02, text(b"key \xff")), (b"t", 0x02, text(b"good")))])
        self.assertEqual(pipeline.run().returncode, OK)
        rows = {str(row["_id"]): row for row in self.rows(pipeline)}
        self.assertEqual(len(rows), 4)
        self.assertEqual([rows[key]["t"] for key in "123"], ["good", None, None])
        for key, bytes_hex in (("2", "6261642000"), ("3", "c3")):
            self.assertIn("\"$binary\"", rows[key]["_extra"])
            self.assertIn("\"subType\":\"80\"", rows[key]["_extra"], bytes_hex)
        orders.delete_one(raw((b"_id", 0x02, text(b"key \xff"))))
        self.assertEqual(pipeline.run().returncode, OK)
        self.assertEqual(len(self.rows(pipeline)), orders.count_documents({}))

    def test_deep_and_large(self):
        deep: dict = {"end": 1}
        for _ in range(97):
            deep = {"d": deep}
        large = {"_id": 2, "text": "x" * (16 * MEGABYTE - 60)}
        many = {"_id": 3, "list": list(range(800_000))}
        self.fill_and_check([{"_id": 1, "deep": deep}, large, many],
                            [{"_id": 11, "deep": deep}, large | {"_id": 12}, many | {"_id": 13}])

    def test_transform_over_a_field_that_comes_late(self):
        orders = self.db.create_collection("orders", **IMAGES)
        orders.insert_many({"_id": i, "amount": i} for i in range(10))
        pipeline = self.pipeline()
        pipeline.edit("sinks:", "transforms:\n  - name: sales\n    sql: SELECT *, amount * 2 AS twice "
                      "FROM orders WHERE amount > 2\nsinks:")
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 7, "sales")
            orders.update_one({"_id": 3}, {"$set": {"discount": 1}})
            orders.update_one({"_id": 4}, {"$set": {"amount": 1, "discount": 4}})
            orders.update_one({"_id": 5}, {"$set": {"discount": "none"}})
            orders.insert_one({"_id": 11, "amount": 11})
            self.wait_for_answer(pipeline, "SELECT count(*) FROM sales WHERE _id = 11", ["1"])
        rows = sorted((row["_id"], row["twice"], row["discount"])
                      for row in self.rows(pipeline, "sales"))
        self.assertEqual(rows, [(3, 6, "1"), (5, 10, '"none"'), (6, 12, None), (7, 14, None),
                                (8, 16, None), (9, 18, None), (11, 22, None)])


if __name__ == "__main__":
    cli_fixture.main()
