#!/usr/bin/env python3
"""MongoDB and Leat falling over: killed in the image and in the stream, the server crashing, a primary
that steps down. Nothing is lost and nothing doubled.
"""

import json
import threading

import cli_fixture
from cli_fixture import OK, WAIT_SECONDS_MAX, eventually
from mongo_fixture import IMAGES, SMALL_FRAMES, MongoTest, change_all


class Crashes(MongoTest):
    def test_leat_killed_in_the_image(self):
        orders = self.make_orders(3000)
        pipeline = self.pipeline(source=SMALL_FRAMES)
        for point in ("capture.after_begin", "snapshot.begin", "snapshot.chunk_read",
                      "snapshot.chunk_appended", "snapshot.end", "duckdb.before_commit"):
            self.assert_killed_at(pipeline, point)
            change_all(orders)
        self.assert_runs(pipeline)

    def test_image_is_read_on_where_it_was_left(self):
        orders = self.db.create_collection("orders", **IMAGES)
        text = "n" * 2000
        orders.insert_many({"_id": i, "note": text} for i in range(8000))  # 16 ranges
        pipeline = self.pipeline(source="range_bytes: 1MiB")
        self.assert_killed_at(pipeline, "snapshot.chunk_appended", 9)
        change_all(orders)
        self.assert_killed_at(pipeline, "snapshot.chunk_appended", 5)
        change_all(orders)
        report = pipeline.folder / "report.json"
        done = pipeline.run("--report", str(report))
        self.assertEqual(done.returncode, OK, done.stderr)
        table = json.loads(report.read_text())["capture"]["tables"]["orders"]
        # Of a range that was begun, rows may be there: they come as rows that replace others.
        self.assertLess(table["snapshot_rows"], 6000)
        self.assert_equal(pipeline)
        self.assert_runs(pipeline)

    def test_rebuild_begins_before_the_first_image_is_settled(self):
        """The stream is far behind when the last range has been read."""
        orders = self.make_orders(3000)
        pipeline = self.pipeline(source=SMALL_FRAMES)
        pipeline.edit("sinks:", "run: {epoch_rows_max: 40}\nsinks:")
        self.assert_killed_at(pipeline, "snapshot.end")
        for i in range(10):
            orders.update_many({}, {"$set": {"note": f"{i}" * 100}})
        with self.running(pipeline, "--rebuild", "duckdb.orders") as process:
            self.wait_for_log(process, "is in its place")
            change_all(orders)
            self.wait_for_mark(pipeline)
        self.assert_equal(pipeline)

    def test_leat_killed_in_the_stream(self):
        orders = self.make_orders()
        pipeline = self.pipeline()
        self.assert_runs(pipeline)
        for point in ("capture.before_append", "capture.after_append", "duckdb.before_commit",
                      "duckdb.after_commit"):
            change_all(orders)
            self.assert_killed_at(pipeline, point)
        self.assert_runs(pipeline)

    def test_leat_killed_at_any_moment(self):
        orders = self.make_orders(500)
        pipeline = self.pipeline(source=SMALL_FRAMES)
        self.assert_runs(pipeline)
        over = threading.Event()

        def write() -> None:
            number = 10_000
            while not over.is_set():
                with self.db.client.start_session() as session, session.start_transaction():
                    orders.insert_many([{"_id": number + i, "note": "n" * 1000} for i in range(30)],
                                       session=session)
                    orders.delete_many({"_id": {"$gte": number, "$lt": number + 10}}, session=session)
                number += 30

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(6):
                with self.running(pipeline) as process:
                    rows = pipeline.leat.query("SELECT count(*) FROM orders") or [["0"]]
                    eventually(lambda: (pipeline.leat.query("SELECT count(*) FROM orders") or rows)
                               != rows, "progress")
                    process.kill()
        finally:
            over.set()
            writer.join()
        self.assert_runs(pipeline)

    def test_server_killed_and_back(self):
        server = self.use_server()
        orders = self.make_orders()
        pipeline = self.pipeline()
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 50)
            orders.insert_one({"_id": 51})
            server.kill()
            self.wait_for_log(process, "next attempt in")
            self.wait_for_log(process, "[MONGO-UNREACHABLE]")
            server.start()
            change_all(orders)
            orders.insert_one({"_id": 1000})
            self.wait_for_answer(pipeline, "SELECT count(*) FROM orders WHERE _id = 1000", ["1"])
        self.assert_equal(pipeline)

    def test_server_killed_in_the_image(self):
        server = self.use_server()
        orders = self.make_orders(20_000)
        pipeline = self.pipeline(source=SMALL_FRAMES)
        with self.running(pipeline, "--until-caught-up") as process:
            eventually(lambda: (pipeline.folder / "data").exists(), "the log")
            server.kill()
            self.wait_for_log(process, "next attempt in")
            server.start()
            change_all(orders)
            self.assertEqual(process.wait(WAIT_SECONDS_MAX), OK, process.tail())
        self.assert_runs(pipeline)


class Failover(MongoTest):
    options = {"nodes": 3}

    def test_step_down_while_writing(self):
        orders = self.make_orders()
        pipeline = self.pipeline()
        over = threading.Event()

        def write() -> None:
            number = 1000
            while not over.is_set():
                orders.insert_one({"_id": number})
                orders.update_one({"_id": number - 5}, {"$set": {"note": "later"}})
                number += 1

        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            writer = threading.Thread(target=write)
            writer.start()
            try:
                for end in (self.server.step_down, self.server.kill):
                    end()
                    reached = orders.find_one(sort=[("_id", -1)])["_id"] + 10
                    eventually(lambda: orders.find_one({"_id": reached}), "writes behind it")
                    self.wait_for_answer(pipeline, f"SELECT count(*) FROM orders WHERE _id = {reached}",
                                         ["1"])
                    self.server.start()
            finally:
                over.set()
                writer.join()
        self.assert_runs(pipeline)


if __name__ == "__main__":
    cli_fixture.main()
