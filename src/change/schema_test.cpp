// TableSchema: names, comparison, and that the Arrow form carries all of it.
#include "change/schema.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <arrow/array/builder_primitive.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "change/batch_fixture.hpp"

namespace leat {

namespace {

auto same_default(const Column& a, const Column& b) -> bool {
    if (!a.default_value || !b.default_value) return a.default_value == b.default_value;
    return a.default_value->Equals(*b.default_value,
                                   arrow::EqualOptions::Defaults().nans_equal(true));
}

auto equal(const TableSchema& a, const TableSchema& b) -> bool {
    if (!same_shape(a, b) || a.version != b.version || a.generation != b.generation) return false;
    for (std::size_t i = 0; i < a.columns.size(); ++i)
        if (a.columns[i].nullable != b.columns[i].nullable ||
            !same_default(a.columns[i], b.columns[i]))
            return false;
    return true;
}

auto round_trip(const TableSchema& schema, BatchShape shape) -> Result<SchemaPtr> {
    return from_arrow(*TRY(to_arrow(schema, shape)));
}

auto list_of_numbers() -> std::shared_ptr<arrow::Scalar> {
    arrow::Int32Builder items;
    CHECK(items.AppendValues({1, 2, 3}).ok());
    return std::make_shared<arrow::ListScalar>(items.Finish().ValueOrDie());
}

// A column of every type that a source makes, each with a default of its own.
auto every_type() -> std::vector<std::shared_ptr<arrow::Scalar>> {
    const auto micros = arrow::timestamp(arrow::TimeUnit::MICRO);
    const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    return {
        arrow::MakeScalar(true),
        arrow::MakeScalar(std::int16_t{-7}),
        arrow::MakeScalar(std::int32_t{7}),
        arrow::MakeScalar(std::int64_t{1} << 60),
        arrow::MakeScalar(1.5F),
        arrow::MakeScalar(-0.0),
        arrow::MakeScalar(std::string("it's \"quoted\" – \xe2\x82\xac")),
        std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(std::string("\0\xff", 2))),
        std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(-12345),
                                                  arrow::decimal128(10, 2)),
        std::make_shared<arrow::Date32Scalar>(-719'528),
        std::make_shared<arrow::Time64Scalar>(86'400'000'000,
                                              arrow::time64(arrow::TimeUnit::MICRO)),
        std::make_shared<arrow::TimestampScalar>(std::numeric_limits<std::int64_t>::min(), micros),
        std::make_shared<arrow::TimestampScalar>(0, utc),
        std::make_shared<arrow::FixedSizeBinaryScalar>(
            arrow::Buffer::FromString(std::string(16, 'u')), arrow::fixed_size_binary(16)),
        list_of_numbers(),
    };
}

TEST(TableName, IsShownWholeAndTargetedShort) {
    EXPECT_EQ(to_string(TableName{"public", "orders"}), "public.orders");
    EXPECT_EQ(target_name(TableName{"public", "orders"}), "orders");
    EXPECT_EQ(target_name(TableName{"sales", "orders"}), "sales_orders");
}

TEST(TableSchema, FindsColumnsAndKeys) {
    const auto schema = fixture::keyed_table(
        "t", {{"a", arrow::int32()}, {"b", arrow::int32()}, {"c", arrow::int32()}}, {2, 0});
    EXPECT_EQ(schema->column_index("b"), 1);
    EXPECT_EQ(schema->column_index("B"), -1);
    EXPECT_TRUE(schema->is_key(0));
    EXPECT_FALSE(schema->is_key(1));
    EXPECT_EQ(identity_columns(*schema), (std::vector<int>{2, 0}));
    const auto bag = fixture::full_row_table("t", {{"a", arrow::int32()}, {"b", arrow::int32()}});
    EXPECT_EQ(identity_columns(*bag), (std::vector<int>{0, 1}));
    const auto log = fixture::append_only_table("t", {{"a", arrow::int32()}});
    EXPECT_TRUE(identity_columns(*log).empty());
}

TEST(TableSchema, ShapeIsNameTypeTagIdKeyAndIdentity) {
    const auto base = fixture::table("t", {{"a", arrow::int32()}, {"b", arrow::utf8(), "json"}});
    base->key = {0};
    const auto differs = [&](auto&& change) {
        auto other = *base;
        change(other);
        return !same_shape(*base, other);
    };
    EXPECT_TRUE(same_shape(*base, *base));
    EXPECT_TRUE(differs([](TableSchema& s) { s.name.table = "u"; }));
    EXPECT_TRUE(differs([](TableSchema& s) { s.columns[0].name = "A"; }));
    EXPECT_TRUE(differs([](TableSchema& s) { s.columns[0].type = arrow::int64(); }));
    EXPECT_TRUE(differs([](TableSchema& s) { s.columns[1].logical_type = "enum"; }));
    EXPECT_TRUE(differs([](TableSchema& s) { s.columns[1].id = 9; }));
    EXPECT_TRUE(differs([](TableSchema& s) { s.columns.pop_back(); }));
    EXPECT_TRUE(differs([](TableSchema& s) { s.key = {1}; }));
    EXPECT_TRUE(differs([](TableSchema& s) { s.identity = RowIdentity::full_row; }));
    EXPECT_FALSE(differs([](TableSchema& s) { s.version = 9; }));
    EXPECT_FALSE(differs([](TableSchema& s) { s.columns[0].nullable = false; }));
    EXPECT_FALSE(
        differs([](TableSchema& s) { s.columns[0].default_value = arrow::MakeScalar(1); }));
}

TEST(TableSchema, EveryTypeAndItsDefaultTravelThroughArrow) {
    const auto schema = fixture::table("types", {});
    for (const auto& value : every_type()) {
        Column column;
        column.name = value->type->ToString();
        column.type = value->type;
        column.default_value = value;
        column.id = static_cast<std::int32_t>(schema->columns.size()) + 1;
        schema->columns.push_back(column);
        column.name += " without default";
        column.default_value = nullptr;
        schema->columns.push_back(column);
        column.name += " with NULL as default";
        column.default_value = arrow::MakeNullScalar(column.type);
        schema->columns.push_back(column);
    }
    schema->key = {3};
    for (const bool optional : {false, true}) {
        const auto back = round_trip(*schema, {optional, optional});
        ASSERT_TRUE(back.has_value()) << back.error().what;
        for (std::size_t i = 0; i < schema->columns.size(); ++i)
            EXPECT_TRUE(same_default((*back)->columns[i], schema->columns[i]))
                << schema->columns[i].name;
        EXPECT_TRUE(equal(**back, *schema));
    }
}

RC_GTEST_PROP(TableSchema, AnyNamesNumbersAndKeysTravelThroughArrow, ()) {
    const auto any_text = rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    const auto any_letters = rc::gen::container<std::string>(rc::gen::inRange('!', '~'));
    TableSchema schema;
    schema.name = {*any_text, *any_text};
    schema.version = *rc::gen::arbitrary<std::uint64_t>();
    schema.generation = *rc::gen::arbitrary<std::uint64_t>();
    const auto count = *rc::gen::inRange(1, 20);
    for (int i = 0; i < count; ++i) {
        Column column;
        column.name = *any_text;
        column.type = arrow::utf8();
        column.logical_type = *any_text;
        column.nullable = *rc::gen::arbitrary<bool>();
        column.id = *rc::gen::arbitrary<std::int32_t>();
        if (*rc::gen::arbitrary<bool>()) column.default_value = arrow::MakeScalar(*any_letters);
        schema.columns.push_back(column);
    }
    schema.identity =
        *rc::gen::element(RowIdentity::key, RowIdentity::full_row, RowIdentity::append_only);
    if (schema.identity == RowIdentity::key)
        for (auto left = *rc::gen::inRange(1, 4); left > 0; --left)
            schema.key.push_back(*rc::gen::inRange(0, count));
    const auto back = round_trip(schema, {true, true});
    if (!back) RC_FAIL(back.error().what);
    RC_ASSERT(equal(*back.value(), schema));
}

TEST(TableSchema, OptionalColumnsAreOfArrowTypeNullWhenAbsent) {
    const auto schema = fixture::keyed_table("t", {{"a", arrow::int32()}, {"b", arrow::utf8()}});
    const auto without = to_arrow(*schema, {});
    ASSERT_TRUE(without.has_value());
    EXPECT_EQ((*without)->field(before_column)->type()->id(), arrow::Type::NA);
    EXPECT_EQ((*without)->field(unchanged_column)->type()->id(), arrow::Type::NA);
    const auto with = to_arrow(*schema, {.with_before = true, .with_unchanged = true});
    ASSERT_TRUE(with.has_value());
    EXPECT_EQ((*with)->field(before_column)->type()->ToString(), "struct<a: int32>");
    EXPECT_EQ((*with)->field(unchanged_column)->type()->ToString(), "fixed_size_binary[1]");
}

TEST(TableSchema, WhatIsNotOursIsRefused) {
    const auto schema = fixture::keyed_table("t", {{"a", arrow::int32()}});
    const auto arrow_schema = to_arrow(*schema, {}).value();
    EXPECT_FALSE(from_arrow(*arrow::schema({})).has_value());
    EXPECT_FALSE(from_arrow(*arrow_schema->RemoveMetadata()).has_value());
    for (const auto* name : {"leat.version", "leat.generation", "leat.identity", "leat.key"}) {
        for (const auto* bad : {"", "-1", "x", "99999999999999999999", "7"}) {
            if (std::string_view(bad) == "7" && std::string_view(name) != "leat.key" &&
                std::string_view(name) != "leat.identity")
                continue;
            auto metadata = arrow_schema->metadata()->Copy();
            ASSERT_TRUE(metadata->Set(name, bad).ok());
            EXPECT_FALSE(from_arrow(*arrow_schema->WithMetadata(metadata)).has_value())
                << name << " = " << bad;
        }
    }
    const auto plain =
        arrow_schema->SetField(first_table_column, arrow::field("a", arrow::int32()));
    EXPECT_FALSE(from_arrow(**plain).has_value());
    auto damaged = arrow_schema->field(first_table_column)->metadata()->Copy();
    damaged->Append("leat.default", "not an arrow stream");
    const auto bad_default = arrow_schema->SetField(
        first_table_column, arrow_schema->field(first_table_column)->WithMetadata(damaged));
    EXPECT_FALSE(from_arrow(**bad_default).has_value());
}

TEST(Batch, SlicesFromARow) {
    const auto schema = fixture::keyed_table("t", {{"a", arrow::int32()}});
    const auto batch = fixture::BatchFixture(schema).insert({1}).insert({2}).insert({3}).build();
    const auto rest = slice(batch, 2);
    EXPECT_EQ(rest.rows->num_rows(), 1);
    EXPECT_EQ(rest.schema, schema);
    EXPECT_GT(byte_size(batch), 3U * (1 + 8 + 8 + 8 + 4) - 1);
}

}  // namespace

}  // namespace leat
