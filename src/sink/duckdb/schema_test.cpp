// Schemas that change: between epochs, in the middle of one, and what cannot be followed.
#include "sink/duckdb/schema.hpp"

#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include "sink/duckdb/sink_fixture.hpp"

namespace leat {
namespace {

using namespace fixture;

auto column(std::string name, std::shared_ptr<arrow::DataType> type, std::int32_t id,
            std::shared_ptr<arrow::Scalar> default_value = nullptr) -> Column {
    return {std::move(name), std::move(type), "", true, id, std::move(default_value)};
}
auto version(std::uint64_t number, const Columns& columns, Generation generation = 1) -> SchemaPtr {
    auto schema = table("t", columns);
    schema->key = {0};
    schema->version = number;
    schema->generation = generation;
    return schema;
}
auto text(const char* value) -> std::shared_ptr<arrow::Scalar> {
    return arrow::MakeScalar(std::string(value));
}

const auto id_column = column("id", arrow::int64(), 1);
const auto v1 = version(1, {id_column, column("a", arrow::utf8(), 2)});
const auto v2 = version(
    2, {id_column, column("a", arrow::utf8(), 2), column("b", arrow::utf8(), 3, text("it's new"))});
const auto v3 = version(3, {id_column, column("b", arrow::utf8(), 3, text("it's new"))});
// `a` again, another type and another id
const auto v4 =
    version(4, {id_column, column("b", arrow::utf8(), 3), column("a", arrow::int32(), 4)});

TEST(DuckDbSchema, AddedColumnBackfillsWhatExistsWithItsDefault) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(v1).insert({1, "x"}));
    sink.apply(BatchFixture(v2, 2).insert({2, "y", nullptr}).insert({3, "z", "own"}));
    EXPECT_EQ(sink.rows("SELECT id, a, b FROM t ORDER BY id"),
              (Lines{"1|x|it's new", "2|y|∅", "3|z|own"}));
}

TEST(DuckDbSchema, AllVersionsInOneEpochEqualOneEpochEach) {
    const auto play = [](bool each) {
        const Folder folder;
        SinkFixture sink(folder);
        sink.open();
        const auto step = [&](const BatchFixture& rows) {
            EXPECT_TRUE(sink.write(rows).empty());
            if (each) sink.commit();
        };
        step(BatchFixture(v1).insert({1, "x"}).insert({2, "x"}).insert({9, "gone"}));
        step(BatchFixture(v1, 2).update({2, "y"}).remove({9}));
        step(BatchFixture(v2, 3).insert({3, "z", "own"}).update({1, unsent, unsent}));
        step(BatchFixture(v3, 4).move({3}, {4, unsent}).insert({5, "five"}));
        step(BatchFixture(v4, 5).insert({6, "six", 66}).update({5, unsent, 55}));
        sink.commit();
        return sink.rows("SELECT id, b, a FROM t ORDER BY id");
    };
    const Lines expected{"1|it's new|∅", "2|it's new|∅", "4|own|∅", "5|five|55", "6|six|66"};
    EXPECT_EQ(play(true), expected);
    EXPECT_EQ(play(false), expected);
}

TEST(DuckDbSchema, DroppedColumnStaysAndIsNullInAllRows) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(v2).insert({1, "x", "b"}));
    sink.write(BatchFixture(v2, 2).insert({2, "y", "b"}));
    sink.apply(BatchFixture(v3, 3).insert({3, "b"}).update({1, "c"}));
    EXPECT_EQ(sink.rows("SELECT id, a, b FROM t ORDER BY id"), (Lines{"1|∅|c", "2|∅|b", "3|∅|b"}));
    sink.open();
    sink.apply(BatchFixture(v3, 4).insert({4, "d"}));
    EXPECT_EQ(sink.rows("SELECT id, a, b FROM t WHERE id = 4"), Lines{"4|∅|d"});
}

