// Values: what the image reads in binary form and what the stream brings as text must be equal,
// for every type.
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "postgres_server.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

struct TypeCase {
    std::string type;                  // as declared
    std::string arrow;                 // expected
    std::string tag;                   // expected
    std::vector<std::string> values;   // SQL literals; the first two go into the table
};

auto cases() -> std::vector<TypeCase> {
    return {
        {"boolean", "bool", "", {"true", "false"}},
        {"smallint", "int16", "", {"-32768", "32767"}},
        {"integer", "int32", "", {"-2147483648", "2147483647"}},
        {"bigint", "int64", "", {"-9223372036854775808", "9223372036854775807"}},
        {"oid", "uint32", "", {"0", "4294967295"}},
        {"real", "float", "", {"'NaN'", "1.17549435e-38"}},
        {"double precision", "double", "", {"'-Infinity'", "0.1"}},
        {"numeric(12,2)", "decimal128(12, 2)", "", {"-9999999999.99", "0"}},
        {"numeric(38,10)", "decimal128(38, 10)", "", {"1234567890123456789012345678.0123456789", "-1"}},
        {"numeric", "string", "numeric", {"'NaN'", "1e-40"}},
        {"numeric(50,3)", "string", "numeric", {"12345678901234567890123456789012345.678", "'-Infinity'::float8::text::numeric(50,3)"}},
        {"money", "string", "money", {"12.34", "-1.00"}},
        {"text", "string", "", {"''", "'Grüße \\ \t 日本'"}},
        {"varchar(20)", "string", "", {"'a'", "'b '"}},
        {"char(5)", "string", "", {"'a'", "'abcde'"}},
        {"name", "string", "", {"'n'", "'m'"}},
        {"\"char\"", "string", "", {"'x'", "'y'"}},
        {"bytea", "binary", "", {"'\\x00ff'", "''"}},
        {"uuid", "fixed_size_binary[16]", "uuid", {"'00000000-0000-0000-0000-000000000000'", "'123e4567-e89b-12d3-a456-426614174000'"}},
        {"json", "string", "json", {"'{\"b\": 1,  \"a\":[1,2]}'", "'null'"}},
        {"jsonb", "string", "json", {"'{\"b\": 1,  \"a\":[1,2]}'", "'3.10'"}},
        {"xml", "string", "xml", {"'<a>1</a>'", "'<b/>'"}},
        {"date", "date32[day]", "", {"'4713-01-01 BC'", "'infinity'"}},
        {"time", "time64[us]", "", {"'00:00:00'", "'23:59:59.999999'"}},
        {"timetz", "string", "timetz", {"'12:00:00+02'", "'00:00:00-12:30'"}},
        {"timestamp", "timestamp[us]", "", {"'-infinity'", "'1999-12-31 23:59:59.999999'"}},
        {"timestamptz", "timestamp[us, tz=UTC]", "", {"'infinity'", "'2024-02-29 12:00:00.5+05:30'"}},
        {"interval", "string", "interval", {"'1 year 2 mons -3 days 04:05:06.7'", "'-1 mon'"}},
        {"point", "string", "point", {"'(1,2)'", "'(1.5,-0.1)'"}},
        {"inet", "string", "inet", {"'192.168.0.1/24'", "'::1'"}},
        {"cidr", "string", "cidr", {"'10.0.0.0/8'", "'::/0'"}},
        {"macaddr", "string", "macaddr", {"'08:00:2b:01:02:03'", "'00:00:00:00:00:00'"}},
        {"bit(4)", "string", "bit", {"B'1010'", "B'0000'"}},
        {"varbit", "string", "varbit", {"B'1'", "B''"}},
        {"tsvector", "string", "tsvector", {"'a:1 b:2'", "''"}},
        {"int4range", "string", "int4range", {"'[1,5)'", "'empty'"}},
        {"tstzrange", "string", "tstzrange", {"'[2024-01-01 00:00+00,)'", "'(,)'"}},
        {"mood", "string", "enum", {"'happy'", "'sad'"}},
        {"pair", "string", "pair", {"ROW(1, 'x y')", "ROW(NULL, '')"}},
        {"amount", "decimal128(10, 2)", "", {"1.5", "99999999.99"}},
        {"aclitem", "string", "aclitem", {"'postgres=r/postgres'", "'=r/postgres'"}},
        {"pg_lsn", "string", "pg_lsn", {"'16/B374D848'", "'0/0'"}},
        {"regclass", "string", "regclass", {"'pg_class'", "'pg_type'"}},
        {"integer[]", "list<item: int32>", "", {"'{1,NULL,3}'", "'{}'"}},
        {"text[]", "list<item: string>", "", {"'{\"a,b\",NULL,\"\\\"q\"}'", "'{\"NULL\"}'"}},
        {"uuid[]", "list<item: fixed_size_binary[16]>", "uuid[]", {"'{123e4567-e89b-12d3-a456-426614174000}'", "'{}'"}},
        {"numeric(6,2)[]", "list<item: decimal128(6, 2)>", "", {"'{1.10,-2}'", "'{NULL}'"}},
        {"timestamptz[]", "list<item: timestamp[us, tz=UTC]>", "", {"'{\"2024-01-01 00:00+00\"}'", "'{infinity}'"}},
        {"mood[]", "list<item: string>", "enum[]", {"'{happy}'", "'{}'"}},
        {"integer[][]", "string", "int4[]", {"'{{1,2},{3,4}}'", "'{}'"}},
    };
}

