// Partitioned tables captured as one table: image of all partitions, changes under its name, and
// partitions that come and go.
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include "postgres_server.hpp"
#include "source_run.hpp"

namespace leat::live {

namespace {

using Texts = std::vector<std::string>;

// A tree of two levels; the columns of the partition that was attached stand in another order.
constexpr auto tree = R"(
CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (id);
CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (10) TO (20);
CREATE TABLE p3 (gone int, v text, id int NOT NULL);
ALTER TABLE p3 DROP gone;
ALTER TABLE p3 ALTER v SET STORAGE EXTERNAL;
ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (30) TO (40);
INSERT INTO p VALUES (1, 'a'), (11, 'b'), (31, 'c');
CREATE TABLE other (id serial PRIMARY KEY);
)";

class PostgresPartitions : public testing::TestWithParam<int> {
protected:
    PostgresPartitions() { sql(tree); }

    auto sql(const std::string& text) -> std::string { return run_sql(uri_, text); }
    // Without those of the table that look() writes to.
    auto rows() -> Texts {
        Texts texts;
        for (const auto& frame : run_.read_all())
            for (const auto& batch : frame.batches)
                if (batch.schema->name.table != "other")
                    for (auto& text : row_texts(batch)) texts.push_back(std::move(text));
        return texts;
    }
    // 14 goes on sending nothing of a partition whose rows it has met before.
    auto sent_of_attached() -> Texts {
        return GetParam() < 15 ? Texts{} : Texts{"I 42|sent"};
    }
    auto look() -> Result<void> {
        run_.advance_clock(std::chrono::seconds(61));
        sql("INSERT INTO other VALUES (DEFAULT)");
        run_.accept(TRY(run_.read_one()));
        return {};
    }
    auto open_at_last() -> Result<void> {
        Result<void> opened;
        EXPECT_TRUE(eventually([&] {
            opened = run_.reopen();
            return opened || opened.error().code != Code::pg_slot_in_use;
        }));
        return opened;
    }
    auto expect_noticed(const std::string& what) -> void {
        const auto looked = look();
        ASSERT_FALSE(looked.has_value());
        EXPECT_NE(looked.error().what.find("table public.p changed"), std::string::npos);
        EXPECT_NE(looked.error().what.find(what), std::string::npos) << looked.error().what;
        run_.close();
        const auto opened = open_at_last();
        ASSERT_FALSE(opened.has_value());
        EXPECT_NE(opened.error().what.find(what), std::string::npos) << opened.error().what;
        EXPECT_EQ(run_.source().stale(), (std::set<TableName>{{"public", "p"}}));
    }
    auto expect_refused(const std::string& what, const std::string& hint) -> void {
        const auto opened = run_.open();
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().fault, Fault::config);
        EXPECT_NE(opened.error().what.find(what), std::string::npos) << opened.error().what;
        EXPECT_NE(opened.error().hint.find(hint), std::string::npos) << opened.error().hint;
    }

    PostgresServer server_{{GetParam(), {}}};
    std::string uri_ = server_.uri();
    SourceRun run_{uri_, {"p", "other"}};
};

