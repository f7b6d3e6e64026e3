// Queries beside the lane: what is refused, what is seen, what happens while the lane works.
#include "sink/duckdb/query.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "sink/duckdb/sink_fixture.hpp"

namespace leat {
namespace {

using namespace fixture;

const auto orders = keyed_table("orders", {{"id", arrow::int64()}, {"note", arrow::utf8()}});

TEST(DuckDbQuery, AnswersWithNamesTypesAndText) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(orders).insert({1, "a"}).insert({2, nullptr}));
    const auto result =
        must(sink.query("WITH q AS (FROM orders) SELECT id, note, id * 1.5 AS x, [id] AS x FROM q "
                        "ORDER BY id DESC -- a remark\n;; "));
    EXPECT_EQ(result.columns, (Lines{"id", "note", "x", "x"}));
    EXPECT_EQ(result.types, (Lines{"BIGINT", "VARCHAR", "DECIMAL(21,1)", "BIGINT[]"}));
    ASSERT_EQ(result.rows.size(), 2U);
    EXPECT_EQ(result.rows[0][1], std::nullopt);
    EXPECT_EQ(result.rows[1][3], "[1]");
    EXPECT_FALSE(result.truncated);
    EXPECT_EQ(sink.rows("FROM orders ORDER BY id DESC"), (Lines{"2|∅", "1|a"}));
    EXPECT_EQ(sink.rows("VALUES (1), (2)"), (Lines{"1", "2"}));
}

TEST(DuckDbQuery, RowsAreBounded) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    const auto result = must(sink.query("SELECT i FROM range(100000000000) r(i)", 3));
    EXPECT_TRUE(result.truncated);
    EXPECT_EQ(result.rows.size(), 3U);
    EXPECT_FALSE(must(sink.query("SELECT i FROM range(3) r(i)", 3)).truncated);
}

class DuckDbQueryRefusal : public ::testing::TestWithParam<const char*> {};

TEST_P(DuckDbQueryRefusal, IsAConfigurationErrorAndChangesNothing) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(orders).insert({1, "a"}));
    const auto result = sink.query(GetParam());
    ASSERT_FALSE(result) << GetParam();
    EXPECT_EQ(result.error().fault, Fault::config) << result.error().what;
    sink.apply(BatchFixture(orders, 2).insert({2, "b"}));
    EXPECT_EQ(sink.rows("SELECT count(*) FROM orders"), Lines{"2"});
}

INSTANTIATE_TEST_SUITE_P(
    Statements, DuckDbQueryRefusal,
    ::testing::Values("", ";", "SELEC 1", "SELECT 1; SELECT 2", "SELECT * FROM nowhere",
                      "INSERT INTO orders VALUES (5, 'x')", "DELETE FROM orders",
                      "DROP TABLE orders", "CREATE TABLE x (i INTEGER)",
                      "CREATE TEMP TABLE x AS SELECT 1", "SET threads = 4", "PRAGMA database_size",
                      "CHECKPOINT", "FORCE CHECKPOINT", "ATTACH 'x.db'", "COPY orders TO 'x.csv'",
                      "BEGIN", "ROLLBACK", "CALL force_checkpoint()",
                      "SELECT * FROM force_checkpoint()", "EXPLAIN ANALYZE DELETE FROM orders",
                      "SELECT 1) AS q(c0); DROP TABLE orders; SELECT 1 FROM (SELECT 1",
                      "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'",
                      "SELECT * FROM read_csv('/etc/passwd')", "SELECT ?", "LOAD json",
                      "INSTALL httpfs", "EXPORT DATABASE 'x'", "SELECT 1/'x'",
                      "UPDATE orders SET note = 'x'", "VACUUM", "PREPARE p AS SELECT 1",
                      "WITH x AS (DELETE FROM orders RETURNING id) SELECT * FROM x"));

