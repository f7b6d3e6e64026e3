#!/usr/bin/env python3
"""Documents of every shape: each value of them is in the warehouse exactly as it was, in a column, in
one that widened, or in `_extra`; in images and in changes, whatever was there before.
"""

import datetime
import json
import uuid

import bson
from bson import Binary, Code, DBRef, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.decimal128 import Decimal128

import cli_fixture
from cli_fixture import OK
from mongo_fixture import IMAGES, DocumentTest

MOMENT = datetime.datetime(2024, 2, 29, 12, 30, 0, 123_000)
UUID = Binary.from_uuid(uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"))
# By what a column of only such values becomes.
VALUES = {
    "BOOLEAN": [True, False],
    "BIGINT": [0, 1, -1, 2**31 - 1, Int64(2**31), 2**53, -2**53, 2**53 + 1, 2**63 - 1, -2**63],
    "DOUBLE": [0.0, -0.0, 1.5, 1e300, 5e-324, float("inf"), float("-inf"), float("nan"), 0.1],
    "VARCHAR": ["", "text", "grüße \U0001f600", "with\0zero", '"{}', "line\nline"],
    "TIMESTAMP WITH TIME ZONE": [MOMENT, datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31),
                                 datetime.datetime(1969, 12, 31, 23, 59, 59, 999_000)],
    "UUID": [UUID],
    "BLOB": [b"", b"\0\xff", b"bytes"],
    "JSON": [[], [1, "a", None, [2.5]], {}, {"a": {"b": [1, {"c": 2}]}}, Regex("^a/b", "im"),
             Code("function () {}"), Code("f", {"x": 1}), Timestamp(7, 9), MinKey(), MaxKey(),
             Binary(b"old uuid of 16 b", 3), Binary(b"user", 0x80), DBRef("orders", 1)],
}
DECIMALS = [Decimal128(text) for text in ("0", "-0.00", "1.10", "9" * 34, "1E+6111", "1E-6176", "NaN",
                                          "-Infinity", "12345678901234567890.123")]
IDS = [ObjectId("0123456789abcdef01234567"), *DECIMALS]
ALL = [value for values in VALUES.values() for value in values] + IDS


