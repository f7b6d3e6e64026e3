#!/usr/bin/env python3
"""MongoDB's stream that cannot go on where it stood: oplog lost, another deployment, a server put back
in time, a change too large to send. Told with its remedy, and with on_gap: resnapshot all is right
again, also what went in the gap.
"""

import json
import shutil

from bson.timestamp import Timestamp

import cli_fixture
from cli_fixture import FAILED, OK, Pipeline, eventually
from mongo_fixture import MongoTest, change_all

ROLLS_SOON = {"oplog_mb": 8, "arguments": ["--syncdelay", "1"]}
MEGABYTE = 1 << 20


class Gaps(MongoTest):
    def read_anew(self, pipeline: Pipeline) -> None:
        pipeline.edit("sinks:", "run: {on_gap: resnapshot}\nsinks:")
        self.assert_runs(pipeline)
        change_all(self.db.orders)
        self.assert_runs(pipeline)

    def roll_oplog(self) -> None:
        """Until nothing in it is older than this call."""
        oplog = self.db.client.local["oplog.rs"]
        newest = oplog.find_one(sort=[("$natural", -1)])["ts"]

        def is_rolled() -> bool:
            self.db.filler.insert_many({"text": "x" * MEGABYTE} for _ in range(4))
            self.db.filler.delete_many({})
            return oplog.find_one(sort=[("$natural", 1)])["ts"] > newest

        eventually(is_rolled, "another oplog")

    def test_oplog_lost(self):
        self.use_server(**ROLLS_SOON)
        orders = self.make_orders()
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        orders.delete_many({"_id": {"$lt": 9}})
        self.roll_oplog()
        self.assert_refused(pipeline.run(), FAILED, "oplog no longer reaches back",
                            "[MONGO-HISTORY-LOST]", "on_gap: resnapshot")
        self.assert_refused(pipeline.run(), FAILED, "[MONGO-HISTORY-LOST]")
        self.read_anew(pipeline)

    def test_oplog_lost_while_the_server_was_away_from_leat(self):
        server = self.use_server(**ROLLS_SOON)
        orders = self.make_orders()
        pipeline = self.pipeline()
        pipeline.edit("sinks:", "run: {on_gap: resnapshot}\nsinks:")
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 50)
            process.process.send_signal(cli_fixture.signal.SIGSTOP)
            orders.delete_many({"_id": {"$lt": 9}})
            self.roll_oplog()
            server.kill()
            server.start()
            process.process.send_signal(cli_fixture.signal.SIGCONT)
            self.wait_for_log(process, "all tables are read anew")
            self.wait_for_rows(pipeline, 42)
        self.assert_equal(pipeline)

    def test_quiet_collection_outlives_its_oplog(self):
        # The position moves with what others write.
        self.use_server(**ROLLS_SOON)
        orders = self.make_orders()
        pipeline = self.pipeline()
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            self.roll_oplog()
            newest = self.db.client.local["oplog.rs"].find_one(sort=[("$natural", -1)])["ts"]
            eventually(lambda: self.durable_time(pipeline) >= newest, "a position behind it")
        change_all(orders)
        self.assert_runs(pipeline)

    def test_other_deployment(self):
        self.make_orders()
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        here = self.uri
        self.use_server()
        self.make_orders(20)
        pipeline.edit(here, self.uri)
        self.assert_refused(pipeline.run(), FAILED, "another deployment",
                            "[MONGO-OTHER-DEPLOYMENT]", "on_gap: resnapshot")
        self.read_anew(pipeline)

    def durable_time(self, pipeline: Pipeline) -> Timestamp:
        status = json.loads(pipeline.command("status", pipeline.file.name, "--json").stdout)
        commit = int(status["capture"]["durable_position"].split("/")[1])
        return Timestamp(commit >> 32, commit & 0xFFFFFFFF)

    def put_back(self, server, steps) -> None:
        """The server's data as they were before the steps."""
        data, kept = server.nodes[0].folder / "data", server.folder / "kept"
        server.stop()
        shutil.copytree(data, kept)
        server.start()
        steps()
        server.stop()
        shutil.rmtree(data)
        shutil.move(kept, data)
        server.start()

    def test_server_put_back_in_time(self):
        server = self.use_server()
        orders = self.make_orders()
        pipeline = self.pipeline()
        self.assert_runs(pipeline)

        def go_on() -> None:
            change_all(orders)
            self.assert_runs(pipeline)

        self.put_back(server, go_on)
        orders.insert_one({"_id": 2000, "note": "another history"})
        self.assert_refused(pipeline.run(), FAILED, "went back in time", "[MONGO-WENT-BACK]",
                            "on_gap: resnapshot")
        self.read_anew(pipeline)

    def test_server_put_back_behind_an_idle_position(self):
        # Where leat stands is only a time then, not a change that the server would miss.
        server = self.use_server()
        orders = self.make_orders()
        pipeline = self.pipeline()
        self.assert_runs(pipeline)

        def go_on() -> None:
            change_all(orders)
            self.assert_runs(pipeline)
            self.db.others.insert_one({})
            self.assert_runs(pipeline)

        self.put_back(server, go_on)
        self.assert_refused(pipeline.run(), FAILED, "went back in time", "[MONGO-WENT-BACK]")
        self.read_anew(pipeline)