// Closing any descriptor of the database file would give up its lock.
TEST(DuckDbQuery, OwnFilesAreNotReadable) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(orders).insert({1, "a"}));
    for (const auto* const suffix : {"", ".wal"}) {
        const auto path = folder.database().string() + suffix;
        EXPECT_FALSE(sink.query("SELECT size FROM read_blob('" + path + "')")) << suffix;
        EXPECT_FALSE(sink.query("SELECT * FROM glob('" + path + "')")) << suffix;
        EXPECT_FALSE(sink.query("SELECT * FROM read_csv('" + path + "')")) << suffix;
        EXPECT_FALSE(sink.query("SELECT * FROM system.main.\"READ_blob\"('" + path + "')"));
        EXPECT_FALSE(sink.query("DESCRIBE SELECT * FROM read_csv('" + path + "')"));
        EXPECT_FALSE(sink.query("SELECT (SELECT count(*) FROM '" + path + "')"));
        EXPECT_FALSE(sink.query("FROM query('FROM read_blob(''" + path + "'')')"));
    }
    EXPECT_FALSE(sink.query("FROM arrow_scan(1, 2, 3)"));
}

TEST(DuckDbQuery, OddNamesAndHarmlessFunctionsPass) {
    const auto odd = keyed_table("a.b/c\\ \"d\".csv", {{"id", arrow::int64()}});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(odd).insert({1}));
    EXPECT_EQ(sink.rows(R"(SELECT id FROM "a.b/c\ ""d"".csv")"), Lines{"1"});
    EXPECT_EQ(sink.rows(R"(SELECT '{"type":"TABLE_FUNCTION"}', unnest([1]))"),
              Lines{R"({"type":"TABLE_FUNCTION"}|1)"});
    EXPECT_EQ(
        sink.rows("SELECT count(*) FROM range(3), duckdb_tables() WHERE table_name LIKE '%csv'"),
        Lines{"3"});
    EXPECT_TRUE(sink.query("SHOW TABLES"));
    EXPECT_TRUE(sink.query("DESCRIBE _leat_progress"));
    EXPECT_TRUE(sink.query("SELECT * FROM information_schema.tables"));
}

TEST(DuckDbQuery, ManyAtOnceSeeWholeEpochsOnlyWhileTheLaneCommitsAndReopens) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(orders).insert({1, "a"}).insert({2, "a"}));
    std::atomic<bool> stop = false;
    std::atomic<int> answers = 0;
    std::atomic<int> wrong = 0;
    std::vector<std::thread> readers;
    for (int i = 0; i < 6; ++i)
        readers.emplace_back([&] {
            while (!stop) {
                const auto result =
                    sink.query("SELECT count(*), count(DISTINCT note) FROM orders", 10);
                if (!result) {
                    if (result.error().fault != Fault::retry) ++wrong;
                    continue;
                }
                ++answers;
                if (result.value().rows[0][0] != "2" || result.value().rows[0][1] != "1") ++wrong;
            }
        });
    for (std::uint64_t i = 2; i < 40; ++i) {
        const auto note = std::to_string(i);
        sink.apply(BatchFixture(orders, i).update({1, note}).update({2, note}));
        if (i % 10 == 0) must(sink->settle(Rest::last));
    }
    while (answers < 50) std::this_thread::yield();
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(sink.rows("SELECT DISTINCT note FROM orders"), Lines{"39"});
}

TEST(DuckDbQuery, ClosingInterruptsWhatRuns) {
    const Folder folder;
    auto database = must(duckdb::Database::open(folder.database().string(), {{"threads", "1"}}));
    duckdb::QueryGate gate(2);
    gate.open(database);
    std::optional<Fault> fault;
    std::thread reader([&] {
        const auto result =
            gate.run("SELECT count(*) FROM range(10000000000) a, range(1000000) b", 1);
        if (!result) fault = result.error().fault;
    });
    while (gate.running() == 0) std::this_thread::yield();
    gate.close();
    reader.join();
    EXPECT_EQ(fault, Fault::retry);
    EXPECT_FALSE(gate.run("SELECT 1", 1));
}

}  // namespace
}  // namespace leat
