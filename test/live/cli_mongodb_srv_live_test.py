#!/usr/bin/env python3
"""`mongodb+srv://`: the servers' names and the set's come from DNS. What DNS does not know is told, and
while it cannot tell, leat waits. Takes namespaces; where the kernel has none for us it is skipped.
"""

import urllib.parse

import cli_fixture
import dns_fixture
from cli_fixture import ENVIRONMENT, OK, Pipeline
from mongo_fixture import MongoTest, change_all
from mongo_server import ADMIN
from mongo_server import PASSWORD as ADMIN_PASSWORD
from pg_server import free_port

HOST = "shop.leat.test"
SERVICE = f"_mongodb._tcp.{HOST}."


class Seeds(MongoTest):
    options = {"auth": True}

    @classmethod
    def setUpClass(cls):
        cls.dns = cls.enterClassContext(dns_fixture.NameServer().serving())
        super().setUpClass()

    def setUp(self):
        super().setUp()
        port = self.server.nodes[0].port
        self.dns.is_failing = False
        self.dns.records = {
            (SERVICE, "SRV"): [f"0 0 {port} node0.leat.test."],
            (f"{HOST}.", "TXT"): ['"replicaSet=rs0&authSource=admin"'],
            ("node0.leat.test.", "A"): ["127.0.0.1"],
        }
        self.orders = self.make_orders()

    def seeded(self, host: str = HOST, options: str = "tls=false", **given) -> Pipeline:
        login = ":".join(map(urllib.parse.quote_plus, (ADMIN, ADMIN_PASSWORD)))
        return self.pipeline(uri=f"mongodb+srv://{login}@{host}/{self.name}?{options}", **given)

    def test_servers_and_set_from_dns(self):
        pipeline = self.seeded()
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        self.assert_told(str(findings), "member of replica set rs0")
        self.assert_runs(pipeline)
        change_all(self.orders)
        self.assert_runs(pipeline)

    def test_without_the_text_record(self):
        """Only there it stands where the user is known."""
        del self.dns.records[f"{HOST}.", "TXT"]
        self.assert_problem(self.seeded(), "refuses the credentials", "authSource")
        self.assert_runs(self.seeded(options="tls=false&authSource=admin"))

    def test_one_of_the_servers_is_away(self):
        self.dns.records[SERVICE, "SRV"].insert(0, f"0 0 {free_port()} node0.leat.test.")
        self.assert_runs(self.seeded())

    def test_name_that_does_not_exist(self):
        pipeline = self.seeded("shpo.leat.test")
        self.assert_refused(pipeline.run(), ENVIRONMENT, "_mongodb._tcp.shpo.leat.test",
                            "Correct source.uri", "[MONGO-URI]")
        self.assert_problem(pipeline, "_mongodb._tcp.shpo.leat.test", "Correct source.uri")

    def test_server_of_another_domain(self):
        self.dns.records[SERVICE, "SRV"] = ["0 0 27017 node0.elsewhere.test."]
        self.assert_refused(self.seeded().run(), ENVIRONMENT, "[MONGO-URI]")

    def test_text_record_that_is_not_one(self):
        self.dns.records[f"{HOST}.", "TXT"] = ['"tls=false"']
        self.assert_refused(self.seeded().run(), ENVIRONMENT, "[MONGO-URI]")

    def test_in_the_clear_must_be_said(self):
        """TLS is the default of such a URI."""
        self.assert_problem(self.seeded(options="", source="connect_timeout: 1s"), "tls")

    def test_names_cannot_be_told_for_a_while(self):
        self.dns.is_failing = True
        pipeline = self.seeded(source="connect_timeout: 1s")
        self.assert_problem(pipeline, "_mongodb._tcp.shop.leat.test")
        with self.running(pipeline) as process:
            self.wait_for_log(process, "next attempt in")
            self.dns.is_failing = False
            self.wait_for_rows(pipeline, 50)
            self.dns.is_failing = True
            self.server.restart()
            self.wait_for_log(process, "_mongodb._tcp.shop.leat.test")
            self.orders.insert_one({"_id": 51})
            self.dns.is_failing = False
            self.wait_for_rows(pipeline, 51)
        self.assert_equal(pipeline)


if __name__ == "__main__":
    dns_fixture.enter_own_network()
    cli_fixture.main()
