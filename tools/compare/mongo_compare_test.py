#!/usr/bin/env python3
"""The checker over MongoDB: what is equal is found equal, and every planted difference is found."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import duckdb
import pymongo
from bson import (Binary, Code, DatetimeMS, Decimal128, Int64, MinKey, ObjectId, Regex, Timestamp)

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import mongo_compare  # noqa: E402
from mongo_compare import Rules  # noqa: E402
from mongo_server import MongoServer  # noqa: E402

ID = ObjectId("507f1f77bcf86cd799439011")
UUID = Binary(bytes(range(16)), 4)
NAN = float("nan")

# Type of the column, value of the document, what is right in the warehouse.
EQUAL = [
    ("BOOLEAN", True, "true"),
    ("BIGINT", 5, "5"), ("BIGINT", Int64(2**63 - 1), "9223372036854775807"),
    ("DOUBLE", 0.1, "0.1"), ("DOUBLE", -0.0, "'-0.0'::DOUBLE"), ("DOUBLE", NAN, "'nan'"),
    ("DOUBLE", 5, "5.0"),
    ("VARCHAR", "", "''"), ("VARCHAR", "a\0b", "'a' || chr(0) || 'b'"),
    ("VARCHAR", ID, "'507f1f77bcf86cd799439011'"),
    ("VARCHAR", Decimal128("1.20"), "'1.20'"), ("VARCHAR", 5, "'5'"), ("VARCHAR", 5, "'5.0'"),
    ("VARCHAR", Int64(2**53 + 1), "'9007199254740993'"), ("VARCHAR", 1e16, "'1e+16'"),
    ("VARCHAR", float("-inf"), "'-Infinity'"),
    ("TIMESTAMPTZ", DatetimeMS(-1), "make_timestamptz(-1000)"),
    ("UUID", UUID, "'00010203-0405-0607-0809-0a0b0c0d0e0f'"),
    ("BLOB", b"\x00\xff", r"'\x00\xFF'::BLOB"),
    ("JSON", 5, "'5'"), ("JSON", 5, "'5.0'"), ("JSON", 5, """'{"$numberDecimal":"5"}'"""),
    ("JSON", 0.5, "'0.5'"), ("JSON", 0.5, """'{"$numberDecimal":"0.5"}'"""),
    ("JSON", NAN, """'{"$numberDouble":"NaN"}'"""),
    ("JSON", "a", "'\"a\"'"), ("JSON", ID, """'{"$oid":"507f1f77bcf86cd799439011"}'"""),
    ("JSON", Decimal128("1.20"), """'{"$numberDecimal":"1.20"}'"""),
    ("JSON", DatetimeMS(0), """'{"$date":"1970-01-01T00:00:00Z"}'"""),
    ("JSON", DatetimeMS(2**62), """'{"$date":{"$numberLong":"4611686018427387904"}}'"""),
    ("JSON", b"ab", """'{"$binary":{"base64":"YWI=","subType":"00"}}'"""),
    ("JSON", {"a": [1, None, {}]}, """'{"a":[1,null,{}]}'"""),
    ("JSON", Regex("^a", "i"), """'{"$regularExpression":{"pattern":"^a","options":"i"}}'"""),
    ("JSON", Timestamp(7, 1), """'{"$timestamp":{"t":7,"i":1}}'"""),
    ("JSON", MinKey(), """'{"$minKey":1}'"""), ("JSON", Code("f"), """'{"$code":"f"}'"""),
]
# What a checker by text or by == would miss.
UNEQUAL = [
    ("BOOLEAN", True, "false"), ("BIGINT", 5, "NULL"), ("BIGINT", 5, "6"), ("BIGINT", 5.0, "5"),
    ("BIGINT", True, "1"), ("DOUBLE", -0.0, "0.0"), ("DOUBLE", NAN, "NULL"),
    ("DOUBLE", Int64(2**53 + 1), "9007199254740992.0"), ("DOUBLE", 0.1, "0.1::FLOAT::DOUBLE"),
    ("VARCHAR", "", "NULL"), ("VARCHAR", "a", "'a '"), ("VARCHAR", Decimal128("1.20"), "'1.2'"),
    ("VARCHAR", 5.0, "'5'"), ("VARCHAR", True, "'true'"), ("VARCHAR", "é", "'e'"),
    ("VARCHAR", Int64(2**53 + 1), "'9007199254740992'"),
    ("TIMESTAMPTZ", DatetimeMS(1), "make_timestamptz(1001)"),
    ("TIMESTAMPTZ", DatetimeMS(0), "'infinity'"),
    ("UUID", UUID, "'10010203-0405-0607-0809-0a0b0c0d0e0f'"),
    ("UUID", Binary(bytes(range(16)), 3), "'00010203-0405-0607-0809-0a0b0c0d0e0f'"),
    ("BLOB", b"\x00", "''::BLOB"),
    ("JSON", 5.0, "'5'"), ("JSON", "5", "'5'"), ("JSON", {"a": 1}, """'{"a":1.0}'"""),
    ("JSON", {"a": 1.0}, """'{"a":1}'"""), ("JSON", {"a": 1, "b": 2}, """'{"b":2,"a":1}'"""),
    ("JSON", {"a": None}, "'{}'"), ("JSON", [], "'{}'"), ("JSON", ["a", "b"], """'["a,b"]'"""),
    ("JSON", [1], """'[{"$numberDecimal":"1"}]'"""), ("JSON", "x", "NULL"),
    ("JSON", UUID, """'{"$binary":{"base64":"AAECAwQFBgcICQoLDA0ODw==","subType":"03"}}'"""),
    ("JSON", DatetimeMS(1), """'{"$date":"1970-01-01T00:00:00Z"}'"""),
    ("JSON", [-0.0], "'[0.0]'"), ("JSON", Regex("^a", "i"),
                                 """'{"$regularExpression":{"pattern":"^a","options":""}}'"""),
]


class MongoCheckerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="leat-compare-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.server = cls.enterClassContext(MongoServer.temporary())
        cls.uri = cls.server.uri("shop")
        cls.client = cls.enterClassContext(pymongo.MongoClient(cls.uri))

    def setUp(self):
        self.warehouse = pathlib.Path(self.folder.name) / f"{self.id()}.duckdb"
        self.client.drop_database("shop")
        self.client.drop_database("other")
        self.source = self.client.shop.t

    def fill(self, *statements: str) -> None:
        with duckdb.connect(str(self.warehouse)) as target:
            for statement in statements:
                target.execute(statement)

    def check(self, name: str = "t", **rules) -> mongo_compare.Result:
        return mongo_compare.compare(self.uri, self.warehouse, [name], Rules(**rules))[0]

    def assertFinds(self, *expected: str, **rules):
        self.assertEqual(self.check(**rules).differences, list(expected))

    def fill_both(self, rows: int = 100) -> None:
        self.source.insert_many([{"_id": i, "name": f"name {i}", "x": i / 8} for i in range(rows)])
        self.fill("CREATE TABLE t AS SELECT i::BIGINT AS _id, 'name ' || i AS name, "
                  f"i / 8.0::DOUBLE AS x FROM range({rows}) AS s(i)")

    def one(self, column_type: str, value, text: str) -> mongo_compare.Result:
        """A document with one field, and what a warehouse is said to hold of it."""
        self.source.delete_many({})
        self.source.insert_one({"_id": 1, "v": value})
        self.fill("CREATE OR REPLACE TABLE t AS SELECT 1::BIGINT AS _id, "
                  f"({text})::{column_type} AS v")
        return self.check()

    def test_every_type_is_equal_to_itself(self):
        for column_type, value, text in EQUAL:
            with self.subTest(f"{column_type}: {value!r} {text}"):
                result = self.one(column_type, value, text)
                self.assertTrue(result.equal, result)
                self.assertEqual(result.source_rows, 1)

    def test_values_that_only_look_equal_differ(self):
        for column_type, value, text in UNEQUAL:
            with self.subTest(f"{column_type}: {value!r} {text}"):
                self.assertFalse(self.one(column_type, value, text).equal)

    def test_null_and_missing_are_null(self):
        self.source.insert_many([{"_id": 1, "v": None}, {"_id": 2}])
        self.fill("CREATE TABLE t (_id BIGINT, v JSON)", "INSERT INTO t VALUES (1, NULL), (2, NULL)")
        self.assertTrue(self.check().equal)
        self.fill("UPDATE t SET v = 'null' WHERE _id = 1")
        self.assertEqual(self.check().difference_count, 1)

    def test_single_field_is_found_with_key_and_column(self):
        self.fill_both()
        self.fill("UPDATE t SET name = 'name 5O' WHERE _id = 50")
        self.assertFinds("row (_id=50): name: source 'name 50', warehouse 'name 5O'")

    def test_missing_surplus_and_doubled_rows_are_found(self):
        self.fill_both()
        self.fill("DELETE FROM t WHERE _id = 17", "INSERT INTO t VALUES (-1, NULL, NULL)",
                  "INSERT INTO t SELECT * FROM t WHERE _id = 3")
        result = self.check()
        self.assertCountEqual(result.differences, [
            "row (_id=17): once in the source, 0 times in the warehouse",
            "row (_id=-1): not in the source, 1 times in the warehouse",
            "row (_id=3): once in the source, 2 times in the warehouse"])
        self.assertEqual((result.source_rows, result.warehouse_rows), (100, 101))

    def test_missing_one_and_doubling_another_is_found(self):
        self.fill_both()
        self.fill("DELETE FROM t WHERE _id = 4", "INSERT INTO t SELECT * FROM t WHERE _id = 5")
        self.assertEqual(self.check().difference_count, 2)

    def test_swapped_fields_between_rows_are_found(self):
        self.fill_both()
        self.fill("UPDATE t SET name = CASE _id WHEN 1 THEN 'name 2' ELSE 'name 1' END "
                  "WHERE _id IN (1, 2)")
        self.assertEqual(self.check().difference_count, 2)

    def test_keys_of_all_types(self):
        keys = [1, "1", 2.5, Int64(2**60), ID, {"a": 1}, UUID, Decimal128("7.0"), True, NAN]
        texts = ["1", '"1"', "2.5", str(2**60), f'{{"$oid":"{ID}"}}', '{"a":1}',
                 '{"$binary":{"base64":"AAECAwQFBgcICQoLDA0ODw==","subType":"04"}}',
                 '{"$numberDecimal":"7.0"}', "true", '{"$numberDouble":"NaN"}']
        self.source.insert_many([{"_id": key} for key in keys])
        values = ", ".join(f"('{text}'::JSON)" for text in texts)
        self.fill(f"CREATE TABLE t AS SELECT * FROM (VALUES {values}) AS v(_id)")
        self.assertTrue(self.check().equal, self.check())
        self.fill("""UPDATE t SET _id = '{"a":1.0}' WHERE _id::VARCHAR = '{"a":1}'""")
        self.assertEqual(self.check().difference_count, 2)

    def test_key_of_the_same_number_and_another_type_is_found(self):
        self.source.insert_many([{"_id": "a"}, {"_id": 1.0}])
        self.fill("CREATE TABLE t AS SELECT * FROM (VALUES ('\"a\"'::JSON), ('1'::JSON)) AS v(_id)")
        self.assertFinds("row (_id=1.0): _id: source 1.0, warehouse '1'")

    def test_extra_holds_what_has_no_column(self):
        self.source.insert_one({"_id": 1, "a": 1, "A": 2, "": 3.0, "_extra": None, "_NULLS": "x"})
        self.fill("CREATE TABLE t AS SELECT 1::BIGINT AS _id, 1::BIGINT AS a, "
                  """'{"A":2,"":3.0,"_NULLS":"x"}'::JSON AS _extra""")
        self.assertTrue(self.check().equal, self.check())
        self.fill("""UPDATE t SET _extra = '{"A":2,"":3,"_NULLS":"x"}'""")
        self.assertFalse(self.check().equal)
        self.fill("UPDATE t SET _extra = NULL")
        self.assertFalse(self.check().equal)

    def test_extra_is_no_place_for_what_could_have_a_column(self):
        self.source.insert_one({"_id": 1, "b": 1})
        self.fill("CREATE TABLE t AS SELECT 1::BIGINT AS _id, 'x' AS a, '{\"b\":1}'::JSON AS _extra")
        self.assertFalse(self.check().equal)
        self.fill("UPDATE t SET a = NULL")
        self.assertFinds("row (_id=1): has no place in a column: ['b']")
        self.assertTrue(self.check(columns_max=5).equal)

    def test_value_that_its_column_holds_is_not_aside(self):
        self.source.insert_one({"_id": 1, "a": "x"})
        self.fill("CREATE TABLE t AS SELECT 1::BIGINT AS _id, NULL::BIGINT AS a, "
                  "'{\"a\":\"x\"}'::JSON AS _extra")
        self.assertFalse(self.check().equal)
        self.assertTrue(self.check(on_conflict="variant").equal)
        self.source.update_one({}, {"$set": {"a": True}})
        self.fill("CREATE OR REPLACE TABLE t AS SELECT 1::BIGINT AS _id, NULL::BOOLEAN AS a, "
                  "'{\"a\":true}'::JSON AS _extra")
        self.assertFalse(self.check(on_conflict="variant").equal)

    def test_dates_beyond_the_calendar_are_aside(self):
        self.source.insert_one({"_id": 1, "at": DatetimeMS(2**62)})
        self.fill("CREATE TABLE t AS SELECT 1::BIGINT AS _id, NULL::TIMESTAMPTZ AS at, "
                  """'{"at":{"$date":{"$numberLong":"4611686018427387904"}}}'::JSON AS _extra""")
        self.assertTrue(self.check().equal, self.check())
        self.fill("ALTER TABLE t ALTER \"at\" TYPE JSON USING NULL")  # it has widened since
        self.assertTrue(self.check().equal, self.check())
        self.fill("UPDATE t SET _extra = NULL")
        self.assertFalse(self.check().equal)

    def test_nulls_are_listed_where_asked_for(self):
        self.source.insert_one({"_id": 1, "a": None, "b": None})
        self.fill("CREATE TABLE t AS SELECT 1::BIGINT AS _id, '[\"a\",\"b\"]'::JSON AS _nulls")
        self.assertTrue(self.check(nulls=True).equal)
        self.assertFalse(self.check().equal)
        self.fill("UPDATE t SET _nulls = '[\"a\"]'")
        self.assertFalse(self.check(nulls=True).equal)

    def test_mode_document(self):
        self.source.insert_one({"_id": 1, "a": {"b": 1.0}})
        self.fill("CREATE TABLE t AS SELECT 1::BIGINT AS _id, "
                  """'{"_id":1,"a":{"b":1.0}}'::JSON AS document""")
        self.assertTrue(self.check(mode="document").equal)
        self.fill("""UPDATE t SET document = '{"_id":1,"a":{"b":1}}'""")
        self.assertFalse(self.check(mode="document").equal)

    def test_text_ids_and_numbers_do_not_share_a_column_of_text(self):
        self.source.insert_many([{"_id": 1, "v": "5"}, {"_id": 2, "v": 5}])
        self.fill("CREATE TABLE t AS SELECT * FROM (VALUES (1::BIGINT, '5'), (2, '5')) AS x(_id, v)")
        self.assertFinds("column v is VARCHAR and mixes ['numbers', 'text']")

    def test_missing_table_and_other_databases(self):
        self.fill("CREATE TABLE other_t AS SELECT 1::BIGINT AS _id")
        self.client.other.t.insert_one({"_id": 1})
        self.assertTrue(self.check("other.t").equal)
        self.assertTrue(self.check().equal)  # neither has anything
        self.source.insert_one({"_id": 1})
        self.assertEqual(self.check().problem, "no table t in the warehouse")

    def test_command_line_exit_codes(self):
        self.fill_both()
        command = [sys.executable, mongo_compare.__file__, "--source", self.uri,
                   "--collection", "t", "--warehouse"]
        done = subprocess.run([*command, str(self.warehouse)], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]),
                         (0, "source and warehouse are equal"), done.stderr)
        self.fill("DELETE FROM t WHERE _id = 1")
        done = subprocess.run([*command, str(self.warehouse)], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]),
                         (1, "source and warehouse differ"))
        done = subprocess.run([*command, f"{self.warehouse}.gone"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
