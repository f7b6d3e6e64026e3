// Changes of every kind, as they must show in the target.
#include "conformance/sink_conformance.hpp"

namespace leat::conformance {

namespace {

using fixture::BatchFixture;
using fixture::unsent;

const std::vector<std::string> all_columns = {"id", "note", "amount"};

auto orders() -> SchemaPtr {
    static const auto schema = fixture::keyed_table(
        "orders", {{"id", arrow::int64()}, {"note", arrow::utf8()}, {"amount", arrow::float64()}});
    return schema;
}

auto events() -> SchemaPtr {
    static const auto schema =
        fixture::full_row_table("events", {{"line", arrow::utf8()}, {"x", arrow::float64()}});
    return schema;
}

TEST_P(SinkConformance, InsertsUpdatesReplacesAndDeletes) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(orders()).snapshot({1, "a", 1}).insert({2, "b", 2}));
        sink.apply(
            2, BatchFixture(orders()).update({1, "A", nullptr}).remove({2}).replace({3, "c", 3}));
        sink.apply(3, BatchFixture(orders()).replace({3, "C", 4}).insert({2, nullptr, 5}));
    });
    EXPECT_EQ(lines("orders", all_columns), (Lines{"1|A|∅", "2|∅|5", "3|C|4"}));
}

TEST_P(SinkConformance, ManyChangesOfOneKeyInOneEpoch) {
    session([](Session& sink) {
        sink.write(BatchFixture(orders(), 1).insert({1, "a", 1}).remove({1}).insert({1, "b", 2}));
        sink.write(BatchFixture(orders(), 2).update({1, "c", 3}).insert({2, "x", 1}).remove({2}));
        sink.commit(1);
        sink.apply(2, BatchFixture(orders(), 3).remove({1}).insert({1, "again", 4}));
    });
    EXPECT_EQ(lines("orders", all_columns), (Lines{"1|again|4"}));
}

TEST_P(SinkConformance, KeyChangesChainsAndSwaps) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(orders())
                          .insert({1, "one", 1})
                          .insert({2, "two", 2})
                          .insert({3, "three", 3}));
        sink.apply(2, BatchFixture(orders())
                          .move({1}, {-1, "one", 1})
                          .move({2}, {1, "two", 2})
                          .move({-1}, {2, "one", 1})
                          .move({3}, {4, "three", 3})
                          .move({4}, {5, "three", 3}));
    });
    EXPECT_EQ(lines("orders", all_columns), (Lines{"1|two|2", "2|one|1", "5|three|3"}));
}

TEST_P(SinkConformance, PartialRowsKeepWhatTheTargetHolds) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(orders())
                          .insert({1, "large one", 1})
                          .insert({2, "large two", 2})
                          .insert({3, nullptr, 3}));
        // Swapped keys, each row keeps its own note; a partial row on one of the same epoch.
        sink.write(BatchFixture(orders(), 1)
                       .move({1}, {9, unsent, 10})
                       .move({2}, {1, unsent, 20})
                       .move({9}, {2, unsent, 30}));
        sink.write(BatchFixture(orders(), 2)
                       .update({3, unsent, 33})
                       .insert({4, "fresh", 4})
                       .update({4, unsent, 44}));
        sink.commit(2);
    });
    EXPECT_EQ(lines("orders", all_columns),
              (Lines{"1|large two|20", "2|large one|30", "3|∅|33", "4|fresh|44"}));
}

TEST_P(SinkConformance, PartialRowWithoutBaseIsNeverWrittenAsNull) {
    session([](Session& sink) { sink.apply(1, BatchFixture(orders()).insert({1, "a", 1})); });
    session([](Session& sink) {
        EXPECT_TRUE(sink->evolve(orders()));
        const auto written = sink->write(BatchFixture(orders()).update({7, unsent, 7}).build());
        // Refused at once or by the commit; either way nothing of it is in the target.
        const bool accepted = written && written.value().empty();
        EXPECT_FALSE(accepted && sink->commit(progress_at(2)));
    });
    EXPECT_EQ(lines("orders", all_columns), (Lines{"1|a|1"}));
}

TEST_P(SinkConformance, TruncateEmptiesAndWhatFollowsStays) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(orders()).insert({1, "a", 1}).insert({2, "b", 2}));
        sink.write(BatchFixture(orders(), 1).update({1, "x", 1}).truncate().insert({2, "c", 3}));
        sink.write(BatchFixture(orders(), 2).update({2, unsent, 4}));
        sink.commit(2);
        sink.write(BatchFixture(events(), 3).insert({"a", 1}).truncate());
        sink.write(BatchFixture(events(), 4).insert({"b", 1}));
        sink.commit(3);
    });
    EXPECT_EQ(lines("orders", all_columns), (Lines{"2|c|4"}));
    EXPECT_EQ(lines("events", {"line", "x"}), (Lines{"b|1"}));
}

