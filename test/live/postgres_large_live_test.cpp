// Large transactions: streamed before their commit, spilled, rolled back in part, cut into frames.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "postgres_server.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

using Texts = std::vector<std::string>;

// Streams every transaction of more than 64 kB.
auto streaming_server() -> PostgresServer& {
    static PostgresServer server({15, {{"logical_decoding_work_mem", "64kB"}}});
    return server;
}

auto spill_files(const SourceRun& run) -> std::size_t {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(run.work_dir()))
        if (entry.path().filename().string().starts_with("spill")) ++count;
    return count;
}

// Ordinals count up from 0 without a gap, and the last frame alone ends the transaction.
auto expect_one_transaction(const std::vector<Frame>& frames, std::uint64_t rows) -> void {
    std::uint64_t next = 0;
    ASSERT_FALSE(frames.empty());
    for (const auto& frame : frames) {
        EXPECT_EQ(frame.ends_transaction, &frame == &frames.back());
        EXPECT_EQ(frame.first.commit, frames[0].first.commit);
        EXPECT_EQ(frame.last.commit, frames[0].first.commit);
        EXPECT_EQ(frame.first.ordinal, next);
        for (const auto& batch : frame.batches) {
            const auto ordinals = std::static_pointer_cast<arrow::UInt64Array>(
                batch.rows->column(ordinal_column));
            for (std::int64_t row = 0; row < ordinals->length(); ++row)
                ASSERT_EQ(ordinals->Value(row), next++);
        }
        EXPECT_EQ(frame.last.ordinal, next - 1);
    }
    EXPECT_EQ(next, rows);
}

class PostgresLarge : public testing::Test {
protected:
    PostgresLarge() {
        run_sql(uri_, "CREATE TABLE t (id int PRIMARY KEY, v text)");
        run_.config.frame_bytes = config::Bytes::kib(64);
        run_.start();
    }
    auto sql(const std::string& text) -> std::string { return run_sql(uri_, text); }
    static auto insert(int from, int to) -> std::string {
        return "INSERT INTO t SELECT i, md5(i::text) FROM generate_series(" + std::to_string(from) +
               ", " + std::to_string(to) + ") i; ";
    }

    std::string uri_ = streaming_server().make_database();
    SourceRun run_{uri_, {"t"}};
};

TEST_F(PostgresLarge, StreamedTransactionComesWhole) {
    sql(insert(1, 20000));
    const auto frames = run_.read_all();
    EXPECT_GT(frames.size(), 2U);
    expect_one_transaction(frames, 20000);
    EXPECT_EQ(row_texts(frames)[19999].substr(0, 8), "I 20000|");
    EXPECT_EQ(sql("SELECT stream_txns > 0 FROM pg_stat_replication_slots WHERE slot_name = '" +
                  run_.slot() + "'"), "t") << "the server did not stream: the test shows nothing";
    EXPECT_EQ(spill_files(run_), 0U);
}

TEST_F(PostgresLarge, RolledBackPartsLeaveNothing) {
    sql("BEGIN; " + insert(1, 3000) + "SAVEPOINT a; " + insert(3001, 6000) +
        "SAVEPOINT b; " + insert(6001, 9000) + "ROLLBACK TO a; " + insert(9001, 9010) +
        "SAVEPOINT c; " + insert(9011, 12000) + "RELEASE c; COMMIT");
    const auto frames = run_.read_all();
    expect_one_transaction(frames, 3000 + 10 + 2990);
    const auto rows = row_texts(frames);
    EXPECT_EQ(rows[3000].substr(0, 7), "I 9001|");
    EXPECT_EQ(rows.back().substr(0, 8), "I 12000|");
}

TEST_F(PostgresLarge, RolledBackTransactionLeavesNothing) {
    sql("BEGIN; " + insert(1, 5000) + "ROLLBACK");
    sql(insert(7, 7));
    EXPECT_EQ(run_.read_all().size(), 1U);
    EXPECT_EQ(spill_files(run_), 0U);
}

TEST_F(PostgresLarge, InterleavedTransactionsKeepTheOrderOfTheirCommits) {
    auto one = connect(uri_);
    auto two = connect(uri_);
    for (auto* session : {&one, &two}) run_sql(*session, "SET search_path = public");
    run_sql(one, "BEGIN");
    run_sql(two, "BEGIN");
    run_sql(one, insert(1, 2000));
    run_sql(two, insert(10001, 12000));
    run_sql(one, insert(2001, 4000));
    sql(insert(50000, 50000));
    run_sql(two, insert(12001, 14000));
    run_sql(two, "COMMIT");
    run_sql(one, "COMMIT");
    const auto rows = row_texts(run_.read_all());
    ASSERT_EQ(rows.size(), 8001U);
    EXPECT_EQ(rows[0].substr(0, 8), "I 50000|");
    EXPECT_EQ(rows[1].substr(0, 8), "I 10001|");
    EXPECT_EQ(rows[4001].substr(0, 4), "I 1|");
}

TEST_F(PostgresLarge, ColumnAddedInsideAStreamedTransaction) {
    sql("BEGIN; " + insert(1, 3000) + "ALTER TABLE t ADD c int DEFAULT 7; " + insert(3001, 6000) +
        "UPDATE t SET c = 8 WHERE id = 1; COMMIT");
    const auto frames = run_.read_all();
    expect_one_transaction(frames, 6001);
    EXPECT_EQ(run_.schema("t")->version, 2U);
    EXPECT_EQ(row_texts(frames)[3000], "I 3001|" + sql("SELECT md5('3001')") + "|7");
}

TEST_F(PostgresLarge, RestartInsideAStreamedTransaction) {
    auto session = connect(uri_);
    run_sql(session, "SET search_path = public");
    run_sql(session, "BEGIN");
    run_sql(session, insert(1, 5000));
    EXPECT_TRUE(run_.read_all().empty());
    EXPECT_TRUE(eventually([&] {
        const auto frame = run_.read_one(std::chrono::milliseconds(50));
        return spill_files(run_) == 1;
    }));
    run_.close();
    run_sql(session, insert(5001, 9000));
    ASSERT_TRUE(run_.reopen().has_value());
    run_sql(session, "COMMIT");
    expect_one_transaction(run_.read_all(), 9000);
}

TEST_F(PostgresLarge, OrdinaryTransactionBeyondMemoryIsSpilled) {
    const auto uri = PostgresServer::shared().make_database();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY, v text)");
    SourceRun run(uri, {"t"});
    run.config.frame_bytes = config::Bytes::kib(256);
    run.start();
    run_sql(uri, "INSERT INTO t VALUES (-1, 'before')");
    run_sql(uri, "INSERT INTO t SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 30000) i");
    run_sql(uri, "INSERT INTO t VALUES (-2, 'after')");
    auto frames = run.read_all();
    ASSERT_GT(frames.size(), 10U);
    EXPECT_EQ(row_texts({frames.front()}), Texts{"I -1|before"});
    EXPECT_EQ(row_texts({frames.back()}), Texts{"I -2|after"});
    frames.pop_back();
    frames.erase(frames.begin());
    expect_one_transaction(frames, 30000);
    EXPECT_EQ(run_sql(uri, "SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = '" +
                      run.slot() + "'"), "0");
}

}  // namespace

}  // namespace leat::live