class Types(DocumentTest):
    def test_a_column_of_each_type(self):
        kinds = list(VALUES.items()) + [("VARCHAR", DECIMALS), ("VARCHAR", IDS[:1])]
        documents = []
        for i in range(max(len(values) for _, values in kinds)):
            documents.append({"_id": i} | {f"f{place}": values[i % len(values)]
                                           for place, (_, values) in enumerate(kinds)})
        changes = [document | {"_id": f"{document['_id'] + 100}"} for document in documents]
        for document in changes:
            document["_id"] = int(document["_id"])
        pipeline = self.fill_and_check(documents, changes)
        found = self.types(pipeline)
        self.assertEqual([found[f"f{place}"] for place in range(len(kinds))],
                         [kind for kind, _ in kinds])

    def test_two_types_in_one_column(self):
        """Every pair, the second type while leat streams, or as it reads the image."""
        for is_beside, name in ((False, "orders"), (True, "drafts")):
            with self.subTest(name):
                collection = self.db.create_collection(name, **IMAGES)
                samples = [values[-1] for values in VALUES.values()] + [1, DECIMALS[3], IDS[0]]
                pairs = [(a, b) for a in samples for b in samples]
                first = {"_id": 1} | {f"f{i}": a for i, (a, _) in enumerate(pairs)}
                second = {"_id": 2} | {f"f{i}": b for i, (_, b) in enumerate(pairs)}
                collection.insert_one(first)
                pipeline = self.pipeline(name, folder=self.folder / name)
                if is_beside:
                    self.assert_runs(pipeline, name)
                collection.insert_one(second)
                self.assert_runs(pipeline, name)

    def test_ids_of_every_type_in_ranges(self):
        # Without post images, which would be written twice.
        orders = self.db.create_collection("orders")
        ids = [value for value in ALL if not isinstance(value, (list, Regex))] + [None]
        seen, documents, filler = set(), [], "x" * 220_000
        for key in ids + list(range(300)) + [f"k{i}" for i in range(300)]:
            # Numbers that are equal are one key, whatever their types.
            same = bson.encode({"_id": key}) if not isinstance(key, (int, float, Decimal128)) else (
                str(key.to_decimal() if isinstance(key, Decimal128) else key))
            if same in seen or isinstance(key, (float, Decimal128)):
                continue
            seen.add(same)
            documents.append({"_id": key, "filler": filler, "n": len(documents)})
        documents += [{"_id": 0.5, "n": -1}, {"_id": Decimal128("0.25"), "n": -2},
                      {"_id": float("nan"), "n": -3}, {"_id": float("inf"), "n": -4}]
        for at in range(0, len(documents), 50):
            orders.insert_many(documents[at:at + 50])
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        orders.update_many({}, {"$set": {"filler": "y"}})
        for key in (None, MinKey(), MaxKey(), {"a": {"b": [1, {"c": 2}]}}, UUID, True):
            orders.delete_one({"_id": key})
        orders.insert_many([{"_id": None}, {"_id": MaxKey()}, {"_id": {"k": 1}}])
        self.assert_runs(pipeline)
        orders.delete_many({})
        self.assert_runs(pipeline)

    def test_drift_in_an_image_and_later(self):
        orders = self.db.create_collection("orders", **IMAGES)
        drift = [1, Int64(2**40), 1.5, 2**60, Decimal128("1.5"), "text", {"a": 1}, [1], None, True]
        count, filler = 4_000, "x" * 18_000
        orders.insert_many({"_id": i, "a": drift[i * len(drift) // count], "filler": filler,
                            f"late{i // 800}": i} for i in range(count))
        pipeline = self.pipeline(source="frame_bytes: 64KiB")
        self.assertEqual(pipeline.run().returncode, OK)
        self.assert_equal(pipeline, has_drifted=True)
        for place, value in enumerate(drift):
            orders.insert_one({"_id": f"b{place}", "b": value, "c": {"v": value}})
            self.assertEqual(pipeline.run().returncode, OK)
            self.assert_equal(pipeline, has_drifted=True)
        with self.running(pipeline):
            for place, value in enumerate(drift):
                orders.update_one({"_id": place}, {"$set": {"d": value, f"new{place}": value}})
            orders.delete_one({"_id": count - 1})
            orders.insert_one({"_id": "end"})
            self.wait_for_answer(pipeline, "SELECT count(*) FROM orders WHERE _id::VARCHAR LIKE '%end%'",
                                 ["1"])
        self.assert_equal(pipeline, has_drifted=True)
        self.assertEqual({self.types(pipeline)[name] for name in "abcd"}, {"JSON"})

    def test_variant_keeps_a_column_as_it_was(self):
        documents = [{"_id": 1, "a": 1, "b": "text"}, {"_id": 2, "a": 2, "b": "more"}]
        changes = [{"_id": 3, "a": "three", "b": 3}, {"_id": 4, "a": 4.5, "b": ["x"], "c": 1},
                   {"_id": 5, "a": None, "b": {"deep": 1}, "c": "c"}]
        pipeline = self.fill_and_check(documents, changes, source="on_conflict: variant")
        types = self.types(pipeline)
        self.assertEqual([types["a"], types["b"], types["c"], types["_extra"]],
                         ["BIGINT", "VARCHAR", "BIGINT", "JSON"])

    def test_documents_that_do_not_fit_are_dead_letters(self):
        orders = self.db.orders
        orders.insert_many([{"_id": 1, "a": 1, "b": "text"}, {"_id": 2, "a": "two"},
                            {"_id": 3, "a": 3}])
        pipeline = self.pipeline(source="on_conflict: dead_letter")
        self.assertEqual(pipeline.run().returncode, OK)
        orders.update_one({"_id": 1}, {"$set": {"b": {"not": "text"}}})
        orders.update_one({"_id": 3}, {"$set": {"a": 4}})
        orders.insert_one({"_id": 4, "a": 4.5, "c": True})
        self.assertEqual(pipeline.run().returncode, OK)
        self.assert_rows(pipeline, [(1, 1, "text"), (3, 4, None)])
        self.assertEqual(self.open_letters(pipeline), {
            ("1", '{"b":{"not":"text"}}'), ("2", '{"a":"two"}'), ("4", '{"a":4.5}')})
        orders.update_many({"_id": {"$in": [1, 2]}}, {"$set": {"a": 5, "b": "fits"}})
        orders.delete_one({"_id": 4})
        self.assertEqual(pipeline.run().returncode, OK)
        self.assert_rows(pipeline, [(1, 5, "fits"), (2, 5, "fits"), (3, 4, None)])
        self.assertEqual(self.open_letters(pipeline), set())
        self.assertNotIn("_misfits", self.types(pipeline))

    def assert_rows(self, pipeline, expected: list) -> None:
        held = sorted((row["_id"], row["a"], row["b"]) for row in self.rows(pipeline))
        self.assertEqual(held, expected)

    def open_letters(self, pipeline) -> set:
        done = pipeline.command("dead-letters", "list", pipeline.file.name, "--json")
        self.assertEqual(done.returncode, OK, done.stderr)
        return {(letter["key"][0], letter["error"]) for letter in json.loads(done.stdout)["dead_letters"]}

    def test_more_fields_than_columns(self):
        documents = [{"_id": i, f"f{i}": i, "all": i} for i in range(30)]
        changes = [{"_id": i, f"f{i}": i, "all": f"{i}"} for i in range(30, 60)]
        pipeline = self.fill_and_check(documents, changes, source="columns_max: 12")
        self.assertLessEqual(len(self.types(pipeline)), 12)

    def test_null_and_missing_told_apart(self):
        documents = [{"_id": 1, "a": None, "b": 1}, {"_id": 2, "b": None}, {"_id": 3}]
        changes = [{"_id": 4, "a": 1, "b": None, "c": None}, {"_id": 5, "a": None, "b": None}]
        self.fill_and_check(documents, changes, source="nulls: true", tells_nulls=True)

    def test_whole_documents(self):
        documents = [{"_id": i, "value": value, "n": i} for i, value in enumerate(ALL)]
        changes = [{"_id": i + 1000, "value": [value, {"in": value}]} for i, value in enumerate(ALL)]
        pipeline = self.fill_and_check(documents, changes, source="mode: document", mode="document")
        self.assertEqual(self.types(pipeline), {"_id": "BIGINT", "document": "JSON"})
        self.db.orders.delete_many({"n": {"$lt": 20}})
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_equal(pipeline, mode="document")


if __name__ == "__main__":
    cli_fixture.main()
