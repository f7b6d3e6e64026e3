#!/usr/bin/env python3
"""The way to a MongoDB server: TLS, credentials, rights, what is no collection, and servers that are
not there, not a replica set, or do not answer. Each is told with its remedy, by `leat check` too.
"""

import os
import signal
import urllib.parse

import pymongo
from pymongo.write_concern import WriteConcern

import cli_fixture
from certificates import Authority
from cli_fixture import CONFIGURATION, ENVIRONMENT, OK, PASSWORD, WAIT_SECONDS_MAX, eventually
from mongo_fixture import MongoTest, change_all
from mongo_node import MongoNode, find_version
from pg_server import free_port


class Refusals(MongoTest):
    def test_what_is_no_collection(self):
        self.make_orders()
        self.db.create_collection("seen", viewOn="orders", pipeline=[])
        self.db.create_collection("weather", timeseries={"timeField": "at"})
        for name, remedy in (("seen", "Capture the collections it is made of"),
                             ("weather", "Leave it out")):
            with self.subTest(name):
                pipeline = self.pipeline(f"orders, {name}")
                self.assert_refused(pipeline.run(), ENVIRONMENT, f": {name}", remedy,
                                    "[MONGO-COLLECTION-KIND]")
                self.assert_problem(pipeline, f": {name}", remedy)
        # A pattern means what can be captured.
        self.assert_runs(self.pipeline("'*'"))

    def test_wrong_uri(self):
        for uri in (f"mongodb://user:{PASSWORD}/x@127.0.0.1/shop", "mongo://127.0.0.1/shop",
                    "mongodb://127.0.0.1:port/shop"):
            with self.subTest(uri):
                done = self.pipeline(uri=f"'{uri}'").run()
                self.assertIn(done.returncode, (CONFIGURATION, ENVIRONMENT), done.stderr)
                self.assert_told(done.stderr, "source.uri is not a MongoDB connection string",
                                 "[MONGO-URI]")

    def test_no_server_there(self):
        pipeline = self.pipeline(uri=f"mongodb://127.0.0.1:{free_port()}/shop?replicaSet=rs0",
                                 source="connect_timeout: 1s")
        self.assert_problem(pipeline, "not reachable", "Start it, or correct source.uri")
        with self.running(pipeline) as process:
            self.wait_for_log(process, "[MONGO-UNREACHABLE]")
            self.wait_for_log(process, "next attempt in")

    def test_server_that_starts_later(self):
        server = self.use_server()
        self.make_orders()
        server.stop()
        pipeline = self.pipeline(source="connect_timeout: 1s")
        with self.running(pipeline, "--until-caught-up") as process:
            self.wait_for_log(process, "next attempt in")
            server.start()
            self.assertEqual(process.wait(WAIT_SECONDS_MAX), OK, process.tail())
        self.assert_equal(pipeline)

    def test_standalone(self):
        node = MongoNode(self.make_folder(), find_version("6"), [])
        node.start()
        self.addCleanup(node.kill)
        pipeline = self.pipeline(uri=f"mongodb://{node.address}/shop")
        self.assert_problem(pipeline, "not a member of a replica set", "--replSet rs0", "rs.initiate()")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "not a member of a replica set",
                            "--replSet rs0", "[MONGO-STANDALONE]")


class Stuck(MongoTest):
    def test_server_that_does_not_answer(self):
        """Stopped, it keeps its connections and answers nothing."""
        server = self.use_server()
        orders = self.make_orders()
        pipeline = self.pipeline(source="connect_timeout: 1s")
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 50)
            orders.insert_one({"_id": 51})
            self.wait_for_rows(pipeline, 51)
            os.kill(server.nodes[0].pid, signal.SIGSTOP)
            try:
                self.wait_for_log(process, "next attempt in")
                self.wait_for_log(process, "[MONGO-UNREACHABLE]")
                eventually(lambda: "MONGO-UNREACHABLE" in pipeline.command(
                    "status", pipeline.file.name, "--json").stdout, "status that tells")
            finally:
                os.kill(server.nodes[0].pid, signal.SIGCONT)
            change_all(orders)
            orders.insert_one({"_id": 1000})
            self.wait_for_answer(pipeline, "SELECT count(*) FROM orders WHERE _id = 1000", ["1"])
        self.assert_equal(pipeline)

    def test_stop_while_the_server_does_not_answer(self):
        server = self.use_server()
        self.make_orders()
        pipeline = self.pipeline(source="connect_timeout: 1s")
        with self.running(pipeline) as process:
            self.wait_for_rows(pipeline, 50)
            os.kill(server.nodes[0].pid, signal.SIGSTOP)
            try:
                process.process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(WAIT_SECONDS_MAX), OK, process.tail())
            finally:
                os.kill(server.nodes[0].pid, signal.SIGCONT)


