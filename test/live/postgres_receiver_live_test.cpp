// The connection: keepalives, confirmations, idle streams, and what happens when it breaks.
#include <gtest/gtest.h>

#include <thread>

#include "postgres_server.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

auto active_pid(const std::string& uri, const SourceRun& run) -> std::string {
    return run_sql(uri, "SELECT active_pid FROM pg_replication_slots WHERE slot_name = '" +
                        run.slot() + "'");
}

auto confirmed(const std::string& uri, const SourceRun& run) -> std::string {
    return run_sql(uri, "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '" +
                        run.slot() + "'");
}

TEST(PostgresReceiver, AnswersWhileTheReaderStandsStill) {
    PostgresServer server({15, {{"wal_sender_timeout", "2s"}}});
    const auto uri = server.uri();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY, v text)");
    SourceRun run(uri, {"t"});
    run.start();
    run_sql(uri, "INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 100000) i");
    const auto pid = active_pid(uri, run);
    EXPECT_FALSE(pid.empty());
    // Three times the server's patience, with more waiting than the buffer holds.
    std::this_thread::sleep_for(std::chrono::seconds(6));
    EXPECT_EQ(active_pid(uri, run), pid);
    EXPECT_EQ(row_texts(run.read_all()).size(), 100000U);
    EXPECT_EQ(active_pid(uri, run), pid);
}

TEST(PostgresReceiver, ConfirmsOnlyWhatWasAccepted) {
    const auto uri = PostgresServer::shared().make_database();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri, {"t"});
    run.start();
    const auto before = confirmed(uri, run);
    run_sql(uri, "INSERT INTO t VALUES (1)");
    const auto frame = run.read_one();
    ASSERT_TRUE(frame.has_value());
    // Longer than the interval in which a change would be reported.
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    EXPECT_EQ(confirmed(uri, run), before);
    run.accept(*frame);
    EXPECT_TRUE(eventually([&] {
        return confirmed(uri, run) == pgoutput::to_string(pgoutput::Lsn{frame->last.commit});
    }));
}

TEST(PostgresReceiver, QuietPublicationStillAdvancesTheSlot) {
    const auto uri = PostgresServer::shared().make_database();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE busy (id int)");
    SourceRun run(uri, {"t"});
    run.start();
    run_sql(uri, "INSERT INTO busy SELECT generate_series(1, 10000)");
    const auto target = run_sql(uri, "SELECT pg_current_wal_flush_lsn()");
    int positions = 0;
    EXPECT_TRUE(eventually([&] {
        const auto frame = run.read_one(std::chrono::milliseconds(500));
        if (frame) {
            EXPECT_EQ(frame->kind, FrameKind::position);
            EXPECT_TRUE(frame->batches.empty());
            ++positions;
            run.accept(*frame);
        }
        return run_sql(uri, "SELECT confirmed_flush_lsn >= '" + target +
                            "' FROM pg_replication_slots WHERE slot_name = '" + run.slot() + "'") == "t";
    }));
    EXPECT_GE(positions, 1);
    EXPECT_LE(positions, 5);
    run.close();
    run_sql(uri, "INSERT INTO t VALUES (7)");
    ASSERT_TRUE(run.reopen().has_value());
    EXPECT_EQ(row_texts(run.read_all()), std::vector<std::string>{"I 7"});
}

TEST(PostgresReceiver, ReachesTheHeadWithAsynchronousCommits) {
    const auto uri = PostgresServer::shared().make_database();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri, {"t"});
    run.start();
    auto session = connect(uri);
    run_sql(session, "SET synchronous_commit = off");
    for (int i = 0; i < 10; ++i) {
        run_sql(session, "INSERT INTO public.t VALUES (" + std::to_string(i) + ")");
        EXPECT_EQ(row_texts(run.read_all()).size(), 1U);
    }
    // Nothing committed, but log written: still reached.
    run_sql(session, "BEGIN; INSERT INTO public.t VALUES (100)");
    EXPECT_TRUE(run.read_all().empty());
}

TEST(PostgresReceiver, LostConnectionIsWorthARetry) {
    const auto uri = PostgresServer::shared().make_database();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri, {"t"});
    run.start();
    run_sql(uri, "SELECT pg_terminate_backend(" + active_pid(uri, run) + ")");
    auto frame = run.read_one();
    while (frame) frame = run.read_one();
    EXPECT_EQ(frame.error().fault, Fault::retry);
    EXPECT_NE(frame.error().what, "stopped");
    run_sql(uri, "INSERT INTO t VALUES (1)");
    ASSERT_TRUE(eventually([&] { return run.reopen().has_value(); }));
    EXPECT_EQ(row_texts(run.read_all()), std::vector<std::string>{"I 1"});
}

TEST(PostgresReceiver, ServerThatStopsOrCrashesIsWorthARetry) {
    PostgresServer server;
    const auto uri = server.uri();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri, {"t"});
    run.start();
    int id = 0;
    for (const auto* mode : {"fast", "immediate"}) {
        run_sql(uri, "INSERT INTO t VALUES (" + std::to_string(++id) + ")");
        EXPECT_EQ(row_texts(run.read_all()).size(), 1U);
        server.stop(mode);
        auto frame = run.read_one();
        while (frame) frame = run.read_one();
        EXPECT_EQ(frame.error().fault, Fault::retry) << frame.error().what;
        const auto down = run.reopen();
        ASSERT_FALSE(down.has_value());
        EXPECT_EQ(down.error().fault, Fault::retry);
        server.restart("fast");
        ASSERT_TRUE(eventually([&] { return run.reopen().has_value(); }));
        run_sql(uri, "INSERT INTO t VALUES (" + std::to_string(++id) + ")");
        EXPECT_EQ(row_texts(run.read_all()).size(), 1U);
    }
}

TEST(PostgresReceiver, StopEndsARead) {
    const auto uri = PostgresServer::shared().make_database();
    run_sql(uri, "CREATE TABLE t (id int PRIMARY KEY)");
    SourceRun run(uri, {"t"});
    run.start();
    run.read_all();
    auto frame = run.read_one(std::chrono::milliseconds(100));
    while (frame) frame = run.read_one(std::chrono::milliseconds(100));
    EXPECT_EQ(frame.error().what, "stopped");
    EXPECT_EQ(frame.error().fault, Fault::retry);
}

}  // namespace

}  // namespace leat::live
