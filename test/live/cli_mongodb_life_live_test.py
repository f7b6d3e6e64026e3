#!/usr/bin/env python3
"""What becomes of collections: dropped, renamed, made again, taken out and put back, beside the stream
and while Leat is away. After each the warehouse equals the collections.
"""

import time

import cli_fixture
from cli_fixture import ENVIRONMENT, OK, Pipeline
from mongo_fixture import IMAGES, MongoTest, change_all


class Collections(MongoTest):
    def while_away_and_beside(self, collections: str, *steps, tables: tuple = ("orders",)) -> Pipeline:
        """The steps once while leat is away, and once more beside it; `orders` is there before each.
        Each step gives how many rows `orders` has behind it."""
        self.make_orders()
        pipeline = self.pipeline(collections)
        self.assert_runs(pipeline)
        for step in steps:
            step()
        self.assert_runs(pipeline, *tables)
        self.db.orders.drop()
        self.make_orders()
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            for step in steps:
                self.wait_for_rows(pipeline, step())
        self.assert_equal(pipeline, *tables)
        return pipeline

    def drop(self) -> int:
        self.db.orders.drop()
        return 0

    def rename_away(self) -> int:
        self.db.orders.rename("elsewhere", dropTarget=True)
        return 0

    def fill_again(self) -> int:
        self.db.create_collection("orders", **IMAGES)
        self.db.orders.insert_many({"_id": i, "other": f"{i}"} for i in range(20, 90))
        change_all(self.db.orders)
        return self.db.orders.count_documents({})

    def test_dropped(self):
        self.while_away_and_beside("orders", self.drop)

    def test_dropped_and_filled_again(self):
        self.while_away_and_beside("orders", self.drop, self.fill_again)

    def test_renamed_away_and_filled_again(self):
        self.while_away_and_beside("orders", self.rename_away, self.fill_again)

    def test_renamed_onto_a_captured_name_and_away_at_once(self):
        """At the attempt that is to read it anew it is not there."""
        orders, drafts = self.make_orders(20), self.make_orders(30, "drafts")
        pipeline = self.pipeline()
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 20)
            drafts.rename("orders", dropTarget=True)
            orders.rename("elsewhere")
            self.wait_for_log(process, "is read anew")
            time.sleep(1)
            orders.insert_many({"_id": i, "amount": i} for i in range(7))
            self.wait_for_rows(pipeline, 7)
        self.assert_equal(pipeline)

    def test_renamed_onto_a_captured_name(self):
        def replace_by_another() -> int:
            self.db.drafts.drop()
            drafts = self.make_orders(30, "drafts")
            drafts.update_many({}, {"$set": {"draft": True}})
            drafts.rename("orders", dropTarget=True)
            change_all(self.db.orders)
            return self.db.orders.count_documents({})

        self.while_away_and_beside("orders", replace_by_another)

    def test_two_captured_ones_change_places(self):
        """orders → spare, drafts → orders, spare → drafts."""
        def swap() -> int:
            self.db.orders.insert_one({"_id": 0, "note": "before"})
            self.db.orders.rename("spare")
            self.db.drafts.rename("orders")
            self.db.spare.rename("drafts")
            self.db.orders.insert_one({"_id": -1, "note": "behind"})
            self.db.drafts.insert_one({"_id": -1, "note": "behind"})
            return self.db.orders.count_documents({})

        orders, _ = self.make_orders(), self.make_orders(20, "drafts")
        pipeline = self.pipeline("orders, drafts")
        self.assert_runs(pipeline, "orders", "drafts")
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            self.wait_for_rows(pipeline, swap())
            self.wait_for_rows(pipeline, self.db.drafts.count_documents({}), "drafts")
            orders.delete_many({})
            self.wait_for_rows(pipeline, 0)
        self.assert_equal(pipeline, "orders", "drafts")

    def test_renamed_across_databases(self):
        other = self.db.client[f"{self.name}_b"]
        admin = self.db.client.admin
        there = f"{self.name}_b.orders"

        def move(source, target) -> None:
            admin.command("renameCollection", f"{source.name}.orders", to=f"{target.name}.orders")

        self.make_orders()
        other.others.insert_one({"_id": 1})
        pipeline = self.pipeline(f"orders, '{self.name}_b.*'")
        self.assert_runs(pipeline)
        move(self.db, other)
        other.orders.insert_one({"_id": 1000})
        self.assert_runs(pipeline, "orders", there)
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 51, f"{self.name}_b_orders")
            move(other, self.db)
            self.db.orders.insert_one({"_id": 1001})
            self.wait_for_rows(pipeline, 52)
            self.wait_for_rows(pipeline, 0, f"{self.name}_b_orders")
        self.assert_equal(pipeline, "orders", there)

    def test_database_dropped_and_made_again(self):
        def drop_database() -> int:
            self.db.client.drop_database(self.name)
            return 0

        self.while_away_and_beside("orders", drop_database, self.fill_again)

    def test_database_dropped_twice_beside_another(self):
        self.make_orders()
        other = self.db.client[f"{self.name}_b"]
        other.visits.insert_many({"_id": i} for i in range(20))
        tables = ("orders", f"{self.name}_b.visits")
        pipeline = self.pipeline(", ".join(tables))
        self.assert_runs(pipeline, *tables)
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            for _ in range(2):
                self.db.client.drop_database(self.name)
                self.wait_for_rows(pipeline, 0)
                self.wait_for_rows(pipeline, self.fill_again())
            other.visits.insert_one({"_id": 20})
            self.wait_for_rows(pipeline, 21, f"{self.name}_b_visits")
        self.assert_equal(pipeline, *tables)

    def test_taken_out_and_put_back(self):
        orders, customers = self.make_orders(), self.make_orders(30, "customers")
        pipeline = self.pipeline("orders, customers")
        self.assert_runs(pipeline, "orders", "customers")
        change_all(customers)  # so that the token is of what is taken out
        self.assert_runs(pipeline, "orders", "customers")
        pipeline.edit("orders, customers", "orders")
        change_all(orders)
        change_all(customers)
        self.assert_runs(pipeline)
        customers.delete_many({"_id": {"$lt": 10}})
        pipeline.edit("[orders]", "[orders, customers]")
        self.assert_runs(pipeline, "orders", "customers")
        change_all(customers)
        self.assert_runs(pipeline, "orders", "customers")

    def test_new_one_that_a_pattern_names(self):
        self.make_orders()
        self.make_orders(30, "private_notes")
        pipeline = self.pipeline("'*', '!private*'")
        self.assert_runs(pipeline)
        self.make_orders(30, "customers")
        self.assert_runs(pipeline, "orders", "customers")
        change_all(self.db.customers)
        self.assert_runs(pipeline, "orders", "customers")
        self.assertEqual(self.types(pipeline, "private_notes"), {})

    def test_empty_one(self):
        self.make_orders(0)
        pipeline = self.pipeline()
        self.assertEqual(pipeline.run().returncode, OK)
        with self.running(pipeline):
            self.db.orders.insert_many({"_id": i} for i in range(5))
            self.wait_for_rows(pipeline, 5)
            self.db.orders.delete_many({})
            self.wait_for_rows(pipeline, 0)
            self.db.orders.insert_one({"_id": "of another type"})
            self.wait_for_rows(pipeline, 1)
        self.assert_equal(pipeline)

    def test_missing_one(self):
        pipeline = self.pipeline("orders, custmers")
        self.make_orders()
        self.assert_refused(pipeline.run(), ENVIRONMENT, "no such collection: custmers",
                            'db.createCollection("custmers")')
        self.assert_problem(pipeline, "no such collection: custmers")
        self.db.create_collection("custmers")
        self.assert_runs(pipeline)


if __name__ == "__main__":
    cli_fixture.main()
