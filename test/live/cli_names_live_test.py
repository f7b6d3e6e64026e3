#!/usr/bin/env python3
"""Names of tables that SQL only takes in quotes, through whole pipelines on a real server."""

import duckdb

from cli_fixture import ENVIRONMENT, OK, CliTest, Pipeline, main

LONG = "long_" + "x" * 58  # as long as PostgreSQL lets a name be
NAMES = ["select", 'a"b', "a.b", "it's", "Orders", "größe", "two words", LONG]
TRANSFORMS = """
transforms:
  - {name: 'big "one"', sql: 'SELECT id, upper(note) AS "Group" FROM "select"'}
  - {name: of.quote, sql: 'SELECT id, note FROM "a""b" WHERE id > 2'}
  - {name: of_dot, sql: 'SELECT * FROM public."a.b"'}
  - {name: of_case, sql: 'SELECT id, note FROM orders'}
  - {name: größe, sql: 'SELECT id, length(note) AS "Länge" FROM "größe"'}
"""
SHAPED = {'big "one"': 'SELECT id, upper(note) FROM "select"',
          "of.quote": 'SELECT id, note FROM "a""b" WHERE id > 2',
          "of_dot": 'SELECT id, note FROM "a.b"', "of_case": 'SELECT id, note FROM "Orders"',
          "größe": 'SELECT id, length(note) FROM "größe"'}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def in_file(*names: str) -> str:
    return ", ".join("'public." + name.replace("'", "''") + "'" for name in names)


class Names(CliTest):
    def setUp(self):
        super().setUp()
        self.sql("DROP TABLE orders")

    def make(self, *names: str) -> None:
        """Tables whose rows say of which table they are."""
        for name in names:
            note = "'" + name.replace("'", "''") + " '"
            self.sql(f"CREATE TABLE {quoted(name)} (id int PRIMARY KEY, note text)",
                     f"INSERT INTO {quoted(name)} SELECT g, {note} || g FROM "
                     "generate_series(1, 20) g")

    def change(self, *names: str) -> None:
        for name in names:
            self.sql(f"UPDATE {quoted(name)} SET note = note || '!' WHERE id % 3 = 0",
                     f"DELETE FROM {quoted(name)} WHERE id = 7",
                     f"UPDATE {quoted(name)} SET id = 1000 WHERE id = 8",
                     f"INSERT INTO {quoted(name)} SELECT coalesce(max(id), 0) + 1, 'new' "
                     f"FROM {quoted(name)}")

    def held(self, pipeline: Pipeline, query: str) -> list:
        with duckdb.connect(str(pipeline.warehouse), read_only=True) as warehouse:
            return warehouse.execute(query).fetchall()

    def assert_same(self, pipeline: Pipeline, target: str, query: str) -> None:
        """The table of the warehouse has what the query finds at the source, and no other rows."""
        self.assertEqual(self.held(pipeline, f"FROM main.{quoted(target)} ORDER BY id"),
                         self.sql(f"{query} ORDER BY id"), target)

    def assert_catches_up(self, pipeline: Pipeline, *arguments: str) -> None:
        done = pipeline.run(*arguments)
        self.assertEqual(done.returncode, OK, done.stderr)

    def assert_unmixed(self, pipeline: Pipeline, *names: str) -> None:
        for name in names:
            self.assert_same(pipeline, name, f"SELECT id, note FROM {quoted(name)}")

    def test_tables(self):
        self.make(*NAMES)
        pipeline = self.pipeline(tables=in_file(*NAMES))
        code, findings = pipeline.check()
        self.assertEqual(code, OK, findings)
        self.assert_catches_up(pipeline)
        self.assert_unmixed(pipeline, *NAMES)
        self.change(*NAMES)
        self.assert_catches_up(pipeline)
        self.assert_unmixed(pipeline, *NAMES)
        self.sql(f'ALTER TABLE {quoted(NAMES[1])} ADD "in" int DEFAULT 7', f"TRUNCATE {LONG}")
        self.change(*NAMES)
        self.assert_catches_up(pipeline)
        self.assert_same(pipeline, NAMES[1], f'SELECT id, note, "in" FROM {quoted(NAMES[1])}')
        self.assert_unmixed(pipeline, NAMES[0], *NAMES[2:])

    def spoil(self, pipeline: Pipeline, *targets: str) -> list[str]:
        """Rows that only a rebuild removes, and the arguments for it."""
        with duckdb.connect(str(pipeline.warehouse)) as warehouse:
            for target in targets:
                warehouse.execute(f"INSERT INTO {quoted(target)} (id) VALUES (-1)")
        return [word for target in targets for word in ("--rebuild", f"duckdb.{target}")]

    def test_rebuild(self):
        self.make(*NAMES)
        pipeline = self.pipeline(tables=in_file(*NAMES))
        self.assert_catches_up(pipeline)
        self.change(*NAMES)
        self.assert_catches_up(pipeline, *self.spoil(pipeline, *NAMES))
        self.assert_unmixed(pipeline, *NAMES)

    def assert_shaped(self, pipeline: Pipeline) -> None:
        self.assert_unmixed(pipeline, "select", 'a"b', "a.b", "Orders")
        for target, query in SHAPED.items():
            self.assert_same(pipeline, target, query)

    def test_transforms(self):
        names = ["select", 'a"b', "a.b", "Orders", "größe"]
        self.make(*names)
        pipeline = self.pipeline(tables=in_file(*names))
        pipeline.file.write_text(pipeline.text.replace("sinks:", TRANSFORMS + "sinks:"))
        self.assert_catches_up(pipeline)
        self.assert_shaped(pipeline)
        self.change(*names)
        self.assert_catches_up(pipeline)
        self.assert_shaped(pipeline)
        for target in SHAPED:
            self.assert_catches_up(pipeline, *self.spoil(pipeline, target))
            self.assert_shaped(pipeline)

    def test_names_that_differ_in_case_only(self):
        self.make("orders", "Orders")
        pipeline = self.pipeline(tables=in_file("orders", "Orders"))
        told = ("two source tables have one name in the sinks", "public.orders", "public.Orders")
        self.assert_problem(pipeline, *told)
        self.assert_refused(pipeline.run(), ENVIRONMENT, *told)
        self.assertEqual(self.held(pipeline, "SELECT table_name FROM duckdb_tables() WHERE "
                                   "NOT starts_with(table_name, '_leat_')"), [])
        # One of them alone is no trouble.
        pipeline = self.pipeline(tables=in_file("Orders"))
        self.assert_catches_up(pipeline)
        self.assert_unmixed(pipeline, "Orders")

    def test_letters_beyond_ascii_keep_their_case(self):
        self.make("ärger", "Ärger")
        pipeline = self.pipeline(tables=in_file("ärger", "Ärger"))
        self.assert_catches_up(pipeline)
        self.change("ärger", "Ärger")
        self.assert_catches_up(pipeline)
        self.assert_unmixed(pipeline, "ärger", "Ärger")


if __name__ == "__main__":
    main()