class LargeEvents(MongoTest):
    def test_split_by_the_server(self):
        orders = self.make_orders()
        for i in (100, 101, 102):
            orders.insert_one({"_id": i, "text": "a" * (9 * MEGABYTE), "other": "b" * 1000})
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        orders.update_one({"_id": 1}, {"$set": {"note": "before"}})
        orders.update_one({"_id": 100}, {"$set": {"text": "c" * (9 * MEGABYTE)}})
        orders.update_one({"_id": 101}, {"$set": {"text": "d" * (9 * MEGABYTE), "other": "e"}})
        orders.update_one({"_id": 1}, {"$set": {"note": "behind"}})
        self.assert_runs(pipeline)
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 53)
            orders.update_one({"_id": 102}, {"$set": {"text": "f" * (10 * MEGABYTE)}})
            self.wait_for_answer(pipeline, "SELECT length(text) FROM orders WHERE _id = 102",
                                 [str(10 * MEGABYTE)])
        self.assert_runs(pipeline)

    def test_too_large_where_the_server_does_not_split(self):
        self.use_server(version="5")
        orders = self.make_orders(has_images=False)
        # What changed is told by its path, which is long here.
        path, names = "p" * 1000, [f"f{i}" for i in range(17_000)]
        orders.insert_one({"_id": 100, path: dict.fromkeys(names, 0) | {"pad": "a" * MEGABYTE}})
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        orders.delete_many({"_id": {"$lt": 9}})

        def change_too_much(value: int) -> None:
            changed = {"$mergeObjects": [f"${path}", {"$literal": dict.fromkeys(names, value)}]}
            orders.update_one({"_id": 100}, [{"$set": {path: changed}}])

        change_too_much(1)
        orders.update_one({"_id": 20}, {"$set": {"note": "behind"}})
        self.assert_refused(pipeline.run(), FAILED, "larger than the server can send",
                            "[MONGO-EVENT-TOO-LARGE]", "on_gap: resnapshot")
        self.assert_refused(pipeline.run(), FAILED, "[MONGO-EVENT-TOO-LARGE]")
        pipeline.edit("sinks:", "run: {on_gap: resnapshot}\nsinks:")
        with self.running(pipeline) as process:
            self.wait_for_log(process, "all tables are read anew")
            self.wait_for_rows(pipeline, 43)
            orders.insert_one({"_id": 101})
            self.wait_for_rows(pipeline, 44)
            change_too_much(2)  # in mid-stream
            orders.insert_one({"_id": 102})
            self.wait_for_rows(pipeline, 45)
        self.assertEqual(pipeline.run().returncode, OK)
        self.assert_equal(pipeline)


if __name__ == "__main__":
    cli_fixture.main()
