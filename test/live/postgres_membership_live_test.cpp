// Tables that leave the publication, go, or come back behind the pipeline's back: told at the next
// start, and within a minute while it runs.
#include <gtest/gtest.h>

#include "postgres_server.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

using Texts = std::vector<std::string>;

class PostgresMembership : public testing::Test {
protected:
    auto sql(const std::string& text) -> std::string { return run_sql(uri_, text); }

    // A minute later; nothing when all is well.
    auto look(SourceRun& run) -> Result<void> {
        run.advance_clock(std::chrono::seconds(61));
        sql("INSERT INTO other VALUES (DEFAULT)");
        run.accept(TRY(run.read_one()));
        return {};
    }
    auto expect_noticed(SourceRun& run, const std::string& what) -> void {
        const auto looked = look(run);
        ASSERT_FALSE(looked.has_value());
        EXPECT_EQ(looked.error().fault, Fault::retry);
        EXPECT_NE(looked.error().what.find(what), std::string::npos) << looked.error().what;
        run.close();
    }
    auto open_at_last(SourceRun& run) -> Result<void> {
        Result<void> opened;
        EXPECT_TRUE(eventually([&] {
            opened = run.reopen();
            return opened || opened.error().code != Code::pg_slot_in_use;
        }));
        return opened;
    }
    auto expect_stale(SourceRun& run, const std::string& what) -> void {
        const auto opened = open_at_last(run);
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().fault, Fault::retry) << opened.error().what;
        EXPECT_NE(opened.error().what.find(what), std::string::npos) << opened.error().what;
        EXPECT_EQ(run.source().stale(), (std::set<TableName>{{"public", "t"}}));
    }
    auto expect_cured(SourceRun& run) -> void {
        run.forget_schema("t");
        EXPECT_TRUE(open_at_last(run).has_value());
    }

    std::string uri_ = PostgresServer::shared().make_database();
};

class PostgresPublished : public PostgresMembership {
protected:
    PostgresPublished() {
        sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'); "
            "CREATE TABLE other (id serial PRIMARY KEY)");
    }
    SourceRun run_{uri_, {"t", "other"}};
};

TEST_F(PostgresPublished, WhatDoesNotConcernItsTablesIsNothing) {
    run_.start();
    sql("CREATE TABLE u (id int PRIMARY KEY); ALTER PUBLICATION leat_test ADD TABLE u; "
        "CREATE PUBLICATION another FOR TABLE t; ALTER TABLE t ADD c int");
    sql("VACUUM FULL t");
    EXPECT_TRUE(look(run_).has_value());
    EXPECT_TRUE(look(run_).has_value());
    run_.close();
    EXPECT_TRUE(eventually([&] { return run_.reopen().has_value(); }));
    EXPECT_TRUE(look(run_).has_value());
}

TEST_F(PostgresPublished, RemovedFromThePublication) {
    run_.start();
    sql("ALTER PUBLICATION leat_test DROP TABLE t");
    expect_noticed(run_, "table public.t changed in a way that cannot be followed: it was taken out");
    expect_stale(run_, "it was taken out");
    // Coming back does not bring back what was not sent.
    sql("ALTER PUBLICATION leat_test ADD TABLE t");
    expect_stale(run_, "it was taken out");
    expect_cured(run_);
}

// Found by the crash test: killed after the publication was altered, before the log told that the
// table had left.
TEST_F(PostgresPublished, LeftOutForAStartThatWasCutShort) {
    run_.start();
    run_.close();
    run_.config.tables = {"other"};
    ASSERT_TRUE(open_at_last(run_).has_value());
    run_.close();
    sql("INSERT INTO t VALUES (2, 'not sent')");
    run_.config.tables = {"t", "other"};
    expect_stale(run_, "it was taken out");
    expect_cured(run_);
}

// The table is new to a start that is cut short before the log tells that it had left.
TEST_F(PostgresPublished, StaysStaleUntilTheLogKnows) {
    run_.start();
    const auto schema = run_.schema("t");
    run_.close();
    sql("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v text)");
    expect_stale(run_, "it was dropped and made again");
    expect_cured(run_);
    run_.close();
    run_.remember(schema);
    expect_stale(run_, "it was dropped and made again");
}

TEST_F(PostgresPublished, RemovedFromAPublicationOfTheUserAndPutBackWhileNobodyLooked) {
    sql("CREATE PUBLICATION mine FOR TABLE t, other");
    run_.config.publication = "mine";
    run_.start();
    run_.close();
    sql("ALTER PUBLICATION mine DROP TABLE t");
    sql("INSERT INTO t VALUES (2, 'not sent'); ALTER PUBLICATION mine ADD TABLE t");
    expect_stale(run_, "it was taken out");
    expect_cured(run_);
}

TEST_F(PostgresPublished, GetsARowFilter) {
    sql("CREATE PUBLICATION mine FOR TABLE t, other");
    run_.config.publication = "mine";
    run_.start();
    sql("ALTER PUBLICATION mine SET TABLE t WHERE (id > 5), other");
    expect_noticed(run_, "published anew with other columns or rows");
    expect_stale(run_, "published anew with other columns or rows");
}

TEST_F(PostgresPublished, ByASchemaThatIsTakenOut) {
    sql("CREATE PUBLICATION mine FOR TABLES IN SCHEMA public");
    run_.config.publication = "mine";
    run_.start();
    sql("ALTER PUBLICATION mine ADD TABLE t");
    EXPECT_TRUE(look(run_).has_value());
    sql("ALTER PUBLICATION mine DROP TABLES IN SCHEMA public; ALTER PUBLICATION mine ADD TABLE other");
    expect_noticed(run_, "table public.other");
}

TEST_F(PostgresPublished, OperationsThatAreNoLongerPublished) {
    run_.start();
    sql("ALTER PUBLICATION leat_test SET (publish = 'insert, update, delete')");
    expect_noticed(run_, "publication was altered");
    sql("ALTER PUBLICATION leat_test SET (publish = 'insert, update, delete, truncate')");
    const auto opened = open_at_last(run_);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().fault, Fault::fatal);
    EXPECT_NE(opened.error().what.find("publication was altered"), std::string::npos);
}

TEST_F(PostgresPublished, DroppedAndMadeAgain) {
    run_.start();
    sql("DROP TABLE t");
    expect_noticed(run_, "it was dropped or renamed");
    const auto opened = open_at_last(run_);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().what, "table does not exist: public.t");
    sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    expect_stale(run_, "it was dropped and made again");
    expect_cured(run_);
}

TEST_F(PostgresPublished, Renamed) {
    run_.start();
    sql("ALTER TABLE t RENAME TO u");
    expect_noticed(run_, "table public.t");
    sql("ALTER TABLE u RENAME TO t");
    EXPECT_TRUE(eventually([&] { return run_.reopen().has_value(); }));
}

}  // namespace

}  // namespace leat::live