class Accounts(MongoTest):
    options = {"auth": True}

    def make_user(self, *roles) -> str:
        """The URI with which it comes."""
        user = f"reader{self.number}"
        self.client.admin.command("createUser", user, pwd=PASSWORD, roles=list(roles))
        return self.server.uri(self.name, user, PASSWORD, authSource="admin")

    def read(self, database: str) -> dict:
        return {"role": "read", "db": database}

    def test_wrong_password(self):
        self.make_orders()
        right = self.make_user(self.read(self.name))
        for wrong in (right.replace(PASSWORD, "wrong"), right.replace("authSource=admin", "authSource=x")):
            pipeline = self.pipeline(uri=wrong)
            self.assert_refused(pipeline.run(), ENVIRONMENT, "refuses the credentials",
                                "Correct user, password and authSource", "[MONGO-LOGIN]")
            self.assert_problem(pipeline, "refuses the credentials")
        self.assert_runs(self.pipeline(uri=right))

    def test_role_read_is_enough_for_one_database(self):
        orders = self.make_orders()
        pipeline = self.pipeline(uri=self.make_user(self.read(self.name)))
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        self.assertTrue(any("clusterMonitor" in found["remedy"] for found in findings), findings)
        self.assert_runs(pipeline)
        change_all(orders)
        self.assert_runs(pipeline)

    def test_right_missing(self):
        self.make_orders()
        self.client[f"{self.name}_b"].visits.insert_one({"_id": 1})
        tables = ("orders", f"{self.name}_b.visits")
        uri = self.make_user(self.read(self.name), self.read(f"{self.name}_b"))
        pipeline = self.pipeline(", ".join(tables), uri=uri)
        self.assert_problem(pipeline, "a right is missing", 'grantRolesToUser(USER, ["readAnyDatabase"])')
        self.assert_refused(pipeline.run(), ENVIRONMENT, "a right is missing", "[MONGO-RIGHT]")
        self.client.admin.command("grantRolesToUser", f"reader{self.number}",
                                  roles=["readAnyDatabase"])
        self.assert_runs(pipeline, *tables)

    def test_right_missing_on_the_database(self):
        self.make_orders()
        pipeline = self.pipeline(uri=self.make_user(self.read("elsewhere")))
        self.assert_problem(pipeline, f'grantRolesToUser(USER, [{{role: "read", db: "{self.name}"}}])')
        self.assert_refused(pipeline.run(), ENVIRONMENT, "[MONGO-RIGHT]")

    def test_without_credentials(self):
        self.make_orders()
        node = self.server.nodes[0]
        pipeline = self.pipeline(uri=f"mongodb://{node.address}/{self.name}?replicaSet=rs0")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "[MONGO-RIGHT]")
        self.assert_problem(pipeline, "a right is missing")


class Certificates(MongoTest):
    options = {"tls": True, "client_certificate": True}

    def test_both_sides_show_theirs(self):
        orders = self.make_orders()
        pipeline = self.pipeline()
        self.assertEqual(pipeline.check()[0], OK)
        self.assert_runs(pipeline)
        change_all(orders)
        self.assert_runs(pipeline)

    def test_wrong_authority(self):
        self.make_orders()
        other = Authority(self.folder / "other")
        other.issue("server")
        uri = self.server.uri(self.name, tlsCAFile=str(other.certificate))
        self.assert_not_let_in(uri, "tlsCAFile", "[MONGO-TLS]")

    def test_no_certificate_of_the_client(self):
        self.make_orders()
        uri = self.uri.split("&tlsCertificateKeyFile")[0] + "&replicaSet=rs0"
        self.assert_not_let_in(uri, "tlsCertificateKeyFile", "[MONGO-UNREACHABLE]")

    def test_in_the_clear(self):
        self.make_orders()
        node = self.server.nodes[0]
        self.assert_not_let_in(f"mongodb://{node.address}/{self.name}?replicaSet=rs0",
                               "tls=true", "[MONGO-UNREACHABLE]")

    def assert_not_let_in(self, uri: str, remedy: str, code: str) -> None:
        pipeline = self.pipeline(uri=uri, source="connect_timeout: 1s")
        self.assert_problem(pipeline, remedy)
        with self.running(pipeline) as process:
            self.wait_for_log(process, code)
            if code == "[MONGO-TLS]":
                self.assertEqual(process.wait(WAIT_SECONDS_MAX), ENVIRONMENT, process.tail())
            self.assert_told(process.log.read_text(), remedy)


