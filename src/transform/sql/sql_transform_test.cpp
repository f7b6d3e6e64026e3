// Row-wise SQL over batches: which rows come out, under which schema, and what is rejected.
#include "transform/sql/sql_transform.hpp"

#include <gtest/gtest.h>

#include "change/batch_fixture.hpp"
#include "change/collapse_model.hpp"
#include "transform/sql/engine_fixture.hpp"

namespace leat {

namespace {

using fixture::BatchFixture;
using fixture::engine;
using fixture::keyed_table;
using fixture::unsent;

auto transform(std::string sql, std::vector<Expectation> expectations = {})
    -> std::unique_ptr<SqlTransform> {
    auto made = SqlTransform::make(engine(), {"orders", std::move(sql), std::move(expectations)});
    EXPECT_TRUE(made) << made.error().what;
    return made ? *std::move(made) : nullptr;
}

const auto orders = keyed_table("orders", {{"id", arrow::int64()},
                                           {"amount", arrow::utf8()},
                                           {"note", arrow::utf8()},
                                           {"status", arrow::utf8()}});

// One line per row: op, values, and what was not sent as "?".
auto shown(const Batch& batch) -> std::string {
    std::string text;
    for (std::int64_t row = 0; row < batch.rows->num_rows(); ++row) {
        const auto& ops = static_cast<const arrow::UInt8Array&>(*batch.rows->column(op_column));
        text += static_cast<char>(ops.Value(row));
        for (std::size_t i = 0; i < batch.schema->columns.size(); ++i) {
            const auto& unchanged = *batch.rows->column(unchanged_column);
            bool sent = true;
            if (unchanged.type_id() != arrow::Type::NA && unchanged.IsValid(row))
                sent = (static_cast<const arrow::FixedSizeBinaryArray&>(unchanged).GetValue(
                            row)[i / 8] >> (i % 8) & 1) == 0;
            const auto& column = *batch.rows->column(first_table_column + static_cast<int>(i));
            text += " " + (sent ? model::value_text(column, row) : "?");
        }
        const auto& before = *batch.rows->column(before_column);
        if (before.type_id() != arrow::Type::NA && before.IsValid(row))
            text += " was " + model::value_text(
                                  *static_cast<const arrow::StructArray&>(before).field(0), row);
        text += "\n";
    }
    return text;
}

auto applied(SqlTransform& sql, const BatchFixture& rows) -> Applied {
    auto prepared = sql.prepare(rows.schema());
    EXPECT_TRUE(prepared) << prepared.error().what;
    auto out = sql.apply(rows.build());
    EXPECT_TRUE(out) << out.error().what;
    EXPECT_TRUE(out->out.rows->ValidateFull().ok());
    EXPECT_EQ(out->out.rows->num_rows(), out->out.rows->column(0)->length());
    return *std::move(out);
}

TEST(SqlTransform, ComputesRenamesAndKeepsTheKey) {
    const auto sql = transform(
        "SELECT id AS order_id, amount::DECIMAL(10,2) * 2 AS twice, twice > 5 AS high, note "
        "FROM orders");
    const auto out = applied(*sql, BatchFixture(orders)
                                       .insert({1, "1.50", "a", "x"})
                                       .update({2, "3", nullptr, "x"})
                                       .remove({3})
                                       .move({4}, {5, "9", "b", "x"})
                                       .truncate());
    EXPECT_EQ(shown(out.out),
              "I 1 3.00 false a\nU 2 6.00 true NULL\nD 3 NULL NULL NULL\nU 5 18.00 true b was 4\n"
              "T NULL NULL NULL NULL\n");
    EXPECT_EQ(out.out.schema->columns[0].id, 1);
    EXPECT_LT(out.out.schema->columns[1].id, 0);
    EXPECT_EQ(out.out.schema->key, std::vector<int>{0});
    EXPECT_EQ(out.out.schema->name.table, "orders");
    EXPECT_EQ(out.filtered, 0);
}

TEST(SqlTransform, AnExcludedUpdateDeletesWhatWasThere) {
    const auto sql = transform("SELECT * FROM orders WHERE status = 'open'");
    const auto out = applied(*sql, BatchFixture(orders)
                                       .insert({1, "1", "a", "closed"})
                                       .insert({2, "1", "a", "open"})
                                       .update({2, "1", "a", "closed"})
                                       .move({3}, {4, "1", "a", "closed"})
                                       .move({5}, {6, "1", "a", "open"})
                                       .replace({7, "1", "a", nullptr}));
    EXPECT_EQ(shown(out.out),
              "I 2 1 a open\nD 2 NULL NULL NULL\nD 3 NULL NULL NULL\nU 6 1 a open was 5\n"
              "D 7 NULL NULL NULL\n");
    EXPECT_EQ(out.filtered, 4);
    EXPECT_EQ(out.substitutes, 3);
}

TEST(SqlTransform, AFailingRowStandsAlone) {
    const auto sql = transform("SELECT id, amount::INTEGER AS amount FROM orders");
    BatchFixture rows(orders);
    for (int id = 0; id < 5000; ++id)
        rows.insert({id, id == 17 || id == 4711 ? "12x" : "12", "a", "b"});
    const auto out = applied(*sql, rows);
    ASSERT_EQ(out.rejects.size(), 2U);
    EXPECT_EQ(out.rejects[0].row, 17);
    EXPECT_EQ(out.rejects[1].row, 4711);
    EXPECT_EQ(out.rejects[0].reason, RejectReason::expression_failed);
    EXPECT_NE(out.rejects[0].text.find("12x"), std::string::npos);
    EXPECT_EQ(out.out.rows->num_rows(), 5000);
    EXPECT_EQ(shown(slice(out.out, 4998)), "I 4998 12\nI 4999 12\n");
}

TEST(SqlTransform, WhatWasNotSentPassesThroughOrCannotBeJudged) {
    const auto sql = transform("SELECT id, note, upper(note) AS loud, amount || status AS both, "
                               "upper(status) AS state FROM orders");
    const auto out = applied(*sql, BatchFixture(orders)
                                       .update({1, "1", unsent, "x"})
                                       .update({2, unsent, "n", unsent})
                                       .update({3, unsent, "n", "x"}));
    EXPECT_EQ(shown(slice(out.out, 0)).substr(0, 25), "U 1 ? ? 1x X\nU 2 n N ? ?\n");
    ASSERT_EQ(out.rejects.size(), 1U);
    EXPECT_EQ(out.rejects[0].row, 2);
    EXPECT_EQ(out.rejects[0].reason, RejectReason::incomplete_row);
    EXPECT_EQ(out.rejects[0].rule, "amount");
}

TEST(SqlTransform, AFilterCannotJudgePartialRows) {
    const auto sql = transform("SELECT * FROM orders WHERE status = 'open'");
    const auto out = applied(*sql, BatchFixture(orders).update({1, "1", unsent, "open"}));
    ASSERT_EQ(out.rejects.size(), 1U);
    EXPECT_EQ(out.rejects[0].reason, RejectReason::incomplete_row);
}

TEST(SqlTransform, ExpectationsDecideInTheirOrder) {
    const auto sql = transform("SELECT id, amount::INTEGER AS amount FROM orders",
                               {{"positive", "amount > 0", Otherwise::dead_letter},
                                {"small", "amount < 100", Otherwise::drop},
                                {"even", "amount % 2 = 0", Otherwise::warn}});
    const auto out = applied(*sql, BatchFixture(orders)
                                       .update({1, "-5", "", ""})
                                       .update({2, "200", "", ""})
                                       .update({3, "7", "", ""})
                                       .update({4, nullptr, "", ""})
                                       .update({5, "8", "", ""}));
    EXPECT_EQ(shown(out.out), "U 1 -5\nD 2 NULL\nU 3 7\nU 4 NULL\nU 5 8\n");
    ASSERT_EQ(out.rejects.size(), 2U);
    EXPECT_EQ(out.rejects[0].row, 0);
    EXPECT_EQ(out.rejects[1].row, 3);
    EXPECT_EQ(out.rejects[0].rule, "positive");
    EXPECT_EQ(out.dropped.at("small"), 1);
    EXPECT_EQ(out.warned.at("even"), 1);
    EXPECT_EQ(out.filtered, 1);
}

TEST(SqlTransform, StopNamesRuleAndPosition) {
    const auto sql = transform("SELECT * FROM orders", {{"never", "false", Otherwise::stop}});
    ASSERT_TRUE(sql->prepare(orders));
    const auto out = sql->apply(BatchFixture(orders, 9).insert({1, "", "", ""}).build());
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().fault, Fault::poison);
    EXPECT_NE(out.error().what.find("never is broken: false (commit 9, row 0)"), std::string::npos);
}

TEST(SqlTransform, AStarFollowsTheTable) {
    const auto sql = transform("SELECT * EXCLUDE (note), upper(note) AS note FROM orders");
    ASSERT_TRUE(sql->prepare(orders));
    auto wider = std::make_shared<TableSchema>(*orders);
    wider->columns.push_back(fixture::ColumnOf("extra", arrow::int32()).column);
    wider->columns.back().id = 9;
    wider->version = 2;
    const auto out = applied(*sql, BatchFixture(wider).insert({1, "1", "n", "s", 5}));
    EXPECT_EQ(shown(out.out), "I 1 1 s 5 N\n");
    EXPECT_EQ(out.out.schema->version, 2U);
}

// duckdb.md §3: a plan must not remember what the first batch held.
TEST(SqlTransform, APlanIsNotStale) {
    const auto sql = transform("SELECT id, note FROM orders WHERE status LIKE 'op%' AND id > 3");
    EXPECT_EQ(shown(applied(*sql, BatchFixture(orders)).out), "");
    const auto first = sql->apply(BatchFixture(orders).insert({1, "1", "a", "x"}).build());
    ASSERT_TRUE(first);
    EXPECT_EQ(shown(first->out), "");
    const auto second = sql->apply(BatchFixture(orders).insert({4, "1", "a", "open"}).build());
    ASSERT_TRUE(second);
    EXPECT_EQ(shown(second->out), "I 4 a\n");
}

// DuckDB keeps up to 12 bytes of a text in place, and compares what lies behind shorter ones; the last
// texts end where their buffer does.
TEST(SqlTransform, TextsOfEveryLengthComeThrough) {
    const auto sql = transform("SELECT id, note || '' AS same FROM orders "
                               "WHERE note = left('0123456789abcdef', length(note))");
    BatchFixture rows(orders);
    std::string expected;
    for (int i = 0; i < 5000; ++i) {
        const auto text = std::string("0123456789abcdef").substr(0, static_cast<std::size_t>(i % 17));
        if (i % 19 == 0) {
            rows.insert({i, "1", nullptr, "x"});
            continue;
        }
        rows.insert({i, "1", text, "x"});
        expected += "I " + std::to_string(i) + " " + text + "\n";
    }
    EXPECT_EQ(shown(applied(*sql, rows).out), expected);
}

TEST(SqlTransform, TagsAndInfinitiesComeThrough) {
    const auto all = keyed_table(
        "orders", {{"id", arrow::int64()},
                   {"u", arrow::fixed_size_binary(16), "uuid"},
                   {"j", arrow::utf8(), "json"},
                   {"t", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "timestamptz"},
                   {"n", arrow::utf8(), "numeric"},
                   {"l", arrow::list(arrow::int32())}});
    const auto sql = transform(
        "SELECT id, u, n, coalesce(u, NULL) AS u2, coalesce(j, '{}') AS j2, j->>'a' AS a, "
        "t + INTERVAL 0 DAY AS t2, len(l) AS items, l[2:] AS rest, isinf(t) AS endless FROM orders");
    const auto items = std::make_shared<arrow::ListScalar>(
        BatchFixture(keyed_table("x", {{"a", arrow::int32()}})).insert({7}).insert({8}).build()
            .rows->column(first_table_column));
    const auto out = applied(
        *sql, BatchFixture(all).insert(
                  {1, fixture::Value(std::make_shared<arrow::FixedSizeBinaryScalar>(
                          arrow::Buffer::FromString("0123456789abcdef"),
                          arrow::fixed_size_binary(16))),
                   R"({"a": "x"})",
                   fixture::Value(std::make_shared<arrow::TimestampScalar>(
                       INT64_MIN, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))),
                   "1e40", fixture::Value(items)}));
    const auto& schema = *out.out.schema;
    EXPECT_EQ(schema.columns[1].logical_type, "uuid");
    EXPECT_EQ(schema.columns[2].logical_type, "numeric");
    EXPECT_EQ(schema.columns[3].logical_type, "uuid");
    EXPECT_EQ(schema.columns[4].logical_type, "json");
    EXPECT_EQ(schema.columns[6].logical_type, "timestamptz");
    EXPECT_TRUE(out.out.rows->column(first_table_column + 3)
                    ->Equals(out.out.rows->column(first_table_column + 1)));
    const auto& times = static_cast<const arrow::TimestampArray&>(
        *out.out.rows->column(first_table_column + 6));
    EXPECT_EQ(times.Value(0), INT64_MIN);
    EXPECT_EQ(model::value_text(*out.out.rows->column(first_table_column + 5), 0), "x");
    EXPECT_EQ(model::value_text(*out.out.rows->column(first_table_column + 7), 0), "2");
    EXPECT_EQ(model::value_text(*out.out.rows->column(first_table_column + 8), 0), "[8]");
    EXPECT_EQ(model::value_text(*out.out.rows->column(first_table_column + 9), 0), "true");
}

}  // namespace

}  // namespace leat