TEST_P(PostgresPartitions, AreOneTable) {
    EXPECT_EQ(run_.start(), (Texts{"S 11|b", "S 1|a", "S 31|c"}));
    EXPECT_EQ(sql("SELECT tablename FROM pg_publication_tables WHERE tablename <> 'other'"), "p");
    sql("INSERT INTO p VALUES (2, 'd'); INSERT INTO p2a VALUES (12, 'e'); "
        "INSERT INTO p VALUES (32, repeat('x', 9000))");
    EXPECT_EQ(rows(), (Texts{"I 2|d", "I 12|e", "I 32|" + std::string(9000, 'x')}));
    // A row that goes to another partition is deleted there and inserted here.
    sql("UPDATE p SET v = 'f' WHERE id = 2; UPDATE p SET id = 13 WHERE id = 1; "
        "UPDATE p SET id = 3 WHERE id = 2; UPDATE p SET id = 33 WHERE id = 32; "
        "DELETE FROM p WHERE id = 31");
    EXPECT_EQ(rows(), (Texts{"U 2|f", "D 1|-", "I 13|a", "U 3|f (2)", "U 33|? (32)", "D 31|-"}));
    // Of a single partition it is not sent; leat check says so.
    sql("TRUNCATE p1");
    EXPECT_EQ(rows(), Texts{});
    sql("TRUNCATE p");
    EXPECT_EQ(rows(), Texts{"T -|-"});
    sql("ALTER TABLE p ADD c int DEFAULT 7; INSERT INTO p VALUES (4, 'g', DEFAULT), (34, 'h', 8)");
    EXPECT_EQ(rows(), (Texts{"I 4|g|7", "I 34|h|8"}));
    EXPECT_EQ(run_.schema("p")->columns[2].default_value->ToString(), "7");
    sql("ALTER TABLE p ADD d float8 DEFAULT random(); INSERT INTO p VALUES (5)");
    auto frame = run_.read_one();
    while (frame && frame->kind == FrameKind::position) frame = run_.read_one();
    ASSERT_FALSE(frame.has_value());
    EXPECT_NE(frame.error().what.find("cannot be followed"), std::string::npos);
}

TEST_P(PostgresPartitions, WithoutAKey) {
    sql("CREATE TABLE f (a int, v text) PARTITION BY LIST (a); "
        "CREATE TABLE f1 PARTITION OF f FOR VALUES IN (1); ALTER TABLE f REPLICA IDENTITY FULL; "
        "INSERT INTO f VALUES (1, 'a'), (1, 'a')");
    run_.config.tables = {"f"};
    expect_refused("another replica identity than the table: public.f1",
                   "ALTER TABLE \"public\".\"f1\" REPLICA IDENTITY FULL");
    sql("ALTER TABLE f1 REPLICA IDENTITY FULL");
    EXPECT_EQ(run_.start(), (Texts{"S 1|a", "S 1|a"}));
    sql("UPDATE f SET v = 'b'; DELETE FROM f");
    EXPECT_EQ(rows(), (Texts{"U 1|b (1|a)", "U 1|b (1|a)", "D 1|b", "D 1|b"}));
    sql("CREATE TABLE f2 PARTITION OF f FOR VALUES IN (2)");
    run_.close();
    const auto opened = open_at_last();
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().what.find("public.f2"), std::string::npos) << opened.error().what;
}

TEST_P(PostgresPartitions, NewOnesAreTaken) {
    run_.start();
    sql("CREATE TABLE p4 PARTITION OF p FOR VALUES FROM (40) TO (50); INSERT INTO p VALUES (41, 'a')");
    EXPECT_EQ(rows(), Texts{"I 41|a"});
    EXPECT_TRUE(look().has_value());
    sql("CREATE TABLE p5 (LIKE p INCLUDING ALL); "
        "ALTER TABLE p ATTACH PARTITION p5 FOR VALUES FROM (50) TO (60)");
    sql("INSERT INTO p VALUES (51, 'b')");
    EXPECT_EQ(rows(), Texts{"I 51|b"});
    EXPECT_TRUE(look().has_value());
    run_.close();
    sql("CREATE TABLE p2b PARTITION OF p2 FOR VALUES FROM (20) TO (30); INSERT INTO p VALUES (21, 'c')");
    const auto opened = open_at_last();
    ASSERT_TRUE(opened.has_value()) << opened.error().what;
    EXPECT_EQ(rows(), Texts{"I 21|c"});
}

TEST_P(PostgresPartitions, AttachedWithRows) {
    run_.start();
    sql("CREATE TABLE p4 (LIKE p INCLUDING ALL)");
    sql("INSERT INTO p4 VALUES (41, 'not sent')");
    sql("ALTER TABLE p ATTACH PARTITION p4 FOR VALUES FROM (40) TO (50)");
    sql("INSERT INTO p VALUES (42, 'sent')");
    EXPECT_EQ(rows(), sent_of_attached());
    expect_noticed("partition \"public\".\"p4\" was attached with rows");
    run_.forget_schema("p");
    ASSERT_TRUE(open_at_last().has_value());
    const auto image = run_.take_image({.generation = 2, .tables = {{"public", "p"}},
                                        .is_anew = false});
    ASSERT_TRUE(image.has_value()) << image.error().what;
    EXPECT_EQ(image->size(), 5U);
}