class CertificateAsAccount(MongoTest):
    # Certificates of the tests are all of one organisation.
    options = {"tls": True, "client_certificate": True, "auth": True,
               "parameters": {"enforceUserClusterSeparation": "false"}}

    def test_x509(self):
        self.make_orders()
        uri = (f"mongodb://{self.server.nodes[0].address}/" + self.name + "?" + urllib.parse.urlencode({
            "replicaSet": "rs0", "tls": "true", "tlsCAFile": str(self.server.authority.certificate),
            "tlsCertificateKeyFile": str(self.server.authority.issue("client")),
            "authMechanism": "MONGODB-X509", "authSource": "$external"}))
        pipeline = self.pipeline(uri=uri)
        self.assert_refused(pipeline.run(), ENVIRONMENT, "[MONGO-LOGIN]")
        self.client["$external"].command("createUser", "CN=client,O=leat tests",
                                         roles=[{"role": "read", "db": self.name}])
        self.assert_runs(pipeline)


class Compressed(MongoTest):
    def test_each_compressor(self):
        self.make_orders(500)
        for name in ("zlib", "snappy", "zstd"):
            with self.subTest(name):
                folder = self.folder / name
                pipeline = self.pipeline(folder=folder, name=f"{self.name}{name}",
                                         uri=self.server.uri(self.name, compressors=name))
                before = self.compressed(name)
                self.assert_runs(pipeline)
                self.assertGreater(self.compressed(name), before)

    def compressed(self, name: str) -> int:
        network = self.client.admin.command("serverStatus")["network"]
        return int(network["compression"][name]["compressor"]["bytesIn"])


class Secondary(MongoTest):
    options = {"nodes": 3}

    def test_all_changes_from_a_secondary_compressed(self):
        orders = self.make_orders(2000, has_images=False)
        orders.with_options(write_concern=WriteConcern(w=3)).insert_one({"_id": 0})
        uri = self.server.uri(self.name, readPreference="secondary", compressors="zstd,zlib,snappy")
        pipeline = self.pipeline(uri=uri)
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        self.assert_follows(pipeline, orders)
        with self.running(pipeline):
            self.wait_for_rows(pipeline, orders.count_documents({}))
            streaming = [node for node in self.server.nodes if self.streams_from(node)]
            self.assertEqual(len(streaming), 1)
            self.assertNotEqual(streaming[0], self.server.primary())
            self.server.kill(streaming[0])
            change_all(orders)
            orders.insert_one({"_id": 100_000})
            self.wait_for_answer(pipeline, "SELECT count(*) FROM orders WHERE _id = 100000", ["1"])
        self.server.start()
        self.assert_equal(pipeline)

    def streams_from(self, node) -> bool:
        with pymongo.MongoClient(node.address, directConnection=True) as client:
            cursors = client.admin.aggregate(
                [{"$currentOp": {"allUsers": True, "idleCursors": True}},
                 {"$match": {"cursor": {"$exists": True}, "appName": f"leat {self.name} capture"}}])
            return bool(list(cursors))


class OldServer(MongoTest):
    """5.0: no post images, no wall time, nothing is split."""
    options = {"version": "5"}

    def test_all_changes(self):
        orders = self.make_orders(has_images=False)
        pipeline = self.pipeline()
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        told = "\n".join(f"{found['what']} {found['remedy']}" for found in findings)
        self.assert_told(told, "does not split", "Upgrade it to 6.0.9", "has no post images")
        self.assert_follows(pipeline, orders)
        with self.running(pipeline):
            self.wait_for_rows(pipeline, orders.count_documents({}))
            orders.drop()
            self.wait_for_rows(pipeline, 0)
            self.make_orders(20, has_images=False)
            self.wait_for_rows(pipeline, 20)
        self.assert_equal(pipeline)


if __name__ == "__main__":
    cli_fixture.main()
