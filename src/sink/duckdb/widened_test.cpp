// Columns that become wider: a row that is in the table already and one that is still on its way
// under the old type end as the same text, the key among them, so that a later change finds its
// row.
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "sink/duckdb/sink_fixture.hpp"

namespace leat {
namespace {

using namespace fixture;

const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
const ColumnOf json("v", arrow::utf8(), "json");
const ColumnOf numeric("v", arrow::utf8(), "numeric");

auto versions(const ColumnOf& from, const ColumnOf& to) -> std::pair<SchemaPtr, SchemaPtr> {
    const auto old_version = keyed_table("t", {{"id", arrow::int64()}, from});
    auto newer = std::make_shared<TableSchema>(*keyed_table("t", {{"id", arrow::int64()}, to}));
    newer->version = old_version->version + 1;
    return {old_version, newer};
}

// What `values` read as once the column is `to`. `altered`: they were in the table before.
auto widened(const ColumnOf& from, const ColumnOf& to, const Row& values, bool altered) -> Lines {
    const auto [old_version, newer] = versions(from, to);
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    BatchFixture rows(old_version, 1);
    for (std::size_t i = 0; i < values.size(); ++i)
        rows.insert({static_cast<std::int64_t>(i), values[i]});
    EXPECT_TRUE(sink.write(rows).empty());
    if (altered) sink.commit();
    sink.apply(BatchFixture(newer, 2).insert({static_cast<std::int64_t>(values.size()), nullptr}));
    auto lines = sink.rows("SELECT v::VARCHAR FROM t ORDER BY id");
    lines.pop_back();
    return lines;
}

auto expect_same(const ColumnOf& from, const ColumnOf& to, const Row& values, const Lines& expected)
    -> void {
    EXPECT_EQ(widened(from, to, values, true), expected) << from.column.type->ToString();
    EXPECT_EQ(widened(from, to, values, false), expected) << from.column.type->ToString();
}

auto moment(std::int64_t us) -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::TimestampScalar>(us, utc);
}
auto bytes(const std::string& text) -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(text));
}
auto uuid(const std::string& text) -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::FixedSizeBinaryScalar>(arrow::Buffer::FromString(text),
                                                          arrow::fixed_size_binary(16));
}

constexpr auto infinity = std::numeric_limits<double>::infinity();

TEST(Widened, WholeNumbersToDoubleAndToText) {
    const ColumnOf whole("v", arrow::int64());
    expect_same(whole, {"v", arrow::float64()}, {0, -7, std::int64_t{1} << 53, nullptr},
                {"0.0", "-7.0", "9007199254740992.0", "∅"});
    expect_same(whole, numeric, {0, -7, std::numeric_limits<std::int64_t>::max()},
                {"0", "-7", "9223372036854775807"});
}

TEST(Widened, DoublesToTextOfNumbers) {
    expect_same({"v", arrow::float64()}, numeric,
                {1.0, -0.5, 1e16, 1e-5, NAN, infinity, -infinity, nullptr},
                {"1.0", "-0.5", "1e+16", "1e-05", "NaN", "Infinity", "-Infinity", "∅"});
}

TEST(Widened, EveryTypeToJsonInWhichTheyStayApart) {
    expect_same({"v", arrow::boolean()}, json, {true, false, nullptr}, {"true", "false", "∅"});
    expect_same({"v", arrow::int64()}, json, {1, -2}, {"1", "-2"});
    expect_same({"v", arrow::float64()}, json, {1.0, 0.1, NAN, infinity, -infinity},
                {"1.0", "0.1", R"({"$numberDouble":"NaN"})", R"({"$numberDouble":"Infinity"})",
                 R"({"$numberDouble":"-Infinity"})"});
    expect_same({"v", arrow::utf8()}, json, {"1", "", "a\"b\\\n\t\x01\x1f/\x7f", "é €"},
                {R"("1")", R"("")", "\"a\\\"b\\\\\\n\\t\\u0001\\u001F/\x7f\"", "\"é €\""});
    expect_same(numeric, json, {"1.50", "NaN"},
                {R"({"$numberDecimal":"1.50"})", R"({"$numberDecimal":"NaN"})"});
    expect_same({"v", arrow::utf8(), "objectid"}, json, {"65f1c0ffee5eed0123456789"},
                {R"({"$oid":"65f1c0ffee5eed0123456789"})"});
    expect_same({"v", arrow::binary()}, json, {bytes(std::string("\0\xff", 2)), bytes("")},
                {R"({"$binary":{"base64":"AP8=","subType":"00"}})",
                 R"({"$binary":{"base64":"","subType":"00"}})"});
    expect_same({"v", arrow::fixed_size_binary(16), "uuid"}, json, {uuid("0123456789abcdef")},
                {R"({"$binary":{"base64":"MDEyMzQ1Njc4OWFiY2RlZg==","subType":"04"}})"});
}

TEST(Widened, MomentsToJson) {
    constexpr std::int64_t year_9999_end = 253402300799999000;
    expect_same({"v", utc}, json,
                {moment(0), moment(1'500'000), moment(1'001'000), moment(-1000),
                 moment(year_9999_end), moment(year_9999_end + 1000), nullptr},
                {R"({"$date":"1970-01-01T00:00:00Z"})", R"({"$date":"1970-01-01T00:00:01.500Z"})",
                 R"({"$date":"1970-01-01T00:00:01.001Z"})", R"({"$date":{"$numberLong":"-1"}})",
                 R"({"$date":"9999-12-31T23:59:59.999Z"})",
                 R"({"$date":{"$numberLong":"253402300800000"}})", "∅"});
}

TEST(Widened, DoublesOfAllKindsAlike) {
    std::mt19937_64 random(7);
    Row values;
    for (int i = 0; i < 900; ++i) values.emplace_back(std::bit_cast<double>(random()));
    for (const auto digits : {1e15, 1e16, 123456789012345680.0, 1e-4, 1e-5, 5e-324, -0.0})
        values.emplace_back(digits);
    for (const auto& to : {json, numeric})
        EXPECT_EQ(widened({"v", arrow::float64()}, to, values, true),
                  widened({"v", arrow::float64()}, to, values, false));
}

// The key of a delete that was read under the old type, of a row that became JSON.
TEST(Widened, KeysFindTheirRows) {
    const auto old_version = keyed_table("t", {{"v", arrow::float64()}});
    auto newer = std::make_shared<TableSchema>(*keyed_table("t", {json}));
    newer->version = old_version->version + 1;
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    sink.apply(BatchFixture(old_version, 1).insert({0.1}).insert({1e16}).insert({2.0}));
    EXPECT_TRUE(sink.write(BatchFixture(newer, 2).remove({"1e+16"}).insert({R"("x")"})).empty());
    EXPECT_TRUE(sink.write(BatchFixture(old_version, 3).remove({0.1})).empty());
    sink.commit();
    EXPECT_EQ(sink.rows("SELECT v::VARCHAR FROM t ORDER BY 1"), (Lines{R"("x")", "2.0"}));
}

}  // namespace
}  // namespace leat