TEST(DuckDbSchema, DefaultsOfEveryTypeAndOfListsReachOldRows) {
    auto items = arrow::MakeBuilder(arrow::int32()).ValueOrDie();
    CHECK(items->AppendScalar(*arrow::MakeScalar(std::int32_t{7})).ok());
    const auto list = std::make_shared<arrow::ListScalar>(items->Finish().ValueOrDie());
    const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    auto json = column("j", arrow::utf8(), 9, text(R"({"k": "it's"})"));
    json.logical_type = "json";
    const auto wide =
        version(2, {id_column, column("a", arrow::utf8(), 2),
                    column("l", arrow::list(arrow::int32()), 3, list),
                    column("d", arrow::float64(), 4, arrow::MakeScalar(-0.0)),
                    column("ts", utc, 5,
                           std::make_shared<arrow::TimestampScalar>(
                               std::numeric_limits<std::int64_t>::max(), utc)),
                    column("day", arrow::date32(), 6, std::make_shared<arrow::Date32Scalar>(0)),
                    column("raw", arrow::binary(), 7,
                           std::make_shared<arrow::BinaryScalar>(
                               arrow::Buffer::FromString(std::string("\0'\\", 3)))),
                    column("yes", arrow::boolean(), 8, arrow::MakeScalar(true)), json});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(v1).insert({1, "x"}).insert({2, "y"}));
    sink.write(BatchFixture(v1, 2).insert({3, "z"}).remove({2}));
    sink.apply(BatchFixture(wide, 3).update(
        {1, "X", unsent, unsent, unsent, unsent, unsent, unsent, unsent}));
    const std::string rest = R"(|[7]|-0.0|infinity|1970-01-01|\x00\x27\x5C|true|{"k": "it's"})";
    EXPECT_EQ(sink.rows("SELECT * FROM t ORDER BY id"), (Lines{"1|X" + rest, "3|z" + rest}));
}

TEST(DuckDbSchema, RenamedAndWidenedColumnsInOneEpochEqualOneEpochEach) {
    auto amount = column("amount", arrow::decimal128(6, 3), 4,
                         arrow::MakeScalar(arrow::decimal128(6, 3), arrow::Decimal128(-5))
                             .ValueOrDie());
    const auto first = version(1, {id_column, column("a", arrow::int16(), 2),
                                   column("b", arrow::float32(), 3)});
    const auto second = version(2, {id_column, column("b", arrow::int32(), 2),
                                    column("a", arrow::float32(), 3), amount});
    auto text_amount = column("sum", arrow::utf8(), 4);
    text_amount.logical_type = "numeric";
    const auto third = version(3, {id_column, column("B", arrow::int64(), 2),
                                   column("c", arrow::float64(), 3), text_amount});
    const auto play = [&](bool each) {
        const Folder folder;
        SinkFixture sink(folder);
        sink.open();
        const auto step = [&](const BatchFixture& rows) {
            EXPECT_TRUE(sink.write(rows).empty());
            if (each) sink.commit();
        };
        step(BatchFixture(first).insert({1, 32767, 0.5}).insert({2, 2, 0.25}).insert({9, 9, 9.0}));
        step(BatchFixture(first, 2).update({2, 3, unsent}).remove({9}));
        const auto cent = arrow::MakeScalar(arrow::decimal128(6, 3), arrow::Decimal128(1))
                              .ValueOrDie();
        step(BatchFixture(second, 3).update({1, 70000, unsent, cent}).insert({3, 4, 1.5, nullptr}));
        step(BatchFixture(third, 4)
                 .insert({4, std::int64_t{5'000'000'000}, 0.1, "1e999"})
                 .update({3, unsent, 2.5, unsent}));
        sink.commit();
        const auto types = sink.rows(
            "SELECT string_agg(column_type, ' ') FROM (DESCRIBE SELECT id, b, c, sum FROM t)");
        EXPECT_EQ(types, Lines{"BIGINT BIGINT DOUBLE VARCHAR"});
        sink.open();  // what the file records is what the table is
        return sink.rows("SELECT id, b, c, sum FROM t ORDER BY id");
    };
    const Lines expected{"1|70000|0.5|0.001", "2|3|0.25|-0.005", "3|4|2.5|∅",
                         "4|5000000000|0.1|1e999"};
    EXPECT_EQ(play(true), expected);
    EXPECT_EQ(play(false), expected);
}

TEST(DuckDbSchema, RenameTakesTheNameOfADroppedColumn) {
    const auto renamed = version(4, {id_column, column("a", arrow::utf8(), 3)});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(v2).insert({1, "x", "b"}));
    sink.apply(BatchFixture(v3, 2).insert({2, "c"}));
    sink.apply(BatchFixture(renamed, 3).insert({3, "d"}));
    EXPECT_EQ(sink.rows("SELECT * FROM t ORDER BY id"), (Lines{"1|b", "2|c", "3|d"}));
}

TEST(DuckDbSchema, KeyAndBeforeImagesWiden) {
    const auto make = [](std::uint64_t number, RowIdentity identity, const char* name,
                         std::shared_ptr<arrow::DataType> type) {
        auto schema = table("k", {column(name, std::move(type), 1), column("v", arrow::utf8(), 2)});
        schema->identity = identity;
        if (identity == RowIdentity::key) schema->key = {0};
        schema->version = number;
        return SchemaPtr(schema);
    };
    for (const auto identity : {RowIdentity::key, RowIdentity::full_row}) {
        const auto narrow = make(1, identity, "k", arrow::int32());
        const auto wide = make(2, identity, "n", arrow::int64());
        const bool full = identity == RowIdentity::full_row;
        const Folder folder;
        SinkFixture sink(folder);
        sink.open();
        sink.apply(BatchFixture(narrow).insert({1, "x"}).insert({2, "y"}).insert({3, "z"}));
        sink.write(full ? BatchFixture(narrow, 2).remove({1, "x"}) : BatchFixture(narrow, 2).remove({1}));
        sink.apply(full ? BatchFixture(wide, 3).move({2, "y"}, {std::int64_t{1} << 40, "Y"})
                        : BatchFixture(wide, 3).move({2}, {std::int64_t{1} << 40, "Y"}));
        EXPECT_EQ(sink.rows("SELECT n, v FROM k ORDER BY n"), (Lines{"3|z", "1099511627776|Y"}));
    }
}

TEST(DuckDbSchema, FullRowTablesFollowToo) {
    const auto make = [](std::uint64_t number, const Columns& columns) {
        auto schema = table("log", columns);
        schema->identity = RowIdentity::full_row;
        schema->version = number;
        return SchemaPtr(schema);
    };
    const auto first = make(1, {column("a", arrow::utf8(), 1), column("b", arrow::utf8(), 2)});
    const auto second =
        make(2, {column("a", arrow::utf8(), 1),
                 column("c", arrow::int64(), 3, arrow::MakeScalar(std::int64_t{5}))});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(first)
                   .insert({"x", "1"})
                   .insert({"x", "1"})
                   .insert({"y", "2"})
                   .insert({"z", "3"}));
    sink.write(BatchFixture(first, 2).remove({"x", "1"}).move({"z", "3"}, {"zz", "3"}));
    sink.apply(BatchFixture(second, 3).remove({"y", 5}).insert({"w", 6}));
    EXPECT_EQ(sink.rows("SELECT a, b, c FROM log ORDER BY a"), (Lines{"w|∅|6", "x|∅|5", "zz|∅|5"}));
}

TEST(DuckDbSchema, NewGenerationBeginsEmpty) {
    const auto again = version(1, {id_column, column("other", arrow::boolean(), 2)}, 2);
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(v1).insert({1, "x"}));
    sink.write(BatchFixture(v1, 2).insert({2, "x"}).update({1, "y"}));
    sink.apply(BatchFixture(again, 3).snapshot({7, true}));
    EXPECT_EQ(sink.rows("SELECT * FROM t"), Lines{"7|true"});
}

TEST(DuckDbSchema, ReplayFromAnOlderPlaceMeetsTheOlderVersionAgain) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(v1).insert({1, "x"}));
    sink.write(BatchFixture(v2, 2).insert({2, "y", "b"}));
    EXPECT_EQ(sink.open(), progress_at(1));  // lost: the column as well
    EXPECT_EQ(sink.rows("SELECT * FROM t"), Lines{"1|x"});
    sink.apply(BatchFixture(v2, 2).insert({2, "y", "b"}));
    sink.open();
    EXPECT_EQ(sink.rows("SELECT * FROM t ORDER BY id"), (Lines{"1|x|it's new", "2|y|b"}));
}

