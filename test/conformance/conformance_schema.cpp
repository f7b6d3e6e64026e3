// A table that changes while its rows are on their way.
#include <arrow/scalar.h>

#include "conformance/sink_conformance.hpp"

namespace leat::conformance {

namespace {

using fixture::BatchFixture;
using fixture::unsent;

// Versions of one table: id and note, then what a test adds.
auto version(std::uint64_t number, fixture::Columns columns) -> SchemaPtr {
    auto schema = std::make_shared<TableSchema>(*fixture::keyed_table("t", columns));
    schema->version = number;
    return schema;
}

auto column(const char* name, std::int32_t id, std::shared_ptr<arrow::DataType> type,
            std::shared_ptr<arrow::Scalar> default_value = nullptr) -> Column {
    Column made;
    made.name = name;
    made.id = id;
    made.type = std::move(type);
    made.default_value = std::move(default_value);
    return made;
}

const auto id_column = column("id", 1, arrow::int64());
const auto note = column("note", 2, arrow::utf8());
const auto score = column("score", 3, arrow::int32(), arrow::MakeScalar(std::int32_t{7}));
const auto label = column("label", 4, arrow::utf8(), arrow::MakeScalar(std::string("it's new")));
const auto new_note = column("note", 5, arrow::utf8());

TEST_P(SinkConformance, AddedColumnsGetTheirDefaultInRowsThatExist) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note})).insert({1, "a"}));
        sink.apply(
            2,
            BatchFixture(version(2, {id_column, note, score, label})).insert({2, "b", 9, nullptr}));
    });
    EXPECT_EQ(lines("t", {"id", "note", "score", "label"}), (Lines{"1|a|7|it's new", "2|b|9|∅"}));
}

TEST_P(SinkConformance, AddedColumnWithoutDefaultIsNull) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column})).insert({1}));
        sink.apply(2, BatchFixture(version(2, {id_column, note})).insert({2, "b"}));
    });
    EXPECT_EQ(lines("t", {"id", "note"}), (Lines{"1|∅", "2|b"}));
}

TEST_P(SinkConformance, DroppedColumnStaysAndIsNullFromThenOn) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note, score})).insert({1, "a", 1}));
        sink.apply(2, BatchFixture(version(2, {id_column, score})).insert({2, 2}).update({1, 3}));
    });
    EXPECT_EQ(lines("t", {"id", "note", "score"}), (Lines{"1|∅|3", "2|∅|2"}));
}

TEST_P(SinkConformance, ColumnOfTheSameNameAndAnotherIdIsAnotherColumn) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note})).insert({1, "old"}));
        sink.apply(2, BatchFixture(version(2, {id_column, new_note})).insert({2, "new"}));
    });
    EXPECT_EQ(lines("t", {"id", "note"}), (Lines{"1|∅", "2|new"}));
}

TEST_P(SinkConformance, ColumnDroppedAndAddedAgainIsEmptyInOldRows) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note})).insert({1, "old"}));
        sink.apply(2, BatchFixture(version(2, {id_column})).insert({2}));
        sink.apply(3, BatchFixture(version(3, {id_column, new_note})).insert({3, "new"}));
    });
    EXPECT_EQ(lines("t", {"id", "note"}), (Lines{"1|∅", "2|∅", "3|new"}));
}

TEST_P(SinkConformance, RenamedColumnKeepsItsValues) {
    const auto renamed = column("remark", 2, arrow::utf8());
    session([&](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note})).insert({1, "a"}).insert({2, "b"}));
        // In the middle of an epoch.
        sink.write(BatchFixture(version(1, {id_column, note})).update({1, "A"}));
        sink.write(BatchFixture(version(2, {id_column, renamed})).insert({3, "c"}).remove({2}));
        sink.commit(2);
    });
    EXPECT_EQ(lines("t", {"id", "remark"}), (Lines{"1|A", "3|c"}));
}

TEST_P(SinkConformance, ColumnsMayExchangeTheirNames) {
    const auto other = column("other", 3, arrow::utf8());
    const auto note_now = column("note", 3, arrow::utf8());
    const auto other_now = column("other", 2, arrow::utf8());
    session([&](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note, other})).insert({1, "n", "o"}));
        sink.write(BatchFixture(version(1, {id_column, note, other})).insert({2, "n", "o"}));
        sink.write(BatchFixture(version(2, {id_column, other_now, note_now})).insert({3, "o", "n"}));
        sink.commit(2);
    });
    EXPECT_EQ(lines("t", {"id", "note", "other"}), (Lines{"1|o|n", "2|o|n", "3|n|o"}));
}