TEST_P(SinkConformance, RowsWithoutKeyKeepTheirMultiplicity) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    session([&](Session& sink) {
        BatchFixture rows(events());
        for (int i = 0; i < 4; ++i) rows.insert({"same", nullptr});
        rows.insert({nullptr, nan})
            .insert({nullptr, nan})
            .insert({"zero", 0.0})
            .insert({"zero", -0.0});
        sink.apply(1, rows);
        sink.apply(2, BatchFixture(events())
                          .remove({"same", nullptr})
                          .move({"same", nullptr}, {"other", 1})
                          .remove({nullptr, nan})
                          .remove({"zero", -0.0})
                          .insert({"same", nullptr}));
    });
    EXPECT_EQ(lines("events", {"line", "x"}),
              (Lines{"other|1", "same|∅", "same|∅", "same|∅", "zero|0", "∅|nan"}));
}

// A target may lose the sign of a zero when it writes its file; the row is found all the same.
TEST_P(SinkConformance, ZerosOfEitherSignAreFoundAgain) {
    session([](Session& sink) {
        BatchFixture rows(events());
        for (int i = 0; i < 2; ++i) rows.insert({"zero", 0.0}).insert({"zero", -0.0});
        rows.insert({"one", 1.0});
        sink.apply(1, rows);
        sink.settle(Rest::last);
    });
    session([](Session& sink) {
        sink.apply(2, BatchFixture(events())
                          .remove({"zero", 0.0})
                          .remove({"zero", -0.0})
                          .remove({"zero", -0.0}));
        sink.settle(Rest::last);
    });
    EXPECT_EQ(lines("events", {"line", "x"}), (Lines{"one|1", "zero|0"}));
}

TEST_P(SinkConformance, AppendOnlyTableKeepsEveryRow) {
    const auto log = fixture::append_only_table("log", {{"n", arrow::int32()}});
    session([&](Session& sink) {
        for (std::uint64_t epoch = 1; epoch <= 3; ++epoch)
            sink.apply(epoch, BatchFixture(log).insert({7}).insert({7}));
    });
    EXPECT_EQ(lines("log", {"n"}), Lines(6, "7"));
}

TEST_P(SinkConformance, CompositeAndTextKeysAreNotMixedUp) {
    const auto pairs = fixture::keyed_table(
        "pairs", {{"v", arrow::int32()}, {"a", arrow::utf8()}, {"b", arrow::utf8()}}, {2, 1});
    session([&](Session& sink) {
        sink.apply(1, BatchFixture(pairs)
                          .insert({1, "ab", "c"})
                          .insert({2, "a", "bc"})
                          .insert({3, "", "abc"})
                          .insert({4, "it's", "\"x\""}));
        // Identity values stand in key order: b, then a.
        sink.apply(2, BatchFixture(pairs).remove({"bc", "a"}).update({5, "it's", "\"x\""}));
        sink.apply(3, BatchFixture(pairs).move({"abc", ""}, {6, "abc", ""}));
    });
    EXPECT_EQ(lines("pairs", {"v", "a", "b"}), (Lines{"1|ab|c", "5|it's|\"x\"", "6|abc|"}));
}

TEST_P(SinkConformance, PoisonRowsAreNamedBeforeAnyCollapseAndNothingOfTheBatchIsTaken) {
    const auto poison = target().poison();
    const auto table = fixture::keyed_table("poisoned", {{"id", arrow::int64()}, poison.column});
    const auto& column = poison.column.column.name;
    session([&](Session& sink) {
        sink.apply(1, BatchFixture(table).insert({3, nullptr}));
        // The second row would vanish in a collapse: it is judged all the same.
        const auto rejects = sink.write(BatchFixture(table)
                                            .insert({1, nullptr})
                                            .insert({2, poison.value})
                                            .remove({2})
                                            .update({3, poison.value})
                                            .insert({4, nullptr}));
        ASSERT_EQ(rejects.size(), 2U);
        EXPECT_EQ(rejects[0].row, 1);
        EXPECT_EQ(rejects[1].row, 3);
        EXPECT_EQ(rejects[0].column, column);
        EXPECT_FALSE(rejects[0].reason.empty());
        sink.write(BatchFixture(table).insert({4, nullptr}));
        sink.commit(2);
    });
    EXPECT_EQ(lines("poisoned", {"id", column}), (Lines{"3|∅", "4|∅"}));
}

}  // namespace

}  // namespace leat::conformance