class PostgresValues : public testing::Test {
protected:
    // One row per value index, and one of NULLs.
    auto insert(int first_id) -> std::string {
        std::string sql;
        for (std::size_t value = 0; value < 2; ++value) {
            sql += "INSERT INTO t VALUES (" + std::to_string(first_id + static_cast<int>(value));
            for (const auto& one : cases()) sql += ", " + fixed(one, value);
            sql += "); ";
        }
        return sql + "INSERT INTO t (id) VALUES (" + std::to_string(first_id + 2) + "); ";
    }
    static auto fixed(const TypeCase& one, std::size_t value) -> std::string {
        // numeric(50,3) has no infinity.
        return one.type == "numeric(50,3)" && value == 1 ? "'NaN'" : one.values[value];
    }
    auto without_id(const std::string& row) -> std::string { return row.substr(row.find('|')); }

    std::string uri_ = PostgresServer::shared().make_database();
};

TEST_F(PostgresValues, ImageAndStreamAgreeForEveryType) {
    std::string columns = "id int PRIMARY KEY";
    for (std::size_t i = 0; i < cases().size(); ++i)
        columns += ", c" + std::to_string(i) + " " + cases()[i].type;
    run_sql(uri_, "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b text); "
                  "CREATE DOMAIN amount AS numeric(10,2) CHECK (VALUE > 0); CREATE TABLE t (" +
                  columns + ")");
    run_sql(uri_, insert(1));
    for (const bool binary : {false, true}) {
        SourceRun run(uri_, {"t"});
        run.config.binary = binary;
        const auto image = run.start();
        ASSERT_EQ(image.size(), 3U);
        const auto schema = run.schema("t");
        for (std::size_t i = 0; i < cases().size(); ++i) {
            const auto& column = schema->columns[i + 1];
            EXPECT_EQ(column.type->ToString(), cases()[i].arrow) << cases()[i].type;
            EXPECT_EQ(column.logical_type, cases()[i].tag) << cases()[i].type;
        }
        run_sql(uri_, insert(11));
        auto frame = run.read_all();
        const auto rows = row_texts(frame);
        ASSERT_EQ(rows.size(), 3U);
        for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(without_id(rows[i]), without_id(image[i]));
        EXPECT_EQ(run.schema("t"), schema);
        run_sql(uri_, "DELETE FROM t WHERE id > 10");
    }
}