TEST_P(SinkConformance, RenamedColumnAndANewOneOfItsFormerName) {
    const auto renamed = column("remark", 2, arrow::utf8());
    session([&](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note})).insert({1, "a"}));
        sink.apply(2, BatchFixture(version(2, {id_column, renamed, new_note})).insert({2, "b", "c"}));
    });
    EXPECT_EQ(lines("t", {"id", "remark", "note"}), (Lines{"1|a|∅", "2|b|c"}));
}

TEST_P(SinkConformance, WidenedTypesKeepEveryValue) {
    const auto narrow = version(1, {id_column, column("i", 2, arrow::int32()),
                                    column("f", 3, arrow::float32())});
    const auto wide = version(2, {id_column, column("i", 2, arrow::int64()),
                                  column("f", 3, arrow::float64())});
    session([&](Session& sink) {
        sink.apply(1, BatchFixture(narrow).insert({1, -5, 0.5}).insert({2, nullptr, nullptr}));
        sink.write(BatchFixture(narrow).insert({3, 7, 0.25}).update({2, 6, unsent}));
        sink.write(BatchFixture(wide)
                       .insert({4, std::int64_t{1} << 40, 0.1})
                       .update({1, unsent, 1.5}));
        sink.commit(2);
    });
    EXPECT_EQ(lines("t", {"id", "i", "f"}),
              (Lines{"1|-5|1.5", "2|6|∅", "3|7|0.25", "4|1099511627776|0.1"}));
}

TEST_P(SinkConformance, SchemaChangesInTheMiddleOfAnEpoch) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note}))
                          .insert({1, "a"})
                          .insert({2, "b"})
                          .insert({3, "c"}));
        // One epoch, as one source transaction could be: rows before, between and after three
        // changes of the table, with updates and deletes in front of each.
        sink.write(BatchFixture(version(1, {id_column, note}))
                       .update({1, "A"})
                       .remove({2})
                       .insert({4, "d"}));
        sink.write(BatchFixture(version(2, {id_column, note, score}))
                       .update({1, unsent, 10})
                       .insert({5, "e", 50})
                       .remove({3}));
        sink.write(BatchFixture(version(3, {id_column, score})).update({5, 55}).insert({6, 60}));
        sink.write(BatchFixture(version(4, {id_column, score, new_note}))
                       .update({4, 40, "D"})
                       .move({6}, {7, unsent, "G"}));
        sink.commit(2);
    });
    EXPECT_EQ(lines("t", {"id", "score", "note"}), (Lines{"1|10|∅", "4|40|D", "5|55|∅", "7|60|G"}));
}

TEST_P(SinkConformance, SchemaChangeWithoutRowsIsKept) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column})).insert({1}));
        EXPECT_TRUE(sink->evolve(version(2, {id_column, score})));
        sink.commit(2);
    });
    EXPECT_EQ(lines("t", {"id", "score"}), (Lines{"1|7"}));
}

TEST_P(SinkConformance, SchemaChangeOfADiscardedEpochIsMadeAgain) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note})).insert({1, "a"}));
        sink.write(BatchFixture(version(2, {id_column, note, score})).insert({2, "b", 2}));
    });
    session([](Session& sink) {
        sink.write(BatchFixture(version(2, {id_column, note, score})).insert({2, "b", 2}));
        sink.commit(2);
    });
    EXPECT_EQ(lines("t", {"id", "note", "score"}), (Lines{"1|a|7", "2|b|2"}));
}

// An image with columns that changes taken in meanwhile do not have yet, and a restart between them.
TEST_P(SinkConformance, RowsOfAnEarlierVersionBecomeThoseOfTheTables) {
    const auto as_json = [] {
        auto made = column("note", 2, arrow::utf8());
        made.logical_type = "json";
        return made;
    }();
    const auto wide = column("score", 3, arrow::int64());
    const auto narrow = version(1, {id_column, note});
    session([&](Session& sink) {
        sink.apply(1, BatchFixture(version(2, {id_column, as_json, wide})).insert({1, "\"a\"", 5}));
    });
    session([&](Session& sink) {
        sink.apply(2, BatchFixture(narrow).insert({2, "b"}).update({1, "A"}));
        sink.apply(3, BatchFixture(version(2, {id_column, as_json, wide})).insert({3, "{}", 7}));
        sink.apply(4, BatchFixture(narrow).insert({4, "d"}));
        // What a partial row does not know of stays.
        sink.apply(5, BatchFixture(narrow).update({3, unsent}));
    });
    EXPECT_EQ(lines("t", {"id", "note", "score"}),
              (Lines{"1|\"A\"|∅", "2|\"b\"|∅", "3|{}|7", "4|\"d\"|∅"}));
}

