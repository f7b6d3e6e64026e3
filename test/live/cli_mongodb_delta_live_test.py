#!/usr/bin/env python3
"""`update_mode: delta`: of an update without its document the named fields alone are taken, where they
can be, and the table is as if the document had been read again. The process dies where it would read
one, so a test tells which of both happened.
"""

import threading

import cli_fixture
from cli_fixture import ENVIRONMENT, OK, Pipeline, eventually
from mongo_fixture import SMALL_FRAMES, MongoTest, change_all, marks

LOOKED_UP = "mongodb.looked_up"
DELTA = "update_mode: delta"


class Deltas(MongoTest):
    def setUp(self):
        super().setUp()
        self.orders = self.make_orders(has_images=False)
        self.orders.insert_many([
            {"_id": 60, "lines": [f"line {i}" for i in range(30)], "address": {"city": "Bonn"},
             "a.b": 1},
            {"_id": 61, "lines": [], "flag": True}])
        self.deltas = self.pipeline(source=DELTA)

    def assert_not_looked_up(self, *changes: tuple[dict, object]) -> None:
        self.assert_runs(self.deltas)
        with self.running(self.deltas, failpoints=f"{LOOKED_UP}=1"):
            self.wait_for_mark(self.deltas)  # what is older than the start is looked up
            for which, change in changes:
                self.orders.update_one(which, change)
            self.wait_for_mark(self.deltas)
        self.assert_equal(self.deltas)

    def assert_looked_up(self, which: dict, change, pipeline: Pipeline | None = None) -> None:
        pipeline = pipeline or self.deltas
        with self.running(pipeline, failpoints=f"{LOOKED_UP}=1") as process:
            self.wait_for_mark(pipeline)
            self.orders.update_one(which, change)
            code = eventually(process.process.poll, f"a lookup for {change}")
            self.assertEqual(code, -cli_fixture.signal.SIGKILL, process.tail())
        self.assert_runs(pipeline)

    def test_plain_changes(self):
        self.assert_not_looked_up(
            ({"_id": 1}, {"$set": {"note": "changed"}}),
            ({"_id": 1}, {"$inc": {"amount": 2}}),
            ({"_id": 2}, {"$unset": {"note": 1}}),
            ({"_id": 3}, {"$unset": {"note": 1, "amount": 1}}),
            ({"_id": 4}, {"$rename": {"note": "remark"}}),
            ({"_id": 5}, {"$set": {"fresh": 1}, "$unset": {"note": 1}}),
            ({"_id": 6}, {"$set": {"note": None}}),
            ({"_id": 7}, [{"$set": {"note": {"$concat": ["$note", "!"]}}}]),
            ({"_id": 8}, {"$push": {"lines": "first"}}),
            ({"_id": 60}, {"$set": {"lines": [4], "address": {"city": "Köln"}}}),
            ({"_id": 9}, {"$unset": {"never": 1}, "$set": {"amount": 0.0}}))

    def test_transform_that_needs_a_number_which_is_not_sent(self):
        self.deltas.edit("sinks:", "transforms:\n  - name: large\n    sql: SELECT _id, note FROM orders "
                         "WHERE amount > 10\nsinks:")
        code, findings = self.deltas.check()
        self.assertEqual(code, ENVIRONMENT)
        self.assertIn("MONGO-DELTA", [found["code"] for found in findings])
        with self.running(self.deltas) as process:
            self.wait_for_answer(self.deltas, "SELECT count(*) > 0 FROM large", ["true"])
            # The first ones may still be looked up.
            eventually(lambda: self.orders.update_one({"_id": 20}, {"$inc": {"number": 1}})
                       and process.process.poll() is not None, "the end of leat")
            self.assertEqual(process.process.poll(), ENVIRONMENT)
            self.assertIn("[MONGO-DELTA]", process.tail())

    def test_columns_that_come_and_widen(self):
        self.assert_not_looked_up(
            ({"_id": 1}, {"$set": {"amount": 2**60}}),
            ({"_id": 2}, {"$set": {"flag": "text", "later": True}}),
            ({"_id": 3}, {"$set": {"later": 1}}),
            ({"_id": 4}, {"$set": {"later": [1]}}))

    def test_paths_and_arrays_are_looked_up(self):
        self.assert_runs(self.deltas)
        for which, change in (({"_id": 60}, {"$set": {"address.city": "Ulm"}}),
                              ({"_id": 60}, {"$set": {"lines.0": 9}}),
                              ({"_id": 60}, {"$unset": {"address.city": 1}}),
                              ({"_id": 60}, {"$push": {"lines": 4}}),
                              ({"_id": 60}, [{"$set": {"lines": {"$slice": ["$lines", 20]}}}]),
                              ({"_id": 60}, [{"$replaceWith": {
                                  "$setField": {"field": "a.b", "input": "$$ROOT", "value": 2}}}])):
            with self.subTest(change):
                self.assert_looked_up(which, change)

    def test_looked_up_where_a_row_cannot_be_changed_in_part(self):
        for option in ("mode: document", "on_conflict: variant", "nulls: true"):
            with self.subTest(option):
                self.orders.update_one({"_id": 1}, {"$set": {"note": None}})
                pipeline = self.pipeline(folder=self.folder / option.split(":")[0],
                                         source=f"{DELTA}\n  {option}")
                judging = {"mode": "document"} if "mode" in option else {
                    "tells_nulls": "nulls" in option}
                self.orders.insert_one({"_id": next(marks)})
                self.assertEqual(pipeline.run().returncode, OK)
                with self.running(pipeline, failpoints=f"{LOOKED_UP}=1") as process:
                    self.wait_for_mark(pipeline)
                    self.orders.update_one({"_id": 2}, {"$inc": {"amount": 1}})
                    eventually(process.process.poll, "a lookup")
                self.assertEqual(pipeline.run().returncode, OK)
                self.assert_equal(pipeline, **judging)

    def test_many_to_one_document_with_all_else(self):
        self.assert_runs(self.deltas)
        with self.running(self.deltas):
            self.wait_for_mark(self.deltas)
            change_all(self.orders)
            self.orders.insert_one({"_id": 500, "note": "a"})
            for i in range(20):
                self.orders.update_one({"_id": 500}, {"$set": {f"f{i % 4}": i}})
                self.orders.update_one({"_id": 500}, {"$unset": {f"f{(i + 1) % 4}": 1}})
            self.orders.update_one({"_id": 501}, {"$set": {"note": "made by it"}}, upsert=True)
            self.orders.update_one({"_id": 1}, {"$set": {"note": "gone soon"}})
            self.orders.delete_one({"_id": 1})
            self.orders.insert_one({"_id": 1, "amount": 1.5})
            self.orders.update_one({"_id": 1}, {"$set": {"fresh": 1}})
            with self.db.client.start_session() as session, session.start_transaction():
                self.orders.insert_one({"_id": 502, "note": "a"}, session=session)
                self.orders.update_one({"_id": 502}, {"$set": {"amount": 2.5}}, session=session)
                self.orders.update_many({"_id": {"$lt": 20}}, {"$unset": {"note": 1}}, session=session)
            self.wait_for_mark(self.deltas)
        self.assert_equal(self.deltas)

    def test_killed_in_between(self):
        self.assert_runs(self.deltas)
        counter = 0

        def update() -> None:
            nonlocal counter
            counter += 1
            self.orders.update_one({"_id": 1 + counter % 50},
                                   {"$set": {f"f{counter % 3}": counter}, "$unset": {"note": 1}})

        for point in ("capture.before_append", "capture.after_append", "duckdb.before_commit",
                      "duckdb.after_commit"):
            with self.running(self.deltas, failpoints=f"{point}=5") as process:
                eventually(lambda: update() or process.process.poll(), f"death at {point}")
                update()
        self.assert_runs(self.deltas)

    def test_of_documents_that_an_image_is_yet_to_bring(self):
        """Killed in the image again and again, then read anew: always beside updates."""
        self.orders.insert_many({"_id": i, "amount": i * 1.5, "text": "x" * 500}
                                for i in range(1000, 9000))
        over = threading.Event()
        client = self.enterContext(self.server.client(w="majority"))

        def write() -> None:
            number = 0
            while not over.is_set():
                number += 1
                orders = client[self.name].orders
                orders.update_one({"_id": 1000 + number * 37 % 8000},
                                  {"$set": {"amount": 0.5 + number}})
                orders.update_one({"_id": 1000 + number * 41 % 8000}, {"$unset": {"text": 1}})
                orders.insert_one({"_id": 20_000 + number, "amount": 1.0})
                orders.update_one({"_id": 20_000 + number}, {"$set": {"note": "later"}})

        pipeline = self.pipeline(source=f"{DELTA}\n  range_bytes: 1MiB\n  {SMALL_FRAMES}")
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for point, hits in (("snapshot.chunk_read", 2), ("snapshot.chunk_appended", 3),
                                ("snapshot.end", 1)):
                self.assert_killed_at(pipeline, point, hits)
            with self.running(pipeline):
                self.wait_for_mark(pipeline)
            with self.running(pipeline, "--rebuild", "duckdb.orders") as process:
                self.wait_for_log(process, "is in its place")
        finally:
            over.set()
            writer.join()
        self.assert_runs(pipeline)


if __name__ == "__main__":
    cli_fixture.main()