TEST_F(PostgresValues, BinaryFormOfEveryTypeThatHasOne) {
    std::string columns = "id int PRIMARY KEY";
    std::string values[2];
    for (const auto& one : cases()) {
        for (const auto* type : {"boolean", "smallint", "integer", "bigint", "oid", "real",
                                 "double precision", "numeric(12,2)", "numeric", "text", "bytea",
                                 "uuid", "jsonb", "date", "time", "timestamp", "timestamptz",
                                 "integer[]", "text[]", "uuid[]", "numeric(6,2)[]"}) {
            if (one.type != type) continue;
            columns += ", c" + std::to_string(columns.size()) + " " + one.type;
            for (std::size_t i = 0; i < 2; ++i) values[i] += ", " + one.values[i];
        }
    }
    run_sql(uri_, "CREATE TABLE t (" + columns + ")");
    const auto rows_sql = [&](int id) {
        return "INSERT INTO t VALUES (" + std::to_string(id) + values[0] + "), (" +
               std::to_string(id + 1) + values[1] + ")";
    };
    run_sql(uri_, rows_sql(1));
    SourceRun run(uri_, {"t"});
    run.config.binary = true;
    const auto image = run.start();
    run_sql(uri_, rows_sql(11));
    const auto rows = row_texts(run.read_all());
    ASSERT_EQ(rows.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(without_id(rows[i]), without_id(image[i]));
    // A column that has no binary form comes later: the next attempt asks for text.
    run_sql(uri_, "ALTER TABLE t ADD m money DEFAULT 2");
    run_sql(uri_, "INSERT INTO t (id, m) VALUES (31, 1)");
    auto frame = run.read_one();
    while (frame && frame->kind == FrameKind::position) frame = run.read_one();
    ASSERT_FALSE(frame.has_value());
    EXPECT_EQ(frame.error().fault, Fault::retry);
    run.close();
    ASSERT_TRUE(eventually([&] { return run.reopen().has_value(); }));
    EXPECT_EQ(row_texts(run.read_all())[0].substr(0, 5), "I 31|");
}

TEST_F(PostgresValues, SettingsOfTheRoleChangeNothing) {
    run_sql(uri_, "CREATE TABLE t (id int PRIMARY KEY, a timestamptz, b date, c float8, d interval, "
                  "e bytea, f money); "
                  "ALTER DATABASE " + uri_.substr(uri_.rfind('/') + 1) + " SET datestyle = 'German'");
    for (const auto* setting : {"timezone = 'Asia/Tokyo'", "extra_float_digits = -10",
                                "intervalstyle = 'iso_8601'", "bytea_output = 'escape'"})
        run_sql(uri_, "ALTER DATABASE " + uri_.substr(uri_.rfind('/') + 1) + " SET " + setting);
    const std::string values = ", '2024-03-04 05:06:07+00', '2024-03-04', 0.1::float8 + 0.2, "
                               "'1 day 02:00', '\\x41ff', 3.5)";
    run_sql(uri_, "INSERT INTO t VALUES (1" + values);
    SourceRun run(uri_, {"t"});
    const auto image = run.start();
    run_sql(uri_, "INSERT INTO t VALUES (2" + values);
    const auto rows = row_texts(run.read_all());
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(without_id(rows[0]), without_id(image[0]));
    EXPECT_NE(image[0].find("0.30000000000000004"), std::string::npos);
    EXPECT_NE(image[0].find("1 day 02:00:00"), std::string::npos);
}

TEST_F(PostgresValues, ValueThatDoesNotFitMakesTheColumnText) {
    run_sql(uri_, "CREATE TABLE t (id int PRIMARY KEY, n numeric(10,2), a int[])");
    SourceRun run(uri_, {"t"});
    run.start();
    run_sql(uri_, "INSERT INTO t VALUES (1, 1.5, '{1}'), (2, 'NaN', '{{1},{2}}'), (3, 2.5, '{3}')");
    EXPECT_EQ(row_texts(run.read_all()),
              (std::vector<std::string>{"I 1|1.50|list<item: int32>[1]", "I 2|NaN|{{1},{2}}",
                                        "I 3|2.50|{3}"}));
    const auto schema = run.schema("t");
    EXPECT_EQ(schema->version, 3U);
    EXPECT_EQ(schema->columns[1].logical_type, "numeric");
    EXPECT_EQ(schema->columns[2].logical_type, "int4[]");
    run.close();
    ASSERT_TRUE(run.reopen().has_value());
    run_sql(uri_, "INSERT INTO t VALUES (4, 4, '{4}')");
    EXPECT_EQ(row_texts(run.read_all()), std::vector<std::string>{"I 4|4.00|{4}"});
    EXPECT_EQ(run.schema("t"), schema);
}

}  // namespace

}  // namespace leat::live
