// What the stream hands out: inserts, updates, deletes, keys, TOAST, truncate, transactions.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "postgres_server.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

using Texts = std::vector<std::string>;

auto toast(char c, int times) -> std::string {
    return "(SELECT string_agg(md5(i::text || '" + std::string(1, c) + "'), '') FROM "
           "generate_series(1, " + std::to_string(times) + ") i)";
}

class PostgresStream : public testing::Test {
protected:
    std::string uri_ = PostgresServer::shared().make_database();
    auto sql(const std::string& text) -> std::string { return run_sql(uri_, text); }
};

TEST_F(PostgresStream, ImageThenChanges) {
    sql("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'a'), (2, NULL)");
    SourceRun run(uri_, {"public.t"});
    EXPECT_EQ(run.start(), (Texts{"S 1|a", "S 2|-"}));
    sql("INSERT INTO t VALUES (3, 'c'); UPDATE t SET name = 'A' WHERE id = 1; "
        "DELETE FROM t WHERE id = 2");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"I 3|c", "U 1|A", "D 2|-"}));
    const auto schema = run.schema("t");
    EXPECT_EQ(schema->key, std::vector<int>{0});
    EXPECT_EQ(schema->version, 1U);
    EXPECT_EQ(schema->columns[1].id, 2);
    EXPECT_FALSE(schema->columns[0].nullable);
}

TEST_F(PostgresStream, ResumesAfterTheLastAcceptedTransaction) {
    sql("CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri_, {"t"});
    run.start();
    sql("INSERT INTO t VALUES (1)");
    EXPECT_EQ(row_texts(run.read_all()), Texts{"I 1"});
    run.close();
    sql("INSERT INTO t VALUES (2)");
    sql("INSERT INTO t VALUES (3)");
    ASSERT_TRUE(run.reopen().has_value());
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"I 2", "I 3"}));
}

TEST_F(PostgresStream, EveryTransactionComesAgainUntilItIsAccepted) {
    sql("CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri_, {"t"});
    run.start();
    for (int i = 0; i < 5; ++i) sql("INSERT INTO t VALUES (" + std::to_string(i) + ")");
    const auto first = run.read_one();
    ASSERT_TRUE(first.has_value());
    run.close();
    ASSERT_TRUE(run.reopen().has_value());
    const auto again = run.read_all();
    EXPECT_EQ(row_texts(again), (Texts{"I 0", "I 1", "I 2", "I 3", "I 4"}));
    EXPECT_EQ(again.front().first, first->first);
}

TEST_F(PostgresStream, PositionsAreCommitAndOrdinal) {
    sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)");
    SourceRun run(uri_, {"a", "b"});
    run.start();
    sql("BEGIN; INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1); INSERT INTO a VALUES (3); "
        "COMMIT");
    const auto frames = run.read_all();
    ASSERT_EQ(frames.size(), 1U);
    const auto& frame = frames[0];
    EXPECT_EQ(frame.first.ordinal, 0U);
    EXPECT_EQ(frame.last.ordinal, 3U);
    EXPECT_EQ(frame.first.commit, frame.last.commit);
    EXPECT_EQ(frame.first.lineage, 1U);
    EXPECT_GT(frame.commit_time_us, 1'600'000'000'000'000);
    ASSERT_EQ(frame.batches.size(), 2U);
    EXPECT_EQ(row_texts(frame.batches[0]), (Texts{"I 1", "I 2", "I 3"}));
    const auto ordinals = std::static_pointer_cast<arrow::UInt64Array>(
        frame.batches[0].rows->column(ordinal_column));
    EXPECT_EQ(ordinals->Value(0), 0U);
    EXPECT_EQ(ordinals->Value(2), 3U);
}

TEST_F(PostgresStream, KeyChangeCarriesTheOldKey) {
    sql("CREATE TABLE t (a int, b text, v int, PRIMARY KEY (b, a)); INSERT INTO t VALUES (1, 'x', 5)");
    SourceRun run(uri_, {"t"});
    run.start();
    EXPECT_EQ(run.schema("t")->key, (std::vector<int>{1, 0}));
    sql("UPDATE t SET a = 2; UPDATE t SET v = 6; DELETE FROM t");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"U 2|x|5 (x|1)", "U 2|x|6", "D 2|x|-"}));
}

TEST_F(PostgresStream, UnchangedToastIsNeverNull) {
    sql("CREATE TABLE t (id int PRIMARY KEY, big text, n int); "
        "ALTER TABLE t ALTER big SET STORAGE EXTERNAL; INSERT INTO t VALUES (1, " + toast('a', 200) +
        ", 1)");
    SourceRun run(uri_, {"t"});
    run.start();
    sql("UPDATE t SET n = 2; UPDATE t SET id = 9; UPDATE t SET big = NULL");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"U 1|?|2", "U 9|?|2 (1)", "U 9|-|2"}));
}