TEST_P(PostgresPartitions, MadeFilledAndAttachedInOneTransaction) {
    run_.start();
    sql("BEGIN; CREATE TABLE p4 (LIKE p INCLUDING ALL); INSERT INTO p4 VALUES (41, 'not sent'); "
        "ALTER TABLE p ATTACH PARTITION p4 FOR VALUES FROM (40) TO (50); "
        "INSERT INTO p VALUES (42, 'sent'); COMMIT");
    EXPECT_EQ(rows(), sent_of_attached());
    expect_noticed("partition \"public\".\"p4\" was attached with rows");
}

TEST_P(PostgresPartitions, Detached) {
    run_.start();
    sql("ALTER TABLE p2 DETACH PARTITION p2a");
    expect_noticed("partition \"public\".\"p2a\" was detached");
    // The rows that it had are in it again, and what happened to them was not sent.
    sql("UPDATE p2a SET v = 'not sent'; ALTER TABLE p2 ATTACH PARTITION p2a FOR VALUES FROM (10) TO (20)");
    const auto opened = open_at_last();
    ASSERT_FALSE(opened.has_value());
    EXPECT_NE(opened.error().what.find("attached with rows"), std::string::npos);
}

TEST_P(PostgresPartitions, Dropped) {
    run_.start();
    sql("DROP TABLE p2");
    expect_noticed("a partition was dropped");
}

TEST_P(PostgresPartitions, WhatCannotBeCapturedIsRefused) {
    sql("CREATE UNLOGGED TABLE p4 PARTITION OF p FOR VALUES FROM (40) TO (50)");
    expect_refused("partition public.p4 of public.p is unlogged", "SET LOGGED");
    sql("DROP TABLE p4; CREATE PUBLICATION mine FOR TABLE p, other");
    run_.config.publication = "mine";
    expect_refused("as those of their partitions",
                   "ALTER PUBLICATION \"mine\" SET (publish_via_partition_root = true)");
    sql("ALTER PUBLICATION mine SET (publish_via_partition_root = true)");
    EXPECT_TRUE(run_.open().has_value());
    run_.config.tables = {"p1", "other"};
    sql("ALTER PUBLICATION mine ADD TABLE p1");
    expect_refused("the rows of public.p1 as those of public.p", "publish_via_partition_root = false");
    run_.config.tables = {"p", "p1"};
    expect_refused("a partition beside its table: public.p1 and public.p", "Remove the partition");
}

TEST_P(PostgresPartitions, TableInsteadOfItsPartitions) {
    run_.config.tables = {"p1", "other"};
    EXPECT_EQ(run_.start(), Texts{"S 1|a"});
    sql("INSERT INTO p VALUES (2, 'b')");
    EXPECT_EQ(rows(), Texts{"I 2|b"});
    EXPECT_TRUE(look().has_value());
    run_.close();
    run_.config.tables = {"public.*"};
    ASSERT_TRUE(open_at_last().has_value());
    EXPECT_EQ(sql("SELECT count(*) FROM pg_publication_tables WHERE tablename = 'p1'"), "0");
    const auto image = run_.take_image({.generation = 2, .tables = {{"public", "p"}},
                                        .is_anew = false});
    ASSERT_TRUE(image.has_value()) << image.error().what;
    EXPECT_EQ(image->size(), 4U);
    sql("INSERT INTO p VALUES (3, 'c')");
    const auto changes = rows();
    ASSERT_FALSE(changes.empty());
    EXPECT_EQ(changes.back(), "I 3|c");
}

INSTANTIATE_TEST_SUITE_P(All, PostgresPartitions, testing::Values(14, 15, 18),
                         [](const auto& one) { return std::to_string(one.param); });

}  // namespace

}  // namespace leat::live
