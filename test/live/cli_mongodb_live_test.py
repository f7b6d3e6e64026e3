#!/usr/bin/env python3
"""MongoDB through the command line: the first image and every kind of change, and transactions.
After each the warehouse equals the collection.
"""

import json
import threading
import time

from pymongo import InsertOne, UpdateOne

import cli_fixture
from cli_fixture import eventually
from mongo_fixture import IMAGES, SMALL_FRAMES, MongoTest, change_all


class Changes(MongoTest):
    def all_changes(self, has_images: bool) -> None:
        orders = self.make_orders(has_images=has_images)
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        for _ in range(2):
            change_all(orders)
            self.assert_runs(pipeline)
        # With images nothing is read again.
        with self.running(pipeline, failpoints="mongodb.looked_up=1" if has_images else ""):
            self.wait_for_rows(pipeline, orders.count_documents({}))
            change_all(orders)
            self.wait_for_mark(pipeline)
        self.assert_equal(pipeline)

    def test_with_post_images(self):
        self.all_changes(has_images=True)

    def test_by_lookup(self):
        self.all_changes(has_images=False)

    def test_update_of_a_document_that_is_gone(self):
        orders = self.make_orders(has_images=False)
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        for i in range(1, 11):
            orders.update_one({"_id": i}, {"$set": {"note": "seen by nobody"}})
        orders.delete_many({"_id": {"$lte": 10}})
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 40)
            status = json.loads(pipeline.command("status", pipeline.file.name, "--json").stdout)
            counts = status["capture"]["tables"]["orders"]
            self.assertEqual(counts["passed_over"], {"row_gone": 10})
            self.assertEqual((counts["updates"], counts["deletes"]), (0, 10))
        self.assert_equal(pipeline)

    def test_caught_up_soon_on_an_idle_server(self):
        self.make_orders()
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        begun = time.monotonic()
        self.assert_runs(pipeline)
        # The server's own heartbeat in the oplog comes every ten seconds.
        self.assertLess(time.monotonic() - begun, 5)

    def test_three_collections_two_databases(self):
        self.make_orders()
        self.make_orders(30, "customers", has_images=False)
        elsewhere = f"{self.name}_b"
        self.db.client[elsewhere].visits.insert_many({"_id": i} for i in range(20))
        pipeline = self.pipeline(f"orders, customers, {elsewhere}.visits")
        tables = ("orders", "customers", f"{elsewhere}.visits")
        self.assert_runs(pipeline, *tables)
        for collection in (self.db.orders, self.db.customers):
            change_all(collection)
        self.db.client[elsewhere].visits.delete_many({"_id": {"$lt": 5}})
        self.db.client[elsewhere].others.insert_one({"_id": "not captured"})
        self.assert_runs(pipeline, *tables)


class Transactions(MongoTest):
    def transact(self, *steps) -> None:
        with self.db.client.start_session() as session, session.start_transaction():
            for step in steps:
                step(session)

    def test_larger_than_a_frame_and_than_a_batch(self):
        orders, customers = self.make_orders(), self.make_orders(10, "customers")
        pipeline = self.pipeline("orders, customers", source=SMALL_FRAMES)
        self.assert_runs(pipeline, "orders", "customers")
        text = "x" * 100_000
        many = [InsertOne({"_id": i, "note": text}) for i in range(1000, 1400)]
        orders.insert_one({"_id": 999})
        self.transact(lambda session: orders.bulk_write(many, session=session),
                      lambda session: customers.delete_many({"_id": {"$lt": 6}}, session=session),
                      lambda session: orders.update_many({"_id": {"$lt": 20}},
                                                         {"$set": {"note": text}}, session=session))
        orders.insert_one({"_id": 998})
        self.assert_runs(pipeline, "orders", "customers")

    def transfer(self, sizes: tuple, filler: int) -> None:
        """Money moves among accounts while queries look; the sum never changes. With post images: a
        document that is looked up may be newer than its transaction."""
        accounts = self.db.create_collection("accounts", **IMAGES)
        accounts.insert_many({"_id": i, "balance": 100, "filler": "f" * filler} for i in range(400))
        pipeline = self.pipeline("accounts", source=SMALL_FRAMES)
        self.assert_runs(pipeline, "accounts")
        over = threading.Event()

        def move(size: int) -> None:
            half = [UpdateOne({"_id": i}, {"$inc": {"balance": -1}}) for i in range(size)]
            other = [UpdateOne({"_id": 399 - i}, {"$inc": {"balance": 1}}) for i in range(size)]
            self.transact(lambda session: accounts.bulk_write(half + other, session=session))

        def move_all() -> None:
            for size in sizes:
                move(size)
            over.set()

        with self.running(pipeline):
            self.wait_for_rows(pipeline, 400, "accounts")
            mover = threading.Thread(target=move_all)
            mover.start()
            seen = set()

            def is_done() -> bool:
                for row in pipeline.leat.query("SELECT sum(balance), max(balance) FROM accounts") or []:
                    seen.add(tuple(row))
                return over.is_set() and ["40000", str(100 + len(sizes))] in map(list, seen)
            try:
                eventually(is_done, "the last transfer")
            finally:
                mover.join()
        self.assertEqual({total for total, _ in seen}, {"40000"}, seen)
        self.assert_runs(pipeline, "accounts")

    def test_whole_or_not_at_all(self):
        self.transfer((1, 5, 190, 3, 150, 20, 199) * 4, 400)

    def test_whole_where_the_server_sends_it_in_batches(self):
        self.transfer((199, 190, 180, 199), 60_000)


if __name__ == "__main__":
    cli_fixture.main()
