// collapse() case by case: what a sink is told to do, and no more than that.
#include "change/collapse.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <map>
#include <set>

#include "change/batch_fixture.hpp"
#include "change/collapse_model.hpp"
#include "change/pick_rows.hpp"

namespace leat {

namespace {

using fixture::BatchFixture;
using fixture::unsent;

auto orders() -> SchemaPtr {
    return fixture::keyed_table(
        "orders", {{"id", arrow::int64()}, {"note", arrow::utf8()}, {"document", arrow::utf8()}});
}

auto collapsed(const BatchFixture& rows) -> NetEffect {
    auto effect = collapse(rows.build());
    EXPECT_TRUE(effect.has_value()) << effect.error().what;
    return effect ? std::move(effect).value() : NetEffect{};
}

auto error_of(const Batch& run) -> std::string {
    const auto effect = collapse(run);
    return effect ? "" : effect.error().what;
}

TEST(Collapse, InsertsNeedNoDelete) {
    const auto effect =
        collapsed(BatchFixture(orders()).insert({1, "a", "x"}).snapshot({2, "b", "y"}));
    EXPECT_TRUE(effect.deletes.empty());
    EXPECT_EQ(effect.inserts, (std::vector<std::int32_t>{0, 1}));
    EXPECT_FALSE(effect.emptied);
}

TEST(Collapse, KeepsTheLastOfManyUpdates) {
    const auto effect = collapsed(
        BatchFixture(orders()).update({1, "a", "x"}).update({1, "b", "x"}).update({1, "c", "x"}));
    EXPECT_EQ(effect.deletes, (std::vector<RowRef>{{0, Image::after}}));
    EXPECT_EQ(effect.inserts, (std::vector<std::int32_t>{2}));
}

TEST(Collapse, InsertedAndDeletedLeavesNothing) {
    const auto effect = collapsed(BatchFixture(orders()).insert({1, "a", "x"}).remove({1}));
    EXPECT_TRUE(effect.deletes.empty());
    EXPECT_TRUE(effect.inserts.empty());
}

TEST(Collapse, DeletedAndInsertedIsBoth) {
    const auto effect = collapsed(BatchFixture(orders()).remove({1}).insert({1, "a", "x"}));
    EXPECT_EQ(effect.deletes, (std::vector<RowRef>{{0, Image::after}}));
    EXPECT_EQ(effect.inserts, (std::vector<std::int32_t>{1}));
}

TEST(Collapse, SwapOfKeysTakesEachUnsentColumnFromItsOwnBase) {
    BatchFixture rows(orders());
    rows.move({1}, {-1, "one", unsent})
        .move({2}, {1, "two", unsent})
        .move({-1}, {2, "one", unsent});
    const auto run = rows.build();
    model::Table table;
    model::apply_naive(
        BatchFixture(orders()).insert({1, "", "first"}).insert({2, "", "second"}).build(), table);
    EXPECT_EQ(model::SinkModel(run, table).apply(), "");
    EXPECT_EQ(table.by_key.size(), 2U);
    EXPECT_EQ(table.by_key[{"=1"}], (model::Row{"=1", "=two", "=second"}));
    EXPECT_EQ(table.by_key[{"=2"}], (model::Row{"=2", "=one", "=first"}));
}

TEST(Collapse, PartialRowOnAnInsertOfTheRunIsWholeAgain) {
    const auto rows = BatchFixture(orders()).insert({1, "a", "x"}).update({1, "b", unsent});
    const auto effect = collapsed(rows);
    EXPECT_TRUE(effect.patches.empty());
    ASSERT_EQ(effect.assembled.size(), 1U);
    EXPECT_EQ(effect.assembled[0].row, 1);
    EXPECT_EQ(effect.sources, (std::vector<std::int32_t>{1, 1, 0}));
}

TEST(Collapse, PartialRowsOnTheBaseNameItAndWhatTheyKeep) {
    const auto rows =
        BatchFixture(orders()).update({7, "a", unsent}).move({7}, {8, unsent, unsent});
    const auto run = rows.build();
    const auto effect = collapsed(rows);
    ASSERT_EQ(effect.patches.size(), 1U);
    EXPECT_EQ(effect.patches[0].base, (RowRef{0, Image::after}));
    EXPECT_EQ(effect.sources, (std::vector<std::int32_t>{1, 0, from_base}));
    const auto patches = patch_rows(run, effect);
    ASSERT_TRUE(patches.has_value());
    EXPECT_EQ(patches.value().kept, (std::vector<int>{2}));
    EXPECT_EQ(model::row_of(*patches.value().rows, 0, 0, 5),
              (model::Row{"=8", "=a", "NULL", "=7", "=true"}));
}

// What stands in place of a rejected change of the key.
TEST(Collapse, AMoveIsNothingWithoutABase) {
    const auto moved = [](const BatchFixture& rows, std::set<std::int64_t> kept) {
        const auto batch = rows.build();
        std::vector<PickedRow> picks;
        for (std::int64_t row = 0; row < batch.rows->num_rows(); ++row)
            picks.push_back({row, kept.contains(row) ? Pick::keep : Pick::move});
        return *pick_rows(batch, picks);
    };
    const auto held = [](const Batch& run) {
        model::Table naive;
        model::apply_naive(BatchFixture(orders()).insert({1, "one", "first"}).build(), naive);
        auto sink = naive;
        model::apply_naive(run, naive);
        EXPECT_EQ(model::SinkModel(run, sink).apply(), "");
        EXPECT_TRUE(sink == naive);
        return sink;
    };
    const auto chain = moved(BatchFixture(orders())
                                 .move({1}, {2, "x", "x"})
                                 .move({7}, {8, "x", "x"})
                                 .move({2}, {3, "x", "x"}),
                             {});
    const auto effect = collapse(chain);
    ASSERT_TRUE(effect);
    EXPECT_EQ(effect->patches.size(), 2U);
    EXPECT_EQ(effect->optional_patches, 2U);
    EXPECT_EQ(held(chain).by_key,
              (std::map<model::Row, model::Row>{{{"=3"}, {"=3", "=one", "=first"}}}));
    const auto after_delete =
        moved(BatchFixture(orders()).remove({1}).move({1}, {2, "x", "x"}), {0});
    EXPECT_TRUE(held(after_delete).by_key.empty());
    EXPECT_EQ(held(after_delete).incomplete, 0);
    // A row that the source sent in part needs its base, whatever came to it afterwards.
    const auto mixed = moved(
        BatchFixture(orders()).update({9, "a", unsent}).move({9}, {10, "x", "x"}), {0});
    EXPECT_EQ(collapse(mixed)->optional_patches, 0U);
    EXPECT_TRUE(collapse(mixed)->patches.size() == 1);
}

TEST(Collapse, PartialRowOfADeletedKeyIsIncomplete) {
    const auto effect = collapsed(BatchFixture(orders()).remove({1}).update({1, "b", unsent}));
    EXPECT_EQ(effect.incomplete, (std::vector<std::int32_t>{1}));
    EXPECT_TRUE(effect.patches.empty());
    EXPECT_EQ(effect.deletes.size(), 1U);
}

TEST(Collapse, TruncateDiscardsWhatCameBeforeAndLeavesNoBase) {
    const auto effect = collapsed(BatchFixture(orders())
                                      .insert({1, "a", "x"})
                                      .update({2, "b", unsent})
                                      .truncate()
                                      .update({2, "c", unsent})
                                      .replace({3, "d", "y"}));
    EXPECT_TRUE(effect.emptied);
    EXPECT_TRUE(effect.deletes.empty());
    EXPECT_EQ(effect.inserts, (std::vector<std::int32_t>{4}));
    EXPECT_EQ(effect.incomplete, (std::vector<std::int32_t>{3}));
}

TEST(Collapse, UnsentKeyColumnIsReadFromTheOldKey) {
    const auto table = fixture::keyed_table("t", {{"id", arrow::utf8()}, {"n", arrow::int32()}});
    const auto run = BatchFixture(table).move({"long key"}, {unsent, 2}).build();
    model::Table held;
    model::apply_naive(BatchFixture(table).insert({"long key", 1}).build(), held);
    EXPECT_EQ(model::SinkModel(run, held).apply(), "");
    EXPECT_EQ(held.by_key[{"=long key"}], (model::Row{"=long key", "=2"}));
    EXPECT_EQ(held.by_key.size(), 1U);
}

TEST(Collapse, ZeroAndMinusZeroAreOneKeyButTwoRows) {
    const auto keyed = fixture::keyed_table("t", {{"id", arrow::float64()}});
    const auto effect = collapsed(BatchFixture(keyed).insert({0.0}).remove({-0.0}));
    EXPECT_TRUE(effect.inserts.empty());
    const auto bag = fixture::full_row_table("t", {{"v", arrow::float64()}});
    const auto counted = collapsed(BatchFixture(bag).insert({0.0}).remove({-0.0}));
    EXPECT_EQ(counted.row_inserts.size(), 1U);
    EXPECT_EQ(counted.row_deletes.size(), 1U);
    const auto run = BatchFixture(bag).insert({0.0}).remove({-0.0}).build();
    const auto unsigned_zeros = collapse(run, ZeroSign::ignore);
    ASSERT_TRUE(unsigned_zeros.has_value());
    EXPECT_TRUE(unsigned_zeros.value().row_inserts.empty());
    EXPECT_TRUE(unsigned_zeros.value().row_deletes.empty());
}

TEST(Collapse, EveryNanIsTheSame) {
    const auto bag =
        fixture::full_row_table("t", {{"v", arrow::float64()}, {"w", arrow::float32()}});
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double odd_nan = std::bit_cast<double>(0xfff8000000000123ULL);
    const auto odd_float = std::make_shared<arrow::FloatScalar>(std::bit_cast<float>(0xffc00123U));
    const auto effect =
        collapsed(BatchFixture(bag).insert({nan, nan}).remove({odd_nan, odd_float}));
    EXPECT_TRUE(effect.row_inserts.empty());
    EXPECT_TRUE(effect.row_deletes.empty());
}

TEST(Collapse, NullsInOtherColumnsMakeOtherRows) {
    const auto bag = fixture::full_row_table("t", {{"v", arrow::int8()}, {"w", arrow::int8()}});
    const auto effect = collapsed(BatchFixture(bag).insert({nullptr, 1}).remove({1, nullptr}));
    EXPECT_EQ(effect.row_inserts.size(), 1U);
    EXPECT_EQ(effect.row_deletes.size(), 1U);
}

TEST(Collapse, RowsWithoutKeyAreCounted) {
    const auto bag = fixture::full_row_table("t", {{"v", arrow::utf8()}});
    const auto rows = BatchFixture(bag)
                          .insert({"a"})
                          .insert({"a"})
                          .insert({"a"})
                          .remove({"a"})
                          .remove({nullptr})
                          .move({"b"}, {"b"});
    const auto effect = collapsed(rows);
    ASSERT_EQ(effect.row_inserts.size(), 1U);
    EXPECT_EQ(effect.row_inserts[0].count, 2);
    ASSERT_EQ(effect.row_deletes.size(), 1U);
    const auto inserts = insert_rows(rows.build(), effect);
    ASSERT_TRUE(inserts.has_value());
    EXPECT_EQ((*inserts)->num_rows(), 2);
}

TEST(Collapse, AppendOnlyKeepsEveryRowAfterTheLastTruncate) {
    const auto log = fixture::append_only_table("t", {{"v", arrow::utf8()}});
    const auto effect =
        collapsed(BatchFixture(log).insert({"a"}).truncate().insert({"b"}).insert({"b"}));
    EXPECT_TRUE(effect.emptied);
    EXPECT_EQ(effect.inserts, (std::vector<std::int32_t>{2, 3}));
}

TEST(Collapse, PlainAppendIsSeenWithoutHashing) {
    EXPECT_TRUE(is_plain_append(
        BatchFixture(orders()).insert({1, "a", "x"}).snapshot({2, "b", "y"}).build()));
    EXPECT_FALSE(is_plain_append(BatchFixture(orders()).insert({1, "a", "x"}).remove({1}).build()));
    EXPECT_FALSE(is_plain_append(BatchFixture(orders()).truncate().build()));
}

TEST(Collapse, RefusesRowsThatContradictTheLayout) {
    EXPECT_EQ(error_of(BatchFixture(orders()).insert({1, "a", unsent}).build()),
              "malformed batch: an insert lacks columns");
    EXPECT_EQ(error_of(BatchFixture(orders()).update({unsent, "a", "x"}).build()),
              "malformed batch: key column not sent: id");
    const auto bag = fixture::full_row_table("t", {{"v", arrow::utf8()}});
    EXPECT_EQ(error_of(BatchFixture(bag).update({"a"}).build()),
              "malformed batch: an update lacks its old row");
    const auto log = fixture::append_only_table("t", {{"v", arrow::utf8()}});
    EXPECT_EQ(error_of(BatchFixture(log).update({"a"}).build()),
              "malformed batch: an append-only table has a row that is no insert");
    auto short_of_a_column = BatchFixture(orders()).insert({1, "a", "x"}).build();
    short_of_a_column.rows = short_of_a_column.rows->RemoveColumn(8).ValueOrDie();
    EXPECT_EQ(error_of(short_of_a_column), "malformed batch: 8 columns");
}

TEST(Collapse, EmptyRunHasNoEffect) {
    const auto run = BatchFixture(orders()).build();
    const auto effect = collapse(run);
    ASSERT_TRUE(effect.has_value());
    const auto inserts = insert_rows(run, effect.value());
    ASSERT_TRUE(inserts.has_value());
    EXPECT_EQ((*inserts)->num_rows(), 0);
    EXPECT_EQ((*inserts)->num_columns(), 3);
}

}  // namespace

}  // namespace leat
