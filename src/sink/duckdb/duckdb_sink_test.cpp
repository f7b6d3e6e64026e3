// The sink as the lane sees it: rows of every kind, progress, and starting again.
#include "sink/duckdb/duckdb_sink.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sink/duckdb/sink_fixture.hpp"

namespace leat {
namespace {

using namespace fixture;

const auto orders = keyed_table(
    "orders", {{"id", arrow::int64()}, {"note", arrow::utf8()}, {"amount", arrow::float64()}});

TEST(DuckDbSink, NewFileIsEmptyAndProgressComesBack) {
    const Folder folder;
    SinkFixture sink(folder);
    EXPECT_FALSE(sink.open().has_value());
    sink.apply(BatchFixture(orders)
                   .insert({1, "a long note beyond twelve bytes", 1.5})
                   .insert({2, nullptr, 2}));
    EXPECT_EQ(sink.rows("SELECT * FROM orders ORDER BY id"),
              (Lines{"1|a long note beyond twelve bytes|1.5", "2|∅|2.0"}));
    sink.close();
    SinkFixture again(folder);
    EXPECT_EQ(again.open(), progress_at(1));
    EXPECT_EQ(again.rows("SELECT count(*) FROM orders"), Lines{"2"});
}

TEST(DuckDbSink, UncommittedEpochIsGone) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(orders).insert({1, "a", 1}));
    sink.write(BatchFixture(orders).insert({2, "b", 1}));
    sink.close();
    SinkFixture again(folder);
    EXPECT_EQ(again.open(), progress_at(1));
    again.write(BatchFixture(orders).insert({3, "c", 1}));
    EXPECT_EQ(again.open(), progress_at(1));  // discards as well
    again.commit();
    EXPECT_EQ(again.rows("SELECT id FROM orders"), Lines{"1"});
}

TEST(DuckDbSink, UpdatesDeletesKeyChangesAndSwaps) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(
        BatchFixture(orders).insert({1, "one", 1}).insert({2, "two", 2}).insert({3, "three", 3}));
    sink.apply(BatchFixture(orders, 2).update({1, "ONE", 1}).remove({3}).insert({4, "four", 4}));
    EXPECT_EQ(sink.rows("SELECT id, note FROM orders ORDER BY id"),
              (Lines{"1|ONE", "2|two", "4|four"}));
    sink.apply(BatchFixture(orders, 3)
                   .move({1}, {99, "ONE", 1})
                   .move({2}, {1, "two", 2})
                   .move({99}, {2, "ONE", 1}));
    EXPECT_EQ(sink.rows("SELECT id, note FROM orders ORDER BY id"),
              (Lines{"1|two", "2|ONE", "4|four"}));
    sink.apply(BatchFixture(orders, 4).remove({4}).insert({4, "again", 4}));
    EXPECT_EQ(sink.rows("SELECT id, note FROM orders WHERE id = 4"), Lines{"4|again"});
}

TEST(DuckDbSink, PartialRowsTakeTheRestFromTheirBase) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(orders)
                   .insert({1, "big", 1})
                   .insert({2, "bigger", 2})
                   .insert({3, nullptr, 3}));
    sink.apply(BatchFixture(orders, 2)
                   .update({1, unsent, 10})
                   .move({2}, {20, unsent, 22})
                   .update({3, unsent, 33}));
    EXPECT_EQ(sink.rows("SELECT id, note, amount FROM orders ORDER BY id"),
              (Lines{"1|big|10.0", "3|∅|33.0", "20|bigger|22.0"}));
    // swap of keys, both partial
    sink.apply(BatchFixture(orders, 3)
                   .move({1}, {5, unsent, 1})
                   .move({20}, {1, unsent, 2})
                   .move({5}, {20, unsent, 3}));
    EXPECT_EQ(sink.rows("SELECT id, note, amount FROM orders ORDER BY id"),
              (Lines{"1|bigger|2.0", "3|∅|33.0", "20|big|3.0"}));
}

TEST(DuckDbSink, PartialRowWithoutBaseIsPoisonAndNothingOfItsEpochStays) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(orders).insert({1, "a", 1}));
    sink.write(BatchFixture(orders, 2).update({1, "b", 1}).update({7, unsent, 10}));
    const auto failed = sink->commit(progress_at(2));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().fault, Fault::poison);
    EXPECT_NE(failed.error().what.find("public.orders"), std::string::npos);
    EXPECT_EQ(sink.open(), progress_at(1));
    EXPECT_EQ(sink.rows("SELECT id, note FROM orders"), Lines{"1|a"});
}