TEST_F(PostgresStream, FullIdentityFillsUnchangedValues) {
    sql("CREATE TABLE t (id int PRIMARY KEY, big text, n int); ALTER TABLE t REPLICA IDENTITY FULL; "
        "ALTER TABLE t ALTER big SET STORAGE EXTERNAL; INSERT INTO t VALUES (1, " + toast('a', 200) +
        ", 1)");
    SourceRun run(uri_, {"t"});
    const auto image = run.start();
    EXPECT_EQ(run.schema("t")->identity, RowIdentity::key);
    sql("UPDATE t SET n = 2; UPDATE t SET id = 5; DELETE FROM t");
    const auto rows = row_texts(run.read_all());
    ASSERT_EQ(rows.size(), 3U);
    const auto big = image[0].substr(4, 6400);
    EXPECT_EQ(rows[0], "U 1|" + big + "|2");
    EXPECT_EQ(rows[1], "U 5|" + big + "|2 (1)");
    EXPECT_EQ(rows[2], "D 5|-|-");
}

TEST_F(PostgresStream, ToastedKeyThatDidNotChange) {
    sql("CREATE TABLE t (id text PRIMARY KEY, n int); ALTER TABLE t ALTER id SET STORAGE EXTERNAL; "
        "INSERT INTO t VALUES (substr(" + toast('k', 80) + ", 1, 2500), 1)");
    SourceRun run(uri_, {"t"});
    const auto image = run.start();
    const auto key = image[0].substr(2, 2500);
    sql("UPDATE t SET n = 2; DELETE FROM t");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"U " + key + "|2", "D " + key + "|-"}));
}

TEST_F(PostgresStream, TableWithoutKeyCarriesWholeOldRows) {
    sql("CREATE TABLE t (a int, b text); ALTER TABLE t REPLICA IDENTITY FULL; "
        "INSERT INTO t VALUES (1, 'x'), (1, 'x')");
    SourceRun run(uri_, {"t"});
    EXPECT_EQ(run.start(), (Texts{"S 1|x", "S 1|x"}));
    EXPECT_EQ(run.schema("t")->identity, RowIdentity::full_row);
    sql("UPDATE t SET b = NULL WHERE ctid = (SELECT min(ctid) FROM t); DELETE FROM t WHERE b = 'x'");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"U 1|- (1|x)", "D 1|x"}));
}

TEST_F(PostgresStream, IndexIdentityComesBeforeThePrimaryKey) {
    sql("CREATE TABLE t (id int PRIMARY KEY, code text NOT NULL); CREATE UNIQUE INDEX u ON t (code); "
        "ALTER TABLE t REPLICA IDENTITY USING INDEX u; INSERT INTO t VALUES (1, 'a')");
    SourceRun run(uri_, {"t"});
    run.start();
    EXPECT_EQ(run.schema("t")->key, std::vector<int>{1});
    sql("UPDATE t SET id = 2; UPDATE t SET code = 'b'; DELETE FROM t");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"U 2|a", "U 2|b (a)", "D -|b"}));
}

TEST_F(PostgresStream, TruncateIsARowOfEveryTable) {
    sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a)");
    SourceRun run(uri_, {"a", "b"});
    run.start();
    sql("INSERT INTO a VALUES (1)");
    sql("TRUNCATE a, b");
    sql("INSERT INTO a VALUES (2)");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"I 1", "T -", "I 2", "T -"}));
}

TEST_F(PostgresStream, InsertOnlyNeedsNoIdentity) {
    sql("CREATE TABLE t (a int)");
    SourceRun run(uri_, {"t"});
    run.config.insert_only = true;
    run.start();
    EXPECT_EQ(run.schema("t")->identity, RowIdentity::append_only);
    sql("INSERT INTO t VALUES (1); UPDATE t SET a = 2; DELETE FROM t; TRUNCATE t");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"I 1", "T -"}));
}

TEST_F(PostgresStream, OtherTablesAndRolledBackTransactionsLeaveNoRows) {
    sql("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)");
    SourceRun run(uri_, {"t"});
    run.start();
    sql("INSERT INTO other VALUES (1)");
    sql("BEGIN; INSERT INTO t VALUES (1); ROLLBACK");
    sql("BEGIN; INSERT INTO t VALUES (2); SAVEPOINT s; INSERT INTO t VALUES (3); ROLLBACK TO s; "
        "INSERT INTO t VALUES (4); COMMIT");
    EXPECT_EQ(row_texts(run.read_all()), (Texts{"I 2", "I 4"}));
}

TEST_F(PostgresStream, PreparedTransactionComesWhenItCommits) {
    PostgresServer server({15, {{"max_prepared_transactions", "5"}}});
    const auto uri = server.make_database();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri, {"t"});
    run.start();
    run_sql(uri, "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'p'");
    EXPECT_TRUE(run.read_all().empty());
    run_sql(uri, "COMMIT PREPARED 'p'");
    EXPECT_EQ(row_texts(run.read_all()), Texts{"I 1"});
}

TEST_F(PostgresStream, BinaryValuesReadTheSame) {
    sql("CREATE TABLE t (id int PRIMARY KEY, n numeric(10,2), ts timestamptz, v text)");
    SourceRun run(uri_, {"t"});
    run.config.binary = true;
    run.start();
    sql("INSERT INTO t VALUES (1, 12.50, '2024-02-29 12:00:00.5+00', 'x')");
    EXPECT_EQ(row_texts(run.read_all()), Texts{"I 1|12.50|2024-02-29 12:00:00.500000Z|x"});
}

}  // namespace

}  // namespace leat::live
