"""Tests of the checker on a real PostgreSQL and real DuckDB files filled by hand.

A checker that finds nothing proves nothing, so every kind of difference is planted and must be
found: a field, a sign of zero, a doubled row, a missing one, a table, a column, a type.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import duckdb
import psycopg

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import canonical  # noqa: E402
import compare  # noqa: E402
from pg_server import PgServer  # noqa: E402

# name, source type, warehouse type, then (source literal, warehouse literal) of equal values
TYPES = [
    ("bool", "bool", "BOOLEAN", [("true", "true"), ("false", "false")]),
    ("int2", "int2", "SMALLINT", [("-32768", "-32768")]),
    ("int4", "int4", "INTEGER", [("2147483647", "2147483647"), ("0", "0")]),
    ("int8", "int8", "BIGINT", [("'-9223372036854775808'", "'-9223372036854775808'")]),
    ("oid", "oid", "UINTEGER", [("4294967295", "4294967295")]),
    ("decimal", "numeric(10,2)", "DECIMAL(10,2)", [("-0.05", "-0.05"), ("12345678.9",) * 2]),
    ("wide", "numeric(38,10)", "DECIMAL(38,10)",
     [("'1234567890123456789012345678.0123456789'", "'1234567890123456789012345678.0123456789'")]),
    ("fraction", "numeric(38,38)", "DECIMAL(38,38)", [("-0.5", "-0.5"), ("0", "0")]),
    ("integer", "numeric(20)", "DECIMAL(20,0)", [("17", "17")]),
    ("nan_decimal", "numeric(10,2)", "VARCHAR", [("'NaN'", "'NaN'"), ("1.5", "'1.50'")]),
    ("exact", "numeric", "VARCHAR", [("1.500", "'1.500'"), ("'1e50'", "'1" + "0" * 50 + "'"),
                                     ("'-Infinity'", "'-Infinity'")]),
    ("too_wide", "numeric(60,5)", "VARCHAR", [("1.5", "'1.50000'")]),
    ("negative_scale", "numeric(5,-2)", "VARCHAR", [("1234", "'1200'")]),
    ("float4", "float4", "FLOAT", [("'1.1'", "1.1"), ("'NaN'", "'nan'"), ("'-0'", "'-0.0'"),
                                   ("'1e-45'", "'1e-45'"), ("'-Infinity'", "'-inf'")]),
    ("float8", "float8", "DOUBLE", [("0.1", "0.1"), ("'NaN'", "'nan'"), ("'-0'", "'-0.0'"),
                                    ("'5e-324'", "'5e-324'"), ("'Infinity'", "'inf'"),
                                    ("1e22", "1e22")]),
    ("text", "text", "VARCHAR", [("''", "''"), ("'~'", "'~'"), ("'naïve 🚰 \u0001'",) * 2]),
    ("char", "char(5)", "VARCHAR", [("'ab'", "'ab   '")]),
    ("letter", '"char"', "VARCHAR", [("'x'", "'x'")]),
    ("bytea", "bytea", "BLOB", [(r"'\x00ff'", r"'\x00\xff'"), ("''", "''")]),
    ("date", "date", "DATE", [("'2024-02-29'", "'2024-02-29'"), ("'infinity'", "'infinity'"),
                              ("'-infinity'", "'-infinity'"),
                              ("'0044-03-15 BC'", "'0044-03-15 (BC)'")]),
    ("time", "time", "TIME", [("'23:59:59.999999'",) * 2, ("'24:00:00'",) * 2]),
    ("timestamp", "timestamp", "TIMESTAMP",
     [("'1969-12-31 23:59:59.999999'",) * 2, ("'-infinity'",) * 2,
      ("'0044-03-15 01:02:03 BC'", "'0044-03-15 (BC) 01:02:03'")]),
    ("timestamptz", "timestamptz", "TIMESTAMPTZ",
     [("'2024-06-01 12:00:00.000001+02'",) * 2, ("'infinity'",) * 2]),
    ("timetz", "timetz", "VARCHAR", [("'10:00+02'", "'10:00:00+02'")]),
    ("interval", "interval", "VARCHAR", [("'1 year 2 days 3.5 seconds'",
                                          "'1 year 2 days 00:00:03.5'")]),
    ("uuid", "uuid", "UUID", [("'F47AC10B-58CC-4372-A567-0E02B2C3D479'",
                               "'f47ac10b-58cc-4372-a567-0e02b2c3d479'")]),
    ("json", "json", "VARCHAR", [("""'{"b": 1,  "a":2}'""",) * 2]),
    ("jsonb", "jsonb", "JSON", [("""'{"b": 1,  "a":2}'""", """'{"a": 2, "b": 1}'""")]),
    ("ints", "int[]", "INTEGER[]", [("'{1,NULL,3}'", "[1, NULL, 3]"), ("'{}'", "[]")]),
    ("texts", "text[]", "VARCHAR[]",
     [("""'{"a,b","",NULL,"NULL"}'""", "['a,b', '', NULL, 'NULL']")]),
    ("floats", "float8[]", "DOUBLE[]", [("'{NaN,-0}'", "['nan'::DOUBLE, '-0.0'::DOUBLE]")]),
    ("decimals", "numeric(6,2)[]", "DECIMAL(6,2)[]", [("'{1.5,NULL}'", "[1.5, NULL]")]),
    ("times", "timestamptz[]", "TIMESTAMPTZ[]", [("'{infinity}'", "['infinity']")]),
    ("matrix", "int[][]", "VARCHAR", [("'{{1,2},{3,4}}'", "'{{1,2},{3,4}}'")]),
    ("mood", "mood", "VARCHAR", [("'happy'", "'happy'")]),
    ("moods", "mood[]", "VARCHAR[]", [("'{happy,sad}'", "['happy', 'sad']")]),
    ("positive", "positive", "INTEGER", [("5", "5")]),
    ("pair", "pair", "VARCHAR", [("'(1,\"a b\")'", "'(1,\"a b\")'")]),
    ("inet", "inet", "VARCHAR", [("'10.0.0.1/8'", "'10.0.0.1/8'")]),
    ("range", "int4range", "VARCHAR", [("'[1,5]'", "'[1,6)'")]),
]

# Changes that a checker by text or by == would miss: (source value, value in the warehouse)
UNEQUAL = [
    ("float8", "DOUBLE", "'0'", "'-0.0'"),
    ("float8", "DOUBLE", "'NaN'", "NULL"),
    ("float8", "DOUBLE", "0.1", "0.1::FLOAT::DOUBLE"),
    ("float4", "FLOAT", "'-0'", "'0'"),
    ("text", "VARCHAR", "''", "NULL"),
    ("text", "VARCHAR", "'a'", "'a '"),
    ("text", "VARCHAR", "'~'", "NULL"),
    ("char(3)", "VARCHAR", "'a'", "'a'"),
    ("numeric", "VARCHAR", "1.50", "'1.5'"),
    ("bytea", "BLOB", r"'\x00'", "''"),
    ("timestamptz", "TIMESTAMPTZ", "'2024-01-01 00:00+00'", "'2024-01-01 00:00:00.000001+00'"),
    ("timestamptz", "TIMESTAMPTZ", "'infinity'", "'-infinity'"),
    ("date", "DATE", "'infinity'", "NULL"),
    ("json", "VARCHAR", "'{\"a\":1}'", "'{\"a\": 1}'"),
    ("int[]", "INTEGER[]", "'{1,NULL}'", "[1]"),
    ("int[]", "INTEGER[]", "'{}'", "NULL"),
    ("text[]", "VARCHAR[]", "'{\"a,b\"}'", "['a', 'b']"),
    ("text[]", "VARCHAR[]", "'{NULL}'", "['~']"),
]


class CheckerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="leat-compare-")
        cls.server = cls.enterClassContext(PgServer.temporary())
        cls.addClassCleanup(cls.folder.cleanup)
        cls.source = cls.enterClassContext(psycopg.connect(cls.server.uri(), autocommit=True))
        cls.source.execute("""
            CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b text);
            CREATE DOMAIN small AS int CHECK (VALUE < 100);
            CREATE DOMAIN positive AS small CHECK (VALUE > 0); CREATE SCHEMA sales""")

    def setUp(self):
        self.warehouse = pathlib.Path(self.folder.name) / f"{self.id()}.duckdb"
        self.source.execute("DROP TABLE IF EXISTS t, u, sales.t")

    def fill(self, *statements: str) -> None:
        with duckdb.connect(str(self.warehouse)) as target:
            for statement in statements:
                target.execute(statement)

    def check(self, *tables: str, **options) -> compare.Result:
        results = compare.compare(self.server.uri(), self.warehouse, list(tables or ("t",)),
                                  **options)
        return results[0] if len(results) == 1 else results

    def fill_both(self, rows: int = 1000) -> None:
        make = ("SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE 'name ' || i END, "
                "i / 8.0::{} FROM {}")
        self.source.execute(
            "CREATE TABLE t (id int PRIMARY KEY, name text, x float8); INSERT INTO t "
            + make.format("float8", f"generate_series(1, {rows}) AS s(i)"))
        self.fill("CREATE TABLE t (id INTEGER, name VARCHAR, x DOUBLE)", "INSERT INTO t "
                  + make.format("DOUBLE", f"range(1, {rows + 1}) AS s(i)"))

    def test_every_type_is_equal_to_itself(self):
        for name, source_type, warehouse_type, values in TYPES:
            with self.subTest(name):
                self.source.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (v {source_type})")
                self.fill(f"CREATE OR REPLACE TABLE t (v {warehouse_type})")
                for ours, theirs in [*values, ("NULL", "NULL")]:
                    self.source.execute(f"INSERT INTO t VALUES ({ours})")
                    self.fill(rf"INSERT INTO t SELECT ({theirs})::{warehouse_type}")
                result = self.check()
                self.assertTrue(result.equal, result)
                self.assertEqual(result.source_rows, len(values) + 1)

    def test_values_that_only_look_equal_differ(self):
        for source_type, warehouse_type, ours, theirs in UNEQUAL:
            with self.subTest(f"{source_type}: {ours} {theirs}"):
                self.source.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (v {source_type});"
                                    f"INSERT INTO t VALUES ({ours})")
                self.fill(f"CREATE OR REPLACE TABLE t AS SELECT ({theirs})::{warehouse_type} AS v")
                self.assertFalse(self.check().equal)

    def test_equal_tables_are_equal_whatever_the_order(self):
        self.fill_both()
        self.fill("CREATE TABLE s AS SELECT * FROM t ORDER BY id DESC", "DROP TABLE t",
                  "ALTER TABLE s RENAME TO t")
        result = self.check()
        self.assertTrue(result.equal, result)
        self.assertEqual(result.source_rows, 1000)

    def test_single_field_is_found_with_key_and_column(self):
        self.fill_both()
        self.fill("UPDATE t SET name = 'name 5OO' WHERE id = 500")
        result = self.check()
        self.assertEqual(result.difference_count, 1)
        self.assertEqual(result.differences,
                         ["row (id=500): name: source name 500, warehouse name 5OO"])

    def test_missing_row_is_found(self):
        self.fill_both()
        self.fill("DELETE FROM t WHERE id = 17")
        result = self.check()
        self.assertEqual(result.differences,
                         ["row (id=17): 1 times in the source, 0 in the warehouse"])
        self.assertEqual((result.source_rows, result.warehouse_rows), (1000, 999))

    def test_surplus_and_doubled_rows_are_found(self):
        self.fill_both()
        self.fill("INSERT INTO t SELECT * FROM t WHERE id = 3",
                  "INSERT INTO t VALUES (-1, NULL, NULL)")
        self.assertCountEqual(self.check().differences,
                         ["row (id=-1): 0 times in the source, 1 in the warehouse",
                          "row (id=3): 1 times in the source, 2 in the warehouse"])

    def test_missing_one_and_doubling_another_is_found(self):
        self.fill_both()
        self.fill("DELETE FROM t WHERE id = 4", "INSERT INTO t SELECT * FROM t WHERE id = 5")
        self.assertEqual(self.check().difference_count, 2)

    def test_multiplicities_without_a_key(self):
        self.source.execute("CREATE TABLE t (a int, b float8); INSERT INTO t "
                            "SELECT 1, 'NaN' FROM generate_series(1, 3)")
        self.fill("CREATE TABLE t (a INTEGER, b DOUBLE)",
                  "INSERT INTO t SELECT 1, 'nan' FROM range(3)")
        self.assertTrue(self.check().equal)
        self.fill("INSERT INTO t VALUES (1, 'nan')")
        self.assertEqual(self.check().differences,
                         ["row (a=1, b=NaN): 3 times in the source, 4 in the warehouse"])

    def test_swapped_fields_between_rows_are_found(self):
        self.fill_both()
        self.fill("UPDATE t SET name = CASE id WHEN 1 THEN 'name 2' ELSE 'name 1' END "
                  "WHERE id IN (1, 2)")
        self.assertEqual(self.check().difference_count, 2)

    def test_dropped_column_stays_in_the_warehouse(self):
        self.fill_both()
        self.source.execute("ALTER TABLE t DROP COLUMN name")
        self.assertTrue(self.check().equal)

    def test_missing_column_table_and_wrong_type_are_problems(self):
        self.fill_both()
        self.source.execute("ALTER TABLE t ADD COLUMN extra int")
        self.assertEqual(self.check().problem, "column extra is missing in the warehouse")
        self.fill("ALTER TABLE t ADD COLUMN extra VARCHAR")
        self.assertEqual(self.check().problem,
                         "column extra: int4 in the source, VARCHAR in the warehouse")
        self.source.execute("CREATE TABLE u (id int)")
        self.assertEqual(self.check("u").problem, "no table u in the warehouse")
        self.assertEqual(self.check("nowhere").problem, "no such table in the source")

    def test_generated_column_may_be_absent(self):
        self.fill_both()
        self.source.execute("ALTER TABLE t ADD g int GENERATED ALWAYS AS (id * 2) STORED")
        self.assertTrue(self.check().equal)

    def test_other_schemas_and_odd_names(self):
        self.source.execute("CREATE TABLE sales.t (\"a \"\"%s{}\" int); "
                            "INSERT INTO sales.t VALUES (1)")
        self.fill('CREATE TABLE sales_t ("a ""%s{}" INTEGER)', "INSERT INTO sales_t VALUES (1)")
        self.assertTrue(self.check("sales.t").equal)
        self.assertEqual(canonical.split_name('"odd.schema".t'), ("odd.schema", "t"))
        self.assertEqual(canonical.split_name("t"), ("public", "t"))

    def test_many_differences_are_bounded(self):
        self.fill_both(30_000)
        self.fill("UPDATE t SET x = x + 1")
        result = self.check(shown_max=3)
        self.assertGreater(result.difference_count, 10_000)
        self.assertLessEqual(len(result.differences), 4)

    def test_uncheckpointed_wal_of_the_warehouse_is_read(self):
        self.fill_both()
        script = ("import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
                  "c.execute('DELETE FROM t WHERE id = 9'); os._exit(0)")
        subprocess.run([sys.executable, "-c", script, str(self.warehouse)], check=True)
        self.assertTrue(os.path.exists(f"{self.warehouse}.wal"))
        self.assertEqual(self.check().difference_count, 1)

    def test_command_line_exit_codes(self):
        self.fill_both()
        command = [sys.executable, compare.__file__, "--source", self.server.uri(),
                   "--table", "public.t", "--warehouse"]
        done = subprocess.run([*command, str(self.warehouse)], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]),
                         (0, "source and warehouse are equal"), done.stderr)
        self.fill("DELETE FROM t WHERE id = 1")
        done = subprocess.run([*command, str(self.warehouse)], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]),
                         (1, "source and warehouse differ"))
        done = subprocess.run([*command, f"{self.warehouse}.gone"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
