// The same short story on every server version that is supported.
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include "postgres_server.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

using Texts = std::vector<std::string>;

class PostgresVersion : public testing::TestWithParam<int> {};

TEST_P(PostgresVersion, ImageStreamLargeTransactionRestart) {
    PostgresServer server({GetParam(), {{"logical_decoding_work_mem", "64kB"}}});
    const auto uri = server.uri();
    EXPECT_EQ(run_sql(uri, "SHOW server_version_num").substr(0, 2), std::to_string(GetParam()));
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY, v text, g int GENERATED ALWAYS AS (id) STORED); "
                 "ALTER TABLE t ALTER v SET STORAGE EXTERNAL; CREATE TABLE f (a int); "
                 "ALTER TABLE f REPLICA IDENTITY FULL; INSERT INTO t VALUES (1, repeat('x', 5000))");
    SourceRun run(uri, {"t", "f"});
    EXPECT_EQ(run.start().size(), 1U);
    run_sql(uri, "UPDATE t SET id = 2; INSERT INTO f VALUES (1); UPDATE f SET a = 2; DELETE FROM f; "
                 "DELETE FROM t");
    EXPECT_EQ(row_texts(run.read_all()),
              (Texts{"U 2|? (1)", "D 2|-", "I 1", "U 2 (1)", "D 2"}));
    run_sql(uri, "BEGIN; INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 3000) i; "
                 "SAVEPOINT s; INSERT INTO t SELECT i FROM generate_series(3001, 9000) i; "
                 "ROLLBACK TO s; ALTER TABLE t ADD c int DEFAULT 3; INSERT INTO t VALUES (-1); COMMIT");
    const auto rows = row_texts(run.read_all());
    ASSERT_EQ(rows.size(), 3001U);
    EXPECT_EQ(rows.back(), "I -1|-|3");
    EXPECT_EQ(run.schema("t")->columns[2].default_value->ToString(), "3");
    EXPECT_TRUE(eventually([&] {
        return run_sql(uri, "SELECT stream_txns > 0 FROM pg_stat_replication_slots") == "t";
    })) << "the server did not stream: the test shows less than it should";
    run.close();
    run_sql(uri, "TRUNCATE t");
    ASSERT_TRUE(eventually([&] { return run.reopen().has_value(); }));
    EXPECT_EQ(row_texts(run.read_all()), Texts{"T -|-|-"});
}

TEST(PostgresColumnLists, AreMissingBefore15) {
    PostgresServer server({14, {}});
    run_sql(server.uri(), "CREATE TABLE t (id int PRIMARY KEY, v text)");
    SourceRun run(server.uri(), {"t"});
    run.config.columns["t"].exclude = {"v"};
    const auto opened = run.open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().fault, Fault::config);
    EXPECT_NE(opened.error().what.find("column lists of publications since 15"), std::string::npos);
}

// PostgreSQL 18 makes generated columns virtual unless they are said to be stored.
TEST(PostgresVirtualColumns, AreNotCaptured) {
    PostgresServer server({18, {}});
    const auto uri = server.uri();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2), v text); "
                 "INSERT INTO t VALUES (1, DEFAULT, 'a')");
    SourceRun run(uri, {"t"});
    EXPECT_EQ(run.start(), Texts{"S 1|a"});
    run_sql(uri, "ALTER TABLE t ADD h int GENERATED ALWAYS AS (id * 3) VIRTUAL; "
                 "INSERT INTO t (id, v) VALUES (2, 'b')");
    run_sql(uri, "ALTER TABLE t ADD c int DEFAULT 4; INSERT INTO t (id, v) VALUES (3, 'c')");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"I 2|b", "I 3|c|4"}));
}

// From 18 on the server refuses updates of such a table once it is published.
TEST_P(PostgresVersion, FullIdentityBesideAGeneratedColumn) {
    PostgresServer server({GetParam(), {}});
    const auto uri = server.uri();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id * 2) STORED); "
                 "ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t VALUES (1)");
    SourceRun run(uri, {"t"});
    const auto opened = run.open();
    constexpr int refuses = 18;
    EXPECT_EQ(opened.has_value(), GetParam() < refuses);
    if (!opened) {
        EXPECT_EQ(opened.error().fault, Fault::config);
        EXPECT_NE(opened.error().what.find("public.t"), std::string::npos) << opened.error().what;
        EXPECT_NE(opened.error().hint.find("REPLICA IDENTITY DEFAULT"), std::string::npos);
    }
    run_sql(uri, "UPDATE t SET id = 2");
}

INSTANTIATE_TEST_SUITE_P(All, PostgresVersion, testing::Values(14, 15, 16, 17, 18),
                         [](const auto& one) { return std::to_string(one.param); });

}  // namespace

}  // namespace leat::live
