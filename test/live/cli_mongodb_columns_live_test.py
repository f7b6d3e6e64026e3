#!/usr/bin/env python3
"""What `columns` says: declared columns are there before any document has the field, and excluded
fields are in nothing that leat writes.
"""

import datetime
import uuid

from bson import Binary, Int64, ObjectId
from bson.decimal128 import Decimal128

import cli_fixture
from cli_fixture import OK, Pipeline
from mongo_fixture import IMAGES, MongoTest

# By the word for it in `types`: the column, a value of it.
DECLARED = {
    "bool": ("BOOLEAN", True),
    "int": ("BIGINT", 7),
    "long": ("BIGINT", Int64(2**60)),
    "double": ("DOUBLE", 0.5),
    "decimal": ("VARCHAR", Decimal128("1.10")),
    "string": ("VARCHAR", "text"),
    "objectId": ("VARCHAR", ObjectId("0123456789abcdef01234567")),
    "date": ("TIMESTAMP WITH TIME ZONE", datetime.datetime(2024, 2, 29)),
    "uuid": ("UUID", Binary.from_uuid(uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"))),
    "binData": ("BLOB", b"bytes"),
    "mixed": ("JSON", {"any": 1}),
}
SECRET, OPEN = "4929-secret-1881", "4929-opened-1881"


def declared(*words: str) -> str:
    types = ", ".join(f"f_{word}: {word}" for word in words or DECLARED)
    return f"columns: {{orders: {{types: {{{types}}}}}}}"


class Declared(MongoTest):
    def assert_types(self, pipeline: Pipeline, wanted: dict[str, str]) -> None:
        found = self.types(pipeline)
        self.assertEqual({name: found.get(name) for name in wanted}, wanted)

    def columns(self) -> dict[str, str]:
        return {f"f_{word}": column for word, (column, _) in DECLARED.items()}

    def test_there_before_any_document_has_the_field(self):
        orders = self.make_orders()
        pipeline = self.pipeline(source=declared())
        self.assert_runs(pipeline)
        self.assert_types(pipeline, self.columns())
        values = {f"f_{word}": value for word, (_, value) in DECLARED.items()}
        orders.insert_one({"_id": 100} | values)
        orders.update_one({"_id": 1}, {"$set": values})
        self.assert_runs(pipeline)
        self.assert_types(pipeline, self.columns())

    def test_of_a_collection_without_documents(self):
        orders = self.make_orders(0)
        pipeline = self.pipeline(source=declared())
        self.assertEqual(pipeline.run().returncode, OK)
        orders.insert_one({"_id": 1})
        self.assert_runs(pipeline)
        self.assert_types(pipeline, self.columns())

    def test_value_that_does_not_fit_widens(self):
        orders = self.make_orders()
        pipeline = self.pipeline(source=declared())
        self.assert_runs(pipeline)
        misfits = {f"f_{word}": [word] for word in DECLARED}
        orders.insert_one({"_id": 100} | misfits)
        self.assert_runs(pipeline)
        self.assert_types(pipeline, dict.fromkeys(self.columns(), "JSON"))

    def test_values_in_the_image_do_not_fit(self):
        orders = self.make_orders()
        orders.insert_one({"_id": 100, "f_date": "yesterday", "f_int": 1.5, "f_long": 1.5,
                           "f_double": 2**60, "f_string": 1})
        pipeline = self.pipeline(source=declared())
        self.assert_runs(pipeline)
        self.assert_types(pipeline, {"f_date": "JSON", "f_int": "DOUBLE", "f_long": "VARCHAR",
                                     "f_double": "VARCHAR", "f_string": "JSON", "f_bool": "BOOLEAN"})

    def test_value_that_does_not_fit_goes_aside_under_variant(self):
        orders = self.make_orders()
        pipeline = self.pipeline(source=declared() + "\n  on_conflict: variant")
        self.assert_runs(pipeline)
        orders.insert_one({"_id": 100} | {f"f_{word}": [word] for word in DECLARED})
        orders.insert_one({"_id": 101, "f_long": Int64(2**60), "f_int": 1.5, "f_double": 3})
        self.assert_runs(pipeline)
        self.assert_types(pipeline, self.columns())

    def test_transform_over_a_field_that_no_document_has(self):
        orders = self.make_orders()
        pipeline = self.pipeline(source=declared("double", "string"))
        pipeline.edit("sinks:", "transforms:\n  - name: sales\n    sql: SELECT _id, f_double * 2 AS "
                      "twice FROM orders WHERE f_string IS NULL\nsinks:")
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        orders.update_one({"_id": 1}, {"$set": {"f_double": 1.5}})
        orders.update_one({"_id": 2}, {"$set": {"f_string": "out"}})
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        twice = {row["_id"]: row["twice"] for row in self.rows(pipeline, "sales")}
        self.assertEqual(twice, {i: 3.0 if i == 1 else None for i in range(1, 51) if i != 2})


class Excluded(MongoTest):
    def files_with(self, text: str) -> set[str]:
        """What leat wrote that holds the text, by its place in the pipeline's folder."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")
                if path.is_file() and text.encode() in path.read_bytes()}

    def change(self, orders) -> None:
        """Whatever brings the field: insert, replace, update of it, beside it and within it."""
        orders.insert_one({"_id": 100, "note": OPEN, "card": SECRET})
        orders.replace_one({"_id": 1}, {"note": OPEN, "card": {"number": SECRET}})
        orders.update_one({"_id": 1}, {"$set": {"card.number": SECRET + "1"}})
        orders.update_one({"_id": 2}, {"$set": {"card": SECRET + "2"}})
        orders.update_one({"_id": 3}, {"$set": {"card": SECRET + "3", "note": OPEN + "3"}})
        orders.update_one({"_id": 4}, {"$set": {"note": OPEN + "4"}, "$unset": {"card": 1}})
        orders.update_one({"_id": 5}, {"$set": {"card": None}})
        orders.update_one({"_id": 6}, {"$rename": {"card": "note"}, "$set": {"amount": 1}})
        orders.update_one({"_id": 6}, {"$set": {"note": OPEN}})
        orders.delete_one({"_id": 7})
        orders.insert_one({"_id": 101})

    def is_left_out(self, *options: str, has_images: bool = True, **judging) -> Pipeline:
        # What was renamed to a field that is captured is captured, and is no secret.
        orders = self.make_orders(has_images=has_images)
        orders.update_many({"_id": {"$ne": 6}}, {"$set": {"card": SECRET}})
        orders.update_one({"_id": 6}, {"$set": {"card": "open"}})
        source = "\n  ".join(["columns: {orders: {exclude: [card]}}", *options])
        pipeline = self.pipeline(source=source)
        judging |= {"excluded": frozenset({"card"})}
        for step in (lambda: None, lambda: self.change(orders)):
            step()
            done = pipeline.run()
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assert_equal(pipeline, **judging)
        orders.drop()
        orders = self.make_orders(has_images=has_images)
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            self.change(orders)
            self.wait_for_answer(pipeline, "SELECT count(*) FROM orders WHERE _id = 101", ["1"])
        self.assert_equal(pipeline, **judging)
        in_log = any("data" in file for file in self.files_with(OPEN))
        self.assertTrue(in_log, "looked at the wrong files")
        self.assertEqual(self.files_with(SECRET), set())
        return pipeline

    def test_with_post_images(self):
        pipeline = self.is_left_out()
        self.assertNotIn("card", self.types(pipeline))

    def test_by_lookup(self):
        self.is_left_out(has_images=False)

    def test_in_deltas(self):
        pipeline = self.is_left_out("update_mode: delta", has_images=False)
        self.assertNotIn("card", self.types(pipeline))

    def test_in_whole_documents(self):
        self.is_left_out("mode: document", mode="document")

    def test_null_is_not_told(self):
        self.is_left_out("nulls: true", tells_nulls=True)

    def test_value_that_would_go_aside(self):
        orders = self.db.create_collection("orders", **IMAGES)
        orders.insert_many([{"_id": 1, "card": 1}, {"_id": 2, "card": SECRET, "note": OPEN}])
        pipeline = self.pipeline(source="columns: {orders: {exclude: [card]}}\n  columns_max: 4\n"
                                 "  on_conflict: variant")
        self.assertEqual(pipeline.run().returncode, OK)
        orders.insert_one({"_id": 3, "a": 1, "b": 2, "c": 3, "card": SECRET})
        self.assertEqual(pipeline.run().returncode, OK)
        self.assert_equal(pipeline, excluded=frozenset({"card"}))
        self.assertEqual(self.files_with(SECRET), set())

    def test_key_cannot_be_left_out(self):
        self.make_orders()
        pipeline = self.pipeline(source="columns: {orders: {exclude: [_id]}}")
        done = pipeline.run()
        self.assertNotEqual(done.returncode, OK)
        self.assert_told(done.stderr, "excludes _id", "it is the key")

    def test_collection_that_is_not_captured(self):
        """A slip of the pen would let the field through."""
        self.make_orders()
        for name in ("ordres", "elsewhere.orders"):
            pipeline = self.pipeline(source=f"columns: {{{name}: {{exclude: [card]}}}}")
            for done in (pipeline.run(), pipeline.command("check", pipeline.file.name)):
                self.assertNotEqual(done.returncode, OK)
                self.assert_told(done.stdout + done.stderr, f"not captured: {name}",
                                 "[MONGO-COLLECTION-NAMES]")
        for names, name in (("'*'", "orders"), ("orders", f"{self.name}.orders")):
            pipeline = self.pipeline(names, folder=self.folder / name,
                                     source=f"columns: {{{name}: {{exclude: [note]}}}}")
            self.assertEqual(pipeline.run().returncode, OK)
            self.assert_equal(pipeline, excluded=frozenset({"note"}))


if __name__ == "__main__":
    cli_fixture.main()
