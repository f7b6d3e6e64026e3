"""What the tests of the command line on MongoDB share: a replica set for all tests of a class, a
database, a folder and a pipeline for each, and the judge over documents and rows.
"""

import itertools

import cli_fixture
import mongo_judge
from cli_fixture import OK, Pipeline, PipelineTest
from mongo_server import MongoServer

IMAGES = {"changeStreamPreAndPostImages": {"enabled": True}}
SMALL_FRAMES = "frame_bytes: 16KiB"
marks = itertools.count(100_000, 1000)  # apart, for change_all() counts on from the newest


def change_all(orders) -> None:
    """Every kind of change, some of them to one document."""
    orders.update_many({"_id": {"$mod": [3, 0]}}, {"$set": {"note": "changed"}, "$inc": {"amount": 1}})
    orders.update_many({"_id": {"$mod": [5, 0]}}, {"$unset": {"note": 1}})
    orders.replace_one({"_id": 4}, {"amount": -4.5, "fresh": True}, upsert=True)
    orders.update_one({"_id": 8}, {"$push": {"lines": {"sku": "a", "count": 1}}})
    orders.update_one({"_id": 8}, {"$set": {"lines.0.count": 2}})
    orders.delete_many({"_id": {"$mod": [7, 0]}})
    orders.insert_one({"_id": 7, "amount": 7, "note": "back again"})
    newest = max(order["_id"] for order in orders.find({}, {"_id": 1}))
    orders.insert_many({"_id": newest + i, "amount": 1.0, "note": "new"} for i in (1, 2, 3))


class MongoTest(PipelineTest):
    options: dict = {}  # of the replica set

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(MongoServer.temporary(**cls.options))
        cls.client = cls.enterClassContext(cls.server.client(w="majority"))

    def setUp(self):
        self.number = next(cli_fixture.numbers)
        self.name = f"shop{self.number}"
        self.db = self.client[self.name]
        self.uri = self.server.uri(self.name)
        self.folder = self.make_folder()

    def use_server(self, **options) -> MongoServer:
        """Another replica set than the class's for the rest of this test."""
        server = self.enterContext(MongoServer.temporary(**options))
        self.db = self.enterContext(server.client(w="majority"))[self.name]
        self.uri = server.uri(self.name)
        return server

    def make_orders(self, count: int = 50, name: str = "orders", has_images: bool = True):
        """A collection of `count` documents."""
        orders = self.db.create_collection(name, **(IMAGES if has_images else {}))
        if count:
            orders.insert_many({"_id": i, "amount": i * 1.5, "note": f"note {i}"}
                               for i in range(1, count + 1))
        return orders

    def pipeline(self, collections: str = "orders", **options) -> Pipeline:
        return Pipeline(options.pop("folder", self.folder), options.pop("uri", self.uri),
                        **{"name": self.name, "tables": collections, "type": "mongodb",
                           "list_name": "collections"} | options)

    def wait_for_mark(self, pipeline: Pipeline) -> None:
        """Every change of `orders` up to now is in the sink of a pipeline that runs."""
        mark = next(marks)
        self.db.orders.insert_one({"_id": mark})
        self.wait_for_answer(pipeline, f"SELECT count(*) FROM orders WHERE _id = {mark}", ["1"])

    def assert_equal(self, pipeline: Pipeline, *tables: str, **judging) -> None:
        """`tables`: collections of this test's database, or `database.collection`."""
        for name in tables or ["orders"]:
            database, _, collection = name.rpartition(".")
            held = mongo_judge.Table(pipeline.warehouse, name.replace(".", "_"))
            source = (self.db.client[database] if database else self.db)[collection]
            found = mongo_judge.differences(source, held, mongo_judge.Judging(**judging))
            self.assertEqual(found, "", f"{name}: {found}")

    def assert_follows(self, pipeline: Pipeline, orders) -> None:
        """The image, then every kind of change, twice."""
        self.assert_runs(pipeline)
        for _ in range(2):
            change_all(orders)
            self.assert_runs(pipeline)

    def types(self, pipeline: Pipeline, table: str = "orders") -> dict[str, str]:
        return mongo_judge.Table(pipeline.warehouse, table).types

    def rows(self, pipeline: Pipeline, table: str = "orders") -> list[dict]:
        return mongo_judge.Table(pipeline.warehouse, table).rows


class DocumentTest(MongoTest):
    def fill_and_check(self, documents: list, changes: list, **judging):
        """The first ones in the image, the others as changes, the first of them once more."""
        orders = self.db.create_collection("orders", **IMAGES)
        orders.insert_many(documents)
        source = judging.pop("source", "")
        pipeline = self.pipeline(source=source)
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_equal(pipeline, **judging)
        orders.insert_many(changes)
        for document in documents[:20]:
            orders.replace_one({"_id": document["_id"]}, document)
        done = pipeline.run()
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assert_equal(pipeline, **judging)
        return pipeline