TEST(DuckDbSchema, OnlyColumnCanBeReplaced) {
    const auto make = [](std::uint64_t number, const Column& only) {
        auto schema = table("one", {only});
        schema->identity = RowIdentity::append_only;
        schema->version = number;
        return SchemaPtr(schema);
    };
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(make(1, column("c", arrow::utf8(), 1))).insert({"x"}));
    sink.apply(BatchFixture(make(2, column("C", arrow::int32(), 2))).insert({5}));
    EXPECT_EQ(sink.rows("SELECT * FROM one ORDER BY ALL NULLS FIRST"), (Lines{"∅", "5"}));
}

TEST(DuckDbSchema, WhatCannotBeFollowedNamesTableAndColumn) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(v1).insert({1, "x"}));
    const auto refused = [&](const SchemaPtr& schema, const char* words) {
        const auto result = sink->evolve(schema);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().fault, Fault::fatal);
        EXPECT_NE(result.error().what.find(words), std::string::npos) << result.error().what;
        EXPECT_NE(result.error().what.find("public.t"), std::string::npos);
    };
    refused(version(2, {id_column, column("a", arrow::int32(), 2)}), "column a changed its type");
    refused(version(2, {id_column, column("A", arrow::utf8(), 2), column("a", arrow::utf8(), 3)}),
            "case");
    refused(version(2, {column("id", arrow::int64(), 7), column("a", arrow::utf8(), 2)}), "key");
    refused(version(2, {}), "no columns");
}

TEST(DuckDbSchema, NamesThatClashAreConfigurationErrors) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    const auto named = [](const char* schema_name, const char* table_name) {
        auto schema = table(table_name, {id_column});
        schema->name.schema = schema_name;
        schema->key = {0};
        return SchemaPtr(schema);
    };
    must(sink->evolve(named("a", "b_c")));
    for (const auto& clash :
         {named("a_b", "c"), named("A", "B_C"), named("public", "_leat_progress")}) {
        const auto result = sink->evolve(clash);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().fault, Fault::config) << result.error().what;
    }
}

TEST(DuckDbSchema, NamesAreQuoted) {
    const auto odd =
        keyed_table("or\"der; DROP", {{"select", arrow::int64()}, {"a \"b\"", arrow::utf8()}});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(odd).insert({1, "x"}).insert({2, "y"}));
    sink.apply(BatchFixture(odd, 2).update({1, unsent}).remove({2}));
    EXPECT_EQ(sink.rows(R"(SELECT "a ""b""" FROM "or""der; DROP")"), Lines{"x"});
}

}  // namespace
}  // namespace leat