TEST(DuckDbSink, TruncateEmptiesAndWhatFollowsStays) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(orders).insert({1, "a", 1}).insert({2, "b", 2}));
    sink.apply(BatchFixture(orders, 2).update({1, "x", 1}).truncate().insert({2, "c", 3}));
    EXPECT_EQ(sink.rows("SELECT id, note FROM orders"), Lines{"2|c"});
    sink.apply(BatchFixture(orders, 3).truncate());
    EXPECT_EQ(sink.rows("SELECT count(*) FROM orders"), Lines{"0"});
}

TEST(DuckDbSink, FullRowTablesKeepExactMultiplicity) {
    const auto log = full_row_table(
        "log",
        {{"line", arrow::utf8()}, {"x", arrow::float64()}, {"tags", arrow::list(arrow::utf8())}});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    BatchFixture rows(log);
    for (int i = 0; i < 5; ++i) rows.insert({"same", nullptr, nullptr});
    rows.insert({nullptr, std::nan(""), nullptr}).insert({nullptr, std::nan(""), nullptr});
    rows.insert({"zero", 0.0, nullptr}).insert({"zero", -0.0, nullptr});
    sink.apply(rows);
    EXPECT_EQ(sink.rows("SELECT x FROM log WHERE line = 'zero' ORDER BY rowid"),
              (Lines{"0.0", "-0.0"}));
    sink.apply(BatchFixture(log, 2)
                   .remove({"same", nullptr, nullptr})
                   .remove({"same", nullptr, nullptr})
                   .remove({nullptr, std::nan(""), nullptr})
                   .remove({"zero", 0.0, nullptr})
                   .move({"same", nullptr, nullptr}, {"other", 1, nullptr}));
    EXPECT_EQ(
        sink.rows(
            "SELECT line, (x + 0.0)::VARCHAR AS x, count(*) FROM log GROUP BY ALL ORDER BY ALL"),
        (Lines{"other|1.0|1", "same|∅|2", "zero|0.0|1", "∅|nan|1"}));
    sink.write(BatchFixture(log, 3).remove({"never", 1, nullptr}));
    const auto failed = sink->commit(progress_at(9));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().fault, Fault::fatal);
}

TEST(DuckDbSink, ManyTablesCommitTogether) {
    const auto customers = keyed_table("customers", {{"id", arrow::int32()}});
    const auto events = append_only_table("events", {{"n", arrow::int64()}});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    for (int i = 0; i < 20; ++i) {
        sink.write(BatchFixture(orders, 1).insert({i, "x", 1}));
        sink.write(BatchFixture(customers, 1).insert({i}));
        sink.write(BatchFixture(events, 1).insert({7}));
        sink.write(BatchFixture(orders, 2).update({i, "y", 1}));
    }
    EXPECT_EQ(sink.rows("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'orders'"),
              Lines{"0"});
    sink.commit();
    EXPECT_EQ(
        sink.rows("SELECT (SELECT count(*) FROM orders WHERE note = 'y'), (SELECT count(*) FROM "
                  "customers), (SELECT sum(n) FROM events)"),
        Lines{"20|20|140"});
}

TEST(DuckDbSink, SafeFollowsTheCheckpoint) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    EXPECT_TRUE(sink.write(BatchFixture(orders).insert({1, "a", 1})).empty());
    EXPECT_EQ(sink.commit(), std::nullopt);
    EXPECT_EQ(must(sink->settle(Rest::last)), progress_at(1).offsets);
    sink.apply(BatchFixture(orders, 2).insert({2, "a", 1}));
    EXPECT_EQ(must(sink->settle(Rest::idle)), progress_at(1).offsets);  // too soon after the last
    sink.clock().advance(std::chrono::seconds(60));
    EXPECT_EQ(must(sink->settle(Rest::idle)), progress_at(2).offsets);
    sink.close();
    SinkFixture again(folder);
    again.open();
    EXPECT_EQ(must(again->settle(Rest::last)), progress_at(2).offsets);
}

TEST(DuckDbSink, OlderCopyOfTheFileSaysWhereItStands) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(orders).insert({1, "a", 1}));
    must(sink->settle(Rest::last));
    sink.close();
    const auto copy = folder.path() / "copy";
    std::filesystem::copy(folder.database(), copy);
    {
        SinkFixture later(folder);
        later.open();
        later.write(BatchFixture(orders, 2).update({1, "b", 1}).insert({2, "x", 1}));
        must(later->commit(progress_at(2)));
        must(later->settle(Rest::last));
    }
    std::filesystem::copy(copy, folder.database(),
                          std::filesystem::copy_options::overwrite_existing);
    SinkFixture replayed(folder);
    EXPECT_EQ(replayed.open(2), progress_at(1));
    replayed.write(BatchFixture(orders, 2).update({1, "b", 1}).insert({2, "x", 1}));
    must(replayed->commit(progress_at(2, 2)));
    EXPECT_EQ(replayed.rows("SELECT id, note FROM orders ORDER BY id"), (Lines{"1|b", "2|x"}));
}

}  // namespace
}  // namespace leat
