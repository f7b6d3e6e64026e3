#!/usr/bin/env python3
"""A pipeline file that says something else of its collections at the next start: other collections,
mode, fields, types. What has to be read anew is, what need not be is not, and what waits in the log
under the old definition spoils nothing.
"""

import duckdb

import cli_fixture
from cli_fixture import OK, Pipeline
from mongo_fixture import MongoTest, change_all

SECRET = "4929-secret-1881"


class Definitions(MongoTest):
    def restart(self, pipeline: Pipeline, old: str, new: str, **judging) -> None:
        """Another definition, with changes to both sides of it."""
        change_all(self.db.orders)
        pipeline.edit(old, new)
        self.assert_caught_up(pipeline, **judging)
        change_all(self.db.orders)
        self.assert_caught_up(pipeline, **judging)

    def assert_caught_up(self, pipeline: Pipeline, **judging) -> None:
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_equal(pipeline, **judging)

    def mark(self, pipeline: Pipeline, key: int = -1) -> None:
        """A row that only a table that is read anew has lost."""
        with duckdb.connect(str(pipeline.warehouse)) as warehouse:
            warehouse.execute(f"INSERT INTO orders (_id) VALUES ({key})")

    def take_mark(self, pipeline: Pipeline, key: int = -1) -> bool:
        """Whether it was still there."""
        with duckdb.connect(str(pipeline.warehouse)) as warehouse:
            return warehouse.execute(f"DELETE FROM orders WHERE _id = {key}").fetchone() == (1,)

    def test_mode(self):
        self.make_orders()
        pipeline = self.pipeline(source="mode: columns")
        self.assert_caught_up(pipeline)
        wide = self.types(pipeline)
        self.restart(pipeline, "mode: columns", "mode: document", mode="document")
        self.assertEqual(self.types(pipeline), {"_id": "BIGINT", "document": "JSON"})
        self.restart(pipeline, "mode: document", "mode: columns")
        self.assertLessEqual(wide.keys(), self.types(pipeline).keys())
        self.assertNotIn("document", self.types(pipeline))

    def test_mode_while_changes_wait_in_the_log(self):
        """The sink dies before them, so they are in the log under the old definition."""
        orders = self.make_orders()
        pipeline = self.pipeline(source="mode: columns")
        self.assert_caught_up(pipeline)
        for old, new in (("columns", "document"), ("document", "columns")):
            orders.insert_one({"_id": f"{old}", "note": {"of": old}, f"only_{old}": 1})
            change = {"$set": {"note": old, f"more_{old}": True}}
            orders.update_many({"_id": {"$lt": 20}}, change)
            self.assert_killed_at(pipeline, "duckdb.before_commit")
            pipeline.edit(f"mode: {old}", f"mode: {new}")
            self.assert_caught_up(pipeline, mode=new)

    def test_field_left_out_later(self):
        orders = self.make_orders()
        orders.update_many({}, {"$set": {"card": SECRET}})
        pipeline = self.pipeline(source="columns: {orders: {exclude: []}}")
        self.assert_caught_up(pipeline)
        self.assertIn("card", self.types(pipeline))
        self.mark(pipeline)
        self.restart(pipeline, "exclude: []", "exclude: [card]", excluded=frozenset({"card"}))
        self.assertNotIn("card", self.types(pipeline))
        self.mark(pipeline)
        self.restart(pipeline, "exclude: [card]", "exclude: []")
        self.assertIn("card", self.types(pipeline))

    def test_same_fields_in_another_order(self):
        self.make_orders()
        pipeline = self.pipeline(source="columns: {orders: {exclude: [card, pin]}}")
        self.assert_caught_up(pipeline)
        self.mark(pipeline)
        pipeline.edit("[card, pin]", "[pin, card, pin]")
        self.assertEqual(pipeline.run().returncode, OK)
        self.assertTrue(self.take_mark(pipeline), "read anew for nothing")
        self.assert_caught_up(pipeline)

    def test_only_the_collection_it_is_of_is_read_anew(self):
        self.make_orders()
        customers = self.make_orders(30, "customers")
        customers.update_many({}, {"$set": {"card": SECRET}})
        pipeline = self.pipeline("orders, customers", source="columns: {customers: {exclude: []}}")
        self.assertEqual(pipeline.run().returncode, OK)
        self.mark(pipeline)
        pipeline.edit("exclude: []", "exclude: [card]")
        self.assertEqual(pipeline.run().returncode, OK)
        self.assertTrue(self.take_mark(pipeline), "orders was read anew")
        self.assert_equal(pipeline)
        self.assert_equal(pipeline, "customers", excluded=frozenset({"card"}))

    def test_types_hold_for_rows_that_come(self):
        orders = self.make_orders()
        pipeline = self.pipeline(source="columns: {orders: {types: {}}}")
        self.assert_caught_up(pipeline)
        self.mark(pipeline)
        pipeline.edit("types: {}", "types: {later: date, amount: decimal}")
        orders.insert_one({"_id": 1000, "amount": 1.25})
        self.assertEqual(pipeline.run().returncode, OK)
        self.assertTrue(self.take_mark(pipeline), "read anew for nothing")
        self.assert_equal(pipeline, has_drifted=True)
        types = self.types(pipeline)
        self.assertEqual((types["later"], types["amount"]), ("TIMESTAMP WITH TIME ZONE", "VARCHAR"))
        # Columns never narrow.
        self.restart(pipeline, "later: date, amount: decimal", "later: string, amount: double",
                     has_drifted=True)
        types = self.types(pipeline)
        self.assertEqual((types["later"], types["amount"]), ("JSON", "VARCHAR"))

    def test_conflicts_go_aside_from_now_on(self):
        orders = self.make_orders()
        pipeline = self.pipeline(source="on_conflict: widen")
        self.assert_caught_up(pipeline)
        self.restart(pipeline, "on_conflict: widen", "on_conflict: variant")
        orders.insert_one({"_id": 1000, "amount": "text"})
        self.assert_caught_up(pipeline)
        self.assertEqual(self.types(pipeline)["amount"], "DOUBLE")
        self.restart(pipeline, "on_conflict: variant", "on_conflict: widen")
        orders.insert_one({"_id": 1001, "amount": "text"})
        self.assertEqual(pipeline.run().returncode, OK)
        self.assertEqual(self.types(pipeline)["amount"], "JSON")

    def test_collections_added_and_taken_out_at_once(self):
        orders, customers = self.make_orders(), self.make_orders(30, "customers")
        visits = self.make_orders(20, "visits")
        pipeline = self.pipeline("orders, customers")
        self.assert_runs(pipeline, "orders", "customers")
        self.mark(pipeline)
        before = self.rows(pipeline, "customers")
        for collection in (orders, customers, visits):
            change_all(collection)
        pipeline.edit("orders, customers", "orders, visits")
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertTrue(self.take_mark(pipeline), "orders was read anew")
        self.assert_equal(pipeline, "orders", "visits")
        self.assertEqual(self.rows(pipeline, "customers"), before)
        customers.delete_many({"_id": {"$lt": 20}})
        pipeline.edit("orders, visits", "'*'")
        self.assert_runs(pipeline, "orders", "visits", "customers")

    def test_put_back_under_another_definition(self):
        self.make_orders()
        customers = self.make_orders(30, "customers")
        pipeline = self.pipeline("orders, customers", source="mode: columns")
        self.assert_runs(pipeline, "orders", "customers")
        pipeline.edit("orders, customers", "orders")
        self.assert_runs(pipeline)
        pipeline.edit("[orders]", "[orders, customers]")
        pipeline.edit("mode: columns", "columns: {customers: {exclude: [note]}}")
        self.assertEqual(pipeline.run().returncode, OK)
        self.assert_equal(pipeline)
        change_all(customers)
        self.assertEqual(pipeline.run().returncode, OK)
        self.assert_equal(pipeline, "customers", excluded=frozenset({"note"}))
        self.assertNotIn("note", self.types(pipeline, "customers"))


if __name__ == "__main__":
    cli_fixture.main()
