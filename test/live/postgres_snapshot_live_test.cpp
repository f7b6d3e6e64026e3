// The image: exactly what was committed at the point, whatever happens to the tables meanwhile.
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <thread>

#include "postgres_server.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

using Texts = std::vector<std::string>;

class PostgresSnapshot : public testing::Test {
protected:
    std::string uri_ = PostgresServer::shared().make_database();
    auto sql(const std::string& text) -> std::string { return run_sql(uri_, text); }
};

auto read_chunk(SourceRun& run, const Chunk& chunk, std::size_t worker = 0) -> Texts {
    Texts rows;
    const auto receive = [&](const Batch& batch) -> Result<void> {
        for (auto& text : row_texts(batch)) rows.push_back(std::move(text));
        return {};
    };
    const auto done = run.source().read_chunk(chunk, worker, receive, {});
    EXPECT_TRUE(done.has_value()) << done.error().what;
    return rows;
}

TEST_F(PostgresSnapshot, ChangesBesideTheImageComeOnceEach) {
    sql("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, 0 FROM "
        "generate_series(1, 1000) i");
    SourceRun run(uri_, {"t"});
    ASSERT_TRUE(run.open().has_value());
    const auto point = run.source().begin(run.request());
    ASSERT_TRUE(point.has_value()) << point.error().what;
    sql("UPDATE t SET v = 1 WHERE id <= 10");
    sql("DELETE FROM t WHERE id > 990");
    sql("INSERT INTO t VALUES (5000, 5)");
    const auto chunks = run.source().chunks();
    ASSERT_TRUE(chunks.has_value());
    ASSERT_EQ(chunks->size(), 1U);
    const auto image = read_chunk(run, chunks->front());
    EXPECT_EQ(image.size(), 1000U);
    EXPECT_EQ(std::count(image.begin(), image.end(), "S 5|0"), 1);
    run.set_position(*point);
    const auto changes = row_texts(run.read_all());
    EXPECT_EQ(changes.size(), 21U);
    EXPECT_EQ(changes.back(), "I 5000|5");
    EXPECT_EQ(run.source().end().value(), *point);
}

TEST_F(PostgresSnapshot, ManyChunksHoldEveryRowOnce) {
    sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', 100) FROM "
        "generate_series(1, 600000) i; ANALYZE t; CREATE TABLE e (id int PRIMARY KEY)");
    SourceRun run(uri_, {"t", "e"});
    ASSERT_TRUE(run.open().has_value());
    ASSERT_TRUE(run.source().begin(run.request()).has_value());
    const auto chunks = run.source().chunks();
    ASSERT_TRUE(chunks.has_value());
    ASSERT_GT(chunks->size(), 2U);
    EXPECT_EQ(chunks->front().schema->name.table, "e");
    EXPECT_EQ(chunks->back().end, 0U);
    std::vector<std::int64_t> rows(2);
    std::atomic<std::size_t> next{0};
    {
        std::vector<std::jthread> workers;
        for (std::size_t worker = 0; worker < 2; ++worker)
            workers.emplace_back([&, worker] {
                for (auto i = next++; i < chunks->size(); i = next++) {
                    const auto done = run.source().read_chunk((*chunks)[i], worker,
                        [&](const Batch& batch) -> Result<void> {
                            EXPECT_LE(byte_size(batch), 20U << 20U);
                            rows[worker] += batch.rows->num_rows();
                            return {};
                        }, {});
                    EXPECT_TRUE(done.has_value()) << done.error().what;
                }
            });
    }
    EXPECT_EQ(rows[0] + rows[1], 600000);
    EXPECT_GT(std::min(rows[0], rows[1]), 0);
}

