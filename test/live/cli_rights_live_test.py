#!/usr/bin/env python3
"""The role of least rights as the guide on PostgreSQL writes it: exactly those statements, and the
pipeline runs; without any one right it is refused with the statement that is missing.
"""

import re

from cli_fixture import ENVIRONMENT, ORDERS, OK, TREE, CliTest, PgServer, main, run_sql

TABLES = "public.orders, public.customers"
CUSTOMERS = """
CREATE TABLE customers (id int PRIMARY KEY, name text);
INSERT INTO customers VALUES (1, 'Ada')
"""


def guide_statements() -> list[str]:
    text = (TREE / "docs/guide/postgres.md").read_text()
    block = re.search(r"<!-- least rights.*?-->\n```sql\n(.*?)```", text, re.S).group(1)
    return [line for line in block.splitlines() if line]


class LeastRights(CliTest):
    def setUp(self):
        super().setUp()
        server = PgServer.temporary()
        self.server_of_test = self.enterContext(server)
        run_sql(self.server_of_test.uri(), "CREATE DATABASE shop",
                # What a hardened server takes away from everybody.
                "REVOKE CONNECT, TEMPORARY ON DATABASE shop FROM PUBLIC")
        self.uri = self.server_of_test.uri("shop")
        self.sql(ORDERS, CUSTOMERS, "REVOKE ALL ON SCHEMA public FROM PUBLIC")
        self.as_leat = self.uri.replace("postgres@", "leat@")

    def guide_pipeline(self):
        return self.pipeline(name="shop", uri=self.as_leat, tables=TABLES,
                             source="publication: leat_shop")

    def test_statements_of_the_guide(self):
        self.sql(*guide_statements())
        pipeline = self.guide_pipeline()
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)
            self.sql("INSERT INTO orders VALUES (51, 1, 'x')",
                     "UPDATE orders SET amount = 2 WHERE id = 2",
                     "DELETE FROM orders WHERE id = 1",
                     "ALTER TABLE orders ADD COLUMN extra int DEFAULT 7",
                     "INSERT INTO orders VALUES (52, 1, 'y', 8)", "TRUNCATE customers")
            self.wait_for_rows(pipeline, 51)
            self.wait_for_rows(pipeline, 0, "customers")
        self.assertEqual(pipeline.command("drop", pipeline.file.name, "--yes").returncode, OK)
        self.assertEqual(self.sql("SELECT pubname FROM pg_publication"), [("leat_shop",)])
        self.assertEqual(self.sql("SELECT slot_name FROM pg_replication_slots"), [])

    def test_each_right_is_needed(self):
        self.sql(*guide_statements())
        pipeline = self.guide_pipeline()
        for taken, given, phrase in (
            ("REVOKE CONNECT ON DATABASE shop FROM leat", "GRANT CONNECT ON DATABASE shop TO leat",
             "CONNECT"),
            ("REVOKE USAGE ON SCHEMA public FROM leat", "GRANT USAGE ON SCHEMA public TO leat",
             "schema public"),
            ("REVOKE SELECT ON customers FROM leat", "GRANT SELECT ON customers TO leat",
             'GRANT SELECT ON "public"."customers" TO "leat"'),
            ("ALTER ROLE leat NOREPLICATION", "ALTER ROLE leat REPLICATION",
             'ALTER ROLE "leat" REPLICATION'),
        ):
            with self.subTest(taken):
                self.sql(taken)
                self.assert_refused(pipeline.run(), ENVIRONMENT, phrase, "[PG-RIGHT]")
                self.sql(given)
        self.assertEqual(pipeline.run().returncode, OK)

    def test_a_policy_never_makes_half_an_image(self):
        self.sql(*guide_statements(), "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
                 "CREATE POLICY few ON orders FOR SELECT TO leat USING (id < 10)")
        pipeline = self.guide_pipeline()
        self.assert_refused(pipeline.run(), ENVIRONMENT, "row-level security", "[PG-RIGHT]")
        self.sql("ALTER ROLE leat BYPASSRLS")
        with self.running(pipeline):
            self.wait_for_rows(pipeline, 50)


if __name__ == "__main__":
    main()
