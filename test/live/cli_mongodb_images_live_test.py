#!/usr/bin/env python3
"""Post images that the server has removed already, or no longer makes: the update's document is read
again, one that is gone is named, and the table is right in the end.
"""

import json

import cli_fixture
from cli_fixture import Pipeline, eventually, signal
from mongo_fixture import IMAGES, MongoTest, change_all

LOOKED_UP = "mongodb.looked_up"


class Images(MongoTest):
    options = {"parameters": {"expiredChangeStreamPreImageRemovalJobSleepSecs": "1"}}

    def setUp(self):
        super().setUp()
        self.keep_images("off")
        self.orders = self.make_orders()
        self.shop = self.pipeline()
        self.assert_runs(self.shop)

    def keep_images(self, seconds) -> None:
        self.client.admin.command("setClusterParameter", {"changeStreamOptions": {
            "preAndPostImages": {"expireAfterSeconds": seconds}}})

    def switch_images(self, is_on: bool) -> None:
        self.db.command("collMod", "orders", changeStreamPreAndPostImages={"enabled": is_on})

    def wait_until_expired(self) -> None:
        self.keep_images(1)
        images = self.client.config["system.preimages"]
        eventually(lambda: images.count_documents({}) == 0, "images that are gone")

    def change(self) -> None:
        """Several to one document, and updates of such as are gone by now."""
        for i in range(3):
            self.orders.update_many({"_id": {"$lte": 20}},
                                    {"$set": {"note": f"{i}"}, "$inc": {"amount": 1}})
        change_all(self.orders)
        self.orders.update_many({"_id": {"$gte": 45, "$lt": 50}}, {"$set": {"note": "seen by nobody"}})
        self.orders.delete_many({"_id": {"$gte": 45, "$lt": 50}})

    def status(self, pipeline: Pipeline) -> dict:
        return json.loads(pipeline.command("status", pipeline.file.name, "--json").stdout)

    def test_expired_while_leat_was_away(self):
        self.change()
        self.wait_until_expired()
        self.assert_killed_at(self.shop, LOOKED_UP)
        self.assert_runs(self.shop)

    def test_document_that_is_gone_too_is_named(self):
        self.change()
        self.wait_until_expired()
        with self.running(self.shop):
            eventually(lambda: "row_gone" in json.dumps(self.status(self.shop)), "row_gone")
            self.wait_for_mark(self.shop)
            table = self.status(self.shop)["capture"]["tables"]["orders"]
            self.assertTrue(table["eventual"])
            self.assertGreater(table["looked_up"], 60)
        self.assert_equal(self.shop)

    def test_expired_beside_the_stream(self):
        with self.running(self.shop) as process:
            self.wait_for_mark(self.shop)
            process.process.send_signal(signal.SIGSTOP)
            self.change()
            self.wait_until_expired()
            process.process.send_signal(signal.SIGCONT)
            self.wait_for_mark(self.shop)
        self.assert_equal(self.shop)

    def test_expired_under_delta(self):
        pipeline = self.pipeline(folder=self.folder / "delta", name=f"{self.name}d",
                                 source="update_mode: delta")
        self.assert_runs(pipeline)
        with self.running(pipeline, failpoints=f"{LOOKED_UP}=1") as process:
            self.wait_for_mark(pipeline)
            process.process.send_signal(signal.SIGSTOP)
            for i in range(1, 20):
                self.orders.update_one({"_id": i}, {"$set": {"note": f"{i}!"}, "$unset": {"amount": 1}})
            self.wait_until_expired()
            process.process.send_signal(signal.SIGCONT)
            self.wait_for_mark(pipeline)
        self.assert_equal(pipeline)

    def test_switched_off_and_on_while_leat_was_away(self):
        self.switch_images(False)
        self.change()
        self.switch_images(True)
        self.change()
        self.assert_killed_at(self.shop, LOOKED_UP)
        self.assert_runs(self.shop)

    def test_switched_off_and_on_beside_the_stream(self):
        with self.running(self.shop):
            self.wait_for_rows(self.shop, 50)
            for is_on in (False, True, False):
                self.switch_images(is_on)
                self.change()
                self.wait_for_mark(self.shop)
        self.assert_equal(self.shop)

    def test_made_again_without(self):
        self.orders.drop()
        self.db.create_collection("orders")
        self.orders.insert_many({"_id": i, "amount": 1.0 * i} for i in range(1, 60))
        self.change()
        self.orders.drop()
        self.db.create_collection("orders", **IMAGES)
        self.orders.insert_many({"_id": i, "amount": 2.0 * i} for i in range(1, 60))
        self.change()
        self.assert_runs(self.shop)


if __name__ == "__main__":
    cli_fixture.main()