TEST_P(SinkConformance, RepeatedSchemaChangesNothing) {
    for (std::uint64_t epoch = 1; epoch <= 3; ++epoch)
        session([&](Session& sink) {
            sink.apply(epoch, BatchFixture(version(2, {id_column, note, score}))
                                  .insert({static_cast<int>(epoch), "x", 1}));
        });
    EXPECT_EQ(lines("t", {"id", "note", "score"}), (Lines{"1|x|1", "2|x|1", "3|x|1"}));
}

auto copy_of(Generation generation, std::uint64_t number, fixture::Columns columns) -> SchemaPtr {
    auto schema = std::make_shared<TableSchema>(*version(number, std::move(columns)));
    schema->generation = generation;
    return schema;
}
auto filled_for(Generation generation, fixture::Columns columns) -> SchemaPtr {
    return copy_of(generation, 1, std::move(columns));
}
auto live(std::uint64_t number, fixture::Columns columns) -> SchemaPtr {
    return copy_of(0, number, std::move(columns));
}

TEST_P(SinkConformance, AnotherGenerationIsFilledBesideTheLiveTableAndSwappedIn) {
    const auto all = [](const TableName&) { return true; };
    const auto old_rows = Lines{"1|old", "2|old", "3|old"};
    session([&](Session& sink) {
        sink.apply(
            1, BatchFixture(live(3, {id_column, note})).insert({1, "old"}).insert({2, "old"}));
        sink.write(BatchFixture(live(3, {id_column, note})).insert({3, "old"}));
        sink.write(BatchFixture(filled_for(2, {id_column, note, score})).snapshot({2, "given up", 2}));
        sink.commit(2);
    });
    EXPECT_EQ(lines("t", {"id", "note"}), old_rows);
    session([&](Session& sink) {
        // The rows of generation 2 make way, also those of this epoch.
        sink.write(BatchFixture(filled_for(2, {id_column, note, score})).snapshot({3, "given up", 2}));
        sink.write(BatchFixture(filled_for(3, {id_column, note, score})).snapshot({2, "image", 2}));
        sink.commit(3);
        ASSERT_TRUE(sink->adopt(3, [](const TableName&) { return false; }));
        sink.commit(4);
    });
    EXPECT_EQ(lines("t", {"id", "note"}), old_rows);
    session([&](Session& sink) {
        sink.write(BatchFixture(filled_for(3, {id_column, note, score})).update({2, "changed", 3}));
        sink.commit(5);
        ASSERT_TRUE(sink->adopt(3, all));
        sink.commit(6);
        sink.write(BatchFixture(live(4, {id_column, note, score})).insert({4, "live", 4}));
        sink.commit(7);
    });
    EXPECT_EQ(lines("t", {"id", "note", "score"}), (Lines{"2|changed|3", "4|live|4"}));
}

TEST_P(SinkConformance, ASwapThatIsNotCommittedIsNotMade) {
    session([&](Session& sink) {
        sink.apply(1, BatchFixture(live(1, {id_column, note})).insert({1, "old"}));
        sink.write(BatchFixture(filled_for(2, {id_column, note})).snapshot({2, "image"}));
        sink.commit(2);
        ASSERT_TRUE(sink->adopt(2, [](const TableName&) { return true; }));
    });
    EXPECT_EQ(lines("t", {"id", "note"}), (Lines{"1|old"}));
    session([&](Session& sink) {
        sink.apply(3, BatchFixture(live(1, {id_column, note})).insert({5, "live"}));
    });
    EXPECT_EQ(lines("t", {"id", "note"}), (Lines{"1|old", "5|live"}));
}

TEST_P(SinkConformance, ChangeThatTheTargetCannotFollowNamesTableAndColumn) {
    session([](Session& sink) {
        sink.apply(1, BatchFixture(version(1, {id_column, note})).insert({1, "a"}));
        auto changed = note;
        changed.type = arrow::list(arrow::int32());
        const auto evolved = sink->evolve(version(2, {id_column, changed}));
        ASSERT_FALSE(evolved);
        EXPECT_EQ(evolved.error().fault, Fault::fatal);
        const auto said = evolved.error().what + evolved.error().context;
        EXPECT_NE(said.find("note"), std::string::npos) << said;
        EXPECT_NE(said.find("public.t"), std::string::npos) << said;
    });
    EXPECT_EQ(lines("t", {"id", "note"}), (Lines{"1|a"}));
}

}  // namespace

}  // namespace leat::conformance