TEST_F(PostgresSnapshot, EmptyTableIsHandedOverOnce) {
    sql("CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri_, {"t"});
    ASSERT_TRUE(run.open().has_value());
    ASSERT_TRUE(run.source().begin(run.request()).has_value());
    int batches = 0;
    const auto chunks = run.source().chunks();
    ASSERT_TRUE(run.source().read_chunk(chunks->front(), 0, [&](const Batch& batch) -> Result<void> {
        ++batches;
        EXPECT_EQ(batch.rows->num_rows(), 0);
        EXPECT_EQ(batch.schema->name.table, "t");
        return {};
    }, {}).has_value());
    EXPECT_EQ(batches, 1);
}

// What happens between the point and the lock is rare: here the snapshot is exported first.
TEST_F(PostgresSnapshot, ChangesOfATableBeforeTheLockAreNoticed) {
    for (const std::string change :
         {"ALTER TABLE t ALTER id TYPE bigint", "VACUUM FULL t", "TRUNCATE t",
          "ALTER TABLE t ADD c int", "ALTER TABLE t DROP v", "ALTER TABLE t REPLICA IDENTITY FULL",
          "ALTER TABLE t DROP CONSTRAINT t_pkey", "ALTER TABLE t RENAME v TO w",
          "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v int)"}) {
        sql("DROP TABLE IF EXISTS t");
        sql("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1)");
        auto session = connect(uri_);
        run_sql(session, "BEGIN ISOLATION LEVEL REPEATABLE READ");
        postgres::ImageOptions options;
        options.sql = {uri_, "test", false, std::chrono::seconds(5)};
        options.tables = {{"public", "t"}};
        options.snapshot = run_sql(session, "SELECT pg_export_snapshot()");
        EXPECT_TRUE(postgres::TableImages::make(options, {}).has_value());
        sql(change);
        const auto made = postgres::TableImages::make(options, {});
        ASSERT_FALSE(made.has_value()) << change;
        EXPECT_EQ(made.error().fault, Fault::retry);
        EXPECT_NE(made.error().what.find("rewritten or changed"), std::string::npos);
    }
}

TEST_F(PostgresSnapshot, TablesAreLockedUntilTheEnd) {
    sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    SourceRun run(uri_, {"t"});
    ASSERT_TRUE(run.open().has_value());
    ASSERT_TRUE(run.source().begin(run.request()).has_value());
    auto session = connect(uri_);
    run_sql(session, "SET lock_timeout = '50ms'");
    EXPECT_FALSE(session.query("TRUNCATE public.t").has_value());
    ASSERT_TRUE(run.source().end().has_value());
    EXPECT_TRUE(eventually([&] { return session.query("TRUNCATE public.t").has_value(); }));
}

TEST_F(PostgresSnapshot, LostCoordinatorIsNoticed) {
    sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    SourceRun run(uri_, {"t"});
    ASSERT_TRUE(run.open().has_value());
    ASSERT_TRUE(run.source().begin(run.request()).has_value());
    const auto chunks = run.source().chunks();
    EXPECT_EQ(read_chunk(run, chunks->front()), Texts{"S 1"});
    const std::string coordinator =
        "FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.relation = 't'::regclass "
        "AND a.pid <> pg_backend_pid() AND a.query NOT LIKE 'COPY%'";
    EXPECT_EQ(sql("SELECT pg_terminate_backend(l.pid) " + coordinator), "t");
    EXPECT_TRUE(eventually([&] { return sql("SELECT count(*) " + coordinator) == "0"; }));
    const auto other = run.source().read_chunk(chunks->front(), 1, [](const Batch&) -> Result<void> {
        return {};
    }, {});
    ASSERT_FALSE(other.has_value());
    EXPECT_EQ(other.error().fault, Fault::retry) << other.error().what;
    const auto ended = run.source().end();
    ASSERT_FALSE(ended.has_value());
    EXPECT_EQ(ended.error().fault, Fault::retry);
}

TEST_F(PostgresSnapshot, SlotWaitsForOpenTransactionsAndCanBeStopped) {
    sql("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int)");
    auto session = connect(uri_);
    run_sql(session, "BEGIN; INSERT INTO public.u VALUES (1)");
    SourceRun run(uri_, {"t"});
    ASSERT_TRUE(run.open().has_value());
    std::stop_source stop;
    SnapshotRequest request;
    request.stop = stop.get_token();
    Result<Position> begun = Position{};
    {
        const std::jthread beginning([&] { begun = run.source().begin(request); });
        EXPECT_TRUE(eventually([&] {
            return sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" + run.slot() +
                       "'") == "1";
        }));
        stop.request_stop();
    }
    ASSERT_FALSE(begun.has_value());
    EXPECT_EQ(begun.error().what, "stopped");
    run_sql(session, "COMMIT");
    ASSERT_TRUE(run.open().has_value());
    EXPECT_TRUE(run.take_image({.generation = 2, .lineage = 2, .is_retake = true}).has_value());
}

TEST_F(PostgresSnapshot, NanInADecimalColumnMakesItTextInTheNextAttempt) {
    sql("CREATE TABLE t (id int PRIMARY KEY, n numeric(10,2)); INSERT INTO t VALUES (1, 1.50), "
        "(2, 'NaN')");
    SourceRun run(uri_, {"t"});
    ASSERT_TRUE(run.open().has_value());
    const auto first = run.take_image();
    ASSERT_FALSE(first.has_value());
    EXPECT_EQ(first.error().fault, Fault::retry);
    ASSERT_TRUE(run.open().has_value());
    EXPECT_EQ(run.take_image({.generation = 2, .lineage = 2, .is_retake = true}).value(), (Texts{"S 1|1.50", "S 2|NaN"}));
    EXPECT_EQ(run.schema("t")->columns[1].logical_type, "numeric");
    sql("INSERT INTO t VALUES (3, 3)");
    EXPECT_EQ(row_texts(run.read_all()), Texts{"I 3|3.00"});
    EXPECT_EQ(run.schema("t")->version, 1U);
}

TEST_F(PostgresSnapshot, RemoveTakesSlotAndPublicationAway) {
    sql("CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri_, {"t"});
    run.start();
    run.close();
    ASSERT_TRUE(run.reopen().has_value());
    run.close();
    SystemClock clock;
    const auto made = postgres::PostgresSource::make(run.config, {"test", run.work_dir(), &clock});
    Result<Texts> removed = Texts{};
    EXPECT_TRUE(eventually([&] { return (removed = (*made)->remove()).has_value(); }));
    EXPECT_EQ(removed.value().size(), 2U);
    EXPECT_EQ((*made)->remove().value().size(), 0U);
    EXPECT_EQ(sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" + run.slot() + "'"), "0");
}

}  // namespace

}  // namespace leat::live
