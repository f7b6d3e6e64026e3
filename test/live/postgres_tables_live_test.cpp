// What is captured: tables by pattern and exclusion, and columns that never leave the source.
#include <gtest/gtest.h>

#include "postgres_server.hpp"
#include "source/postgres/catalog.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

using Texts = std::vector<std::string>;

class PostgresColumns : public testing::Test {
protected:
    auto sql(const std::string& text) -> std::string { return run_sql(uri_, text); }
    std::string uri_ = PostgresServer::shared(15).make_database();
    SourceRun run_{uri_, {"t"}};
};

TEST_F(PostgresColumns, ExcludedColumnsNeverLeaveTheSource) {
    run_.config.columns["public.t"].exclude = {"ssn", "g"};
    sql("CREATE TABLE t (id int PRIMARY KEY, ssn text, v text, g int GENERATED ALWAYS AS (id) STORED);"
        "INSERT INTO t VALUES (1, 'secret', 'a')");
    EXPECT_EQ(run_.start(), Texts{"S 1|a"});
    EXPECT_EQ(sql("SELECT attnames FROM pg_publication_tables WHERE tablename = 't'"), "{id,v}");
    sql("INSERT INTO t VALUES (2, 'secret', 'b'); UPDATE t SET ssn = 'other'; DELETE FROM t WHERE id = 1");
    EXPECT_EQ(row_texts(run_.read_all()), (Texts{"I 2|b", "U 1|a", "U 2|b", "D 1|-"}));
    // A rename is no way out, and a column that comes later is not sent.
    sql("ALTER TABLE t RENAME ssn TO number; ALTER TABLE t RENAME v TO w; ALTER TABLE t ADD later int");
    sql("INSERT INTO t (id, number, w, later) VALUES (3, 'secret', 'c', 3)");
    EXPECT_EQ(row_texts(run_.read_all()), Texts{"I 3|c"});
    EXPECT_EQ(run_.schema("t")->columns.size(), 2U);
    EXPECT_EQ(run_.schema("t")->columns[1].name, "w");
    run_.close();
    run_.config.columns["public.t"].exclude = {"number"};
    ASSERT_TRUE(eventually([&] { return run_.reopen().has_value(); }));
    sql("UPDATE t SET later = 4 WHERE id = 3");
    EXPECT_EQ(row_texts(run_.read_all()), Texts{"U 3|c"});
}

// The catalog's rows are as old as the snapshot, the rights in it are those of now.
TEST_F(PostgresColumns, TableDroppedSinceTheSnapshotIsNoMatterOfRights) {
    sql("CREATE TABLE t (id int PRIMARY KEY)");
    auto reader = connect(uri_);
    run_sql(reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    sql("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY)");
    const auto found = postgres::load_table(reader, {"public", "t"});
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().fault, Fault::retry);
}

TEST_F(PostgresColumns, ColumnExcludedLaterIsRefused) {
    sql("CREATE TABLE t (id int PRIMARY KEY, v text, ssn text)");
    run_.start();
    run_.close();
    run_.config.columns["t"].exclude = {"ssn"};
    Result<void> opened;
    ASSERT_TRUE(eventually([&] {
        opened = run_.reopen();
        return !opened && opened.error().fault == Fault::config;
    }));
    EXPECT_NE(opened.error().what.find("sends column ssn of public.t"), std::string::npos)
        << opened.error().what;
    EXPECT_NE(opened.error().hint.find("ADD TABLE \"public\".\"t\" (\"id\", \"v\")"),
              std::string::npos) << opened.error().hint;
    EXPECT_NE(opened.error().hint.find("leat drop"), std::string::npos);
    sql("ALTER PUBLICATION leat_test SET TABLE t (id, v)");
    opened = run_.reopen();
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().what.find("published anew with other columns or rows"),
              std::string::npos) << opened.error().what;
}

TEST_F(PostgresColumns, WhatCannotBeExcludedIsRefused) {
    sql("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE f (id int PRIMARY KEY, v text); "
        "ALTER TABLE f REPLICA IDENTITY FULL; CREATE TABLE o (single text); "
        "ALTER TABLE o REPLICA IDENTITY NOTHING");
    const auto refused = [&](const char* table, const char* column) {
        SourceRun run(uri_, {"t", "f", "o"}, "refused");
        run.config.insert_only = true;
        run.config.columns[table].exclude = {column};
        const auto opened = run.open();
        if (opened) return std::string("nothing");
        EXPECT_EQ(opened.error().fault, Fault::config);
        return opened.error().what;
    };
    EXPECT_EQ(refused("t", "w"), "source.columns excludes a column that is not there: w of public.t");
    EXPECT_EQ(refused("t", "id"), "column id of public.t cannot be excluded: it is part of the key");
    EXPECT_NE(refused("f", "v").find("REPLICA IDENTITY FULL"), std::string::npos);
    EXPECT_EQ(refused("o", "single"), "source.columns excludes every column of public.o");
    EXPECT_EQ(refused("sales.t", "v"), "source.columns names a table that is not captured: sales.t");
    EXPECT_EQ(sql("SELECT count(*) FROM pg_publication"), "0");
}

TEST(PostgresTables, PatternsAreResolvedAtOpen) {
    const auto uri = PostgresServer::shared().make_database();
    run_sql(uri, "CREATE SCHEMA sales; CREATE TABLE a (id int PRIMARY KEY); "
                 "CREATE TABLE audit (id int PRIMARY KEY); CREATE TABLE sales.a (id int PRIMARY KEY); "
                 "CREATE VIEW v AS SELECT 1 AS id; CREATE UNLOGGED TABLE u (id int PRIMARY KEY); "
                 "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); "
                 "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9); "
                 "INSERT INTO a VALUES (1); INSERT INTO sales.a VALUES (2); INSERT INTO p VALUES (3)");
    SourceRun run(uri, {"*.*", "!public.audit"}, "patterns");
    EXPECT_EQ(run.start(), (Texts{"S 1", "S 2", "S 3"}));
    run_sql(uri, "INSERT INTO audit VALUES (1); INSERT INTO sales.a VALUES (4)");
    EXPECT_EQ(row_texts(run.read_all()), Texts{"I 4"});
    run.close();
    // One that appears later is an added table.
    run_sql(uri, "CREATE TABLE later (id int PRIMARY KEY); INSERT INTO later VALUES (5)");
    ASSERT_TRUE(eventually([&] { return run.reopen().has_value(); }));
    const auto image = run.take_image({.generation = 2, .tables = {{"public", "later"}},
                                       .is_anew = false});
    ASSERT_TRUE(image.has_value()) << image.error().what;
    EXPECT_EQ(*image, Texts{"S 5"});
    run.close();
    run.config.tables.emplace_back("!later");
    ASSERT_TRUE(eventually([&] { return run.reopen().has_value(); }));
}

TEST(PostgresTables, PatternThatMatchesNothingIsRefused) {
    const auto uri = PostgresServer::shared().make_database();
    run_sql(uri, "CREATE VIEW v AS SELECT 1 AS id");
    for (const auto* pattern : {"public.*", "pg_catalog.*", "*.pg_class"}) {
        const auto opened = SourceRun(uri, {pattern}).open();
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().fault, Fault::config);
        EXPECT_EQ(opened.error().what,
                  std::string("source.tables has an entry that matches no table: ") + pattern);
    }
}

}  // namespace

}  // namespace leat::live
