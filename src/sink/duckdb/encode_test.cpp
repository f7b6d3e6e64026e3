// Every type on its way into DuckDB and back, through the sink; and the values that it refuses.
#include <arrow/scalar.h>
#include <arrow/util/decimal.h>
#include <gtest/gtest.h>

#include <limits>

#include "sink/duckdb/column_type.hpp"
#include "sink/duckdb/sink_fixture.hpp"

namespace leat {
namespace {

using namespace fixture;

constexpr auto int32_min = std::numeric_limits<std::int32_t>::min();
constexpr auto int32_max = std::numeric_limits<std::int32_t>::max();
constexpr auto int64_min = std::numeric_limits<std::int64_t>::min();
constexpr auto int64_max = std::numeric_limits<std::int64_t>::max();

const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
const auto local = arrow::timestamp(arrow::TimeUnit::MICRO);
const auto time_of_day = arrow::time64(arrow::TimeUnit::MICRO);
const auto uuid_type = arrow::fixed_size_binary(16);

auto bytes(const std::string& text) -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(text));
}
auto uuid(const std::string& text) -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::FixedSizeBinaryScalar>(arrow::Buffer::FromString(text),
                                                          uuid_type);
}
auto day(std::int32_t days) -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::Date32Scalar>(days);
}
auto moment(std::int64_t us, const std::shared_ptr<arrow::DataType>& type)
    -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::TimestampScalar>(us, type);
}
auto clock_time(std::int64_t us) -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::Time64Scalar>(us, time_of_day);
}
auto decimal(const std::string& digits, int precision, int scale)
    -> std::shared_ptr<arrow::Scalar> {
    return std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(digits),
                                                     arrow::decimal128(precision, scale));
}
auto list_of(const std::shared_ptr<arrow::DataType>& type, const Row& items)
    -> std::shared_ptr<arrow::Scalar> {
    auto builder = arrow::MakeBuilder(type).ValueOrDie();
    for (const auto& item : items) {
        if (!item.scalar) CHECK(builder->AppendNull().ok());
        else if (item.scalar->type->Equals(*type)) CHECK(builder->AppendScalar(*item.scalar).ok());
        else CHECK(builder->AppendScalar(**item.scalar->CastTo(type)).ok());
    }
    return std::make_shared<arrow::ListScalar>(builder->Finish().ValueOrDie());
}

// Writes the values into a column `v` in two epochs (with a checkpoint and a reopening between) and
// reads them back as text.
auto round_trip(const ColumnOf& column, const Row& values) -> Lines {
    const auto schema = keyed_table("t", {{"id", arrow::int64()}, column});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    BatchFixture rows(schema);
    for (std::size_t i = 0; i < values.size(); ++i)
        rows.insert({static_cast<std::int64_t>(i), values[i]});
    sink.apply(rows);
    must(sink->settle(Rest::last));
    sink.open();
    // The second way in: through collapse and a stage.
    BatchFixture changes(schema, 2);
    for (std::size_t i = 0; i < values.size(); ++i)
        changes.move({static_cast<std::int64_t>(i)},
                     {static_cast<std::int64_t>(i + 100), values[i]});
    for (std::size_t i = 0; i < values.size(); ++i)
        changes.insert({static_cast<std::int64_t>(i), values[i]});
    sink.apply(changes);
    const auto first = sink.rows("SELECT v FROM t WHERE id < 100 ORDER BY id");
    EXPECT_EQ(first, sink.rows("SELECT v FROM t WHERE id >= 100 ORDER BY id"));
    return first;
}

TEST(DuckDbTypes, NumbersAndBooleans) {
    EXPECT_EQ(round_trip({"v", arrow::boolean()}, {true, false, nullptr}),
              (Lines{"true", "false", "∅"}));
    EXPECT_EQ(round_trip({"v", arrow::int16()}, {-32768, 32767, nullptr}),
              (Lines{"-32768", "32767", "∅"}));
    EXPECT_EQ(round_trip({"v", arrow::int32()}, {int32_min, int32_max}),
              (Lines{"-2147483648", "2147483647"}));
    EXPECT_EQ(round_trip({"v", arrow::int64()}, {int64_min, int64_max}),
              (Lines{"-9223372036854775808", "9223372036854775807"}));
    EXPECT_EQ(round_trip({"v", arrow::uint32()}, {std::int64_t{4294967295}}), Lines{"4294967295"});
    EXPECT_EQ(round_trip({"v", arrow::float32()}, {1.1, -0.0}), (Lines{"1.1", "-0.0"}));
    EXPECT_EQ(round_trip({"v", arrow::float64()},
                         {0.1, -0.0, 5e-324, std::numeric_limits<double>::infinity(),
                          -std::numeric_limits<double>::infinity(),
                          std::numeric_limits<double>::quiet_NaN()}),
              (Lines{"0.1", "-0.0", "5e-324", "inf", "-inf", "nan"}));
}

TEST(DuckDbTypes, DecimalsOfEveryWidth) {
    EXPECT_EQ(round_trip({"v", arrow::decimal128(4, 2)},
                         {decimal("99.99", 4, 2), decimal("-0.01", 4, 2), nullptr}),
              (Lines{"99.99", "-0.01", "∅"}));
    EXPECT_EQ(round_trip({"v", arrow::decimal128(9, 0)}, {decimal("-999999999", 9, 0)}),
              Lines{"-999999999"});
    EXPECT_EQ(round_trip({"v", arrow::decimal128(18, 3)}, {decimal("-999999999999999.999", 18, 3)}),
              Lines{"-999999999999999.999"});
    EXPECT_EQ(round_trip({"v", arrow::decimal128(38, 10)},
                         {decimal("-9999999999999999999999999999.9999999999", 38, 10)}),
              Lines{"-9999999999999999999999999999.9999999999"});
}

TEST(DuckDbTypes, TimesWithTheirInfinities) {
    EXPECT_EQ(
        round_trip({"v", arrow::date32()}, {day(0), day(-719163), day(int32_min), day(int32_max)}),
        (Lines{"1970-01-01", "0001-12-31 (BC)", "-infinity", "infinity"}));
    EXPECT_EQ(
        round_trip({"v", utc}, {moment(1, utc), moment(int64_min, utc), moment(int64_max, utc),
                                moment(-210'866'803'200'000'000, utc)}),
        (Lines{"1970-01-01 00:00:00.000001+00", "-infinity", "infinity",
               "4714-11-24 (BC) 00:00:00+00"}));
    EXPECT_EQ(round_trip({"v", local}, {moment(-1, local), moment(int64_min, local),
                                        moment(int64_max, local), moment(int64_max - 1, local)}),
              (Lines{"1969-12-31 23:59:59.999999", "-infinity", "infinity",
                     "294247-01-10 04:00:54.775806"}));
    EXPECT_EQ(round_trip({"v", time_of_day},
                         {clock_time(0), clock_time(86'399'999'999), clock_time(86'400'000'000)}),
              (Lines{"00:00:00", "23:59:59.999999", "24:00:00"}));
}

TEST(DuckDbTypes, TextBytesAndUuids) {
    const std::string nul("a\0b, longer than twelve bytes", 29);
    EXPECT_EQ(round_trip({"v", arrow::utf8()},
                         {"", "twelve bytes", "thirteen byte", "größer als zwölf €", nul, nullptr}),
              (Lines{"", "twelve bytes", "thirteen byte", "größer als zwölf €", nul, "∅"}));
    EXPECT_EQ(round_trip({"v", arrow::utf8(), "numeric"}, {"NaN", "1e100"}),
              (Lines{"NaN", "1e100"}));
    EXPECT_EQ(round_trip({"v", arrow::binary()}, {bytes(std::string("\0\xff'\\", 4)), bytes("")}),
              (Lines{R"(\x00\xFF\x27\x5C)", ""}));
    EXPECT_EQ(
        round_trip({"v", uuid_type, "uuid"},
                   {uuid(std::string(16, '\0')), uuid(std::string(16, '\xff')),
                    uuid("\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10")}),
        (Lines{"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
               "01234567-89ab-cdef-fedc-ba9876543210"}));
    EXPECT_EQ(
        round_trip({"v", arrow::utf8(), "json"}, {R"({"b": 1,  "a": [1.10]})", "null", nullptr}),
        (Lines{R"({"b": 1,  "a": [1.10]})", "null", "∅"}));
}

TEST(DuckDbTypes, Lists) {
    const auto ints = arrow::list(arrow::int32());
    EXPECT_EQ(round_trip({"v", ints},
                         {list_of(arrow::int32(), {1, nullptr, 3}), list_of(arrow::int32(), {}),
                          nullptr, list_of(arrow::int32(), {4})}),
              (Lines{"[1, NULL, 3]", "[]", "∅", "[4]"}));
    EXPECT_EQ(round_trip({"v", arrow::list(arrow::utf8())},
                         {list_of(arrow::utf8(), {"a text of more than twelve bytes", "b"})}),
              Lines{"[a text of more than twelve bytes, b]"});
    EXPECT_EQ(round_trip({"v", arrow::list(uuid_type), "uuid[]"},
                         {list_of(uuid_type, {uuid(std::string(16, '\1'))})}),
              Lines{"[01010101-0101-0101-0101-010101010101]"});
}

TEST(DuckDbTypes, ManyRowsOfListsAndNullsAcrossChunks) {
    const auto schema = keyed_table(
        "t", {{"id", arrow::int64()}, {"v", arrow::list(arrow::int64())}, {"s", arrow::utf8()}});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    BatchFixture rows(schema);
    for (std::int64_t i = 0; i < 5000; ++i) {
        Row items(static_cast<std::size_t>(i % 4), Value(i));
        rows.insert(
            {i, i % 5 == 0 ? Value(nullptr) : Value(list_of(arrow::int64(), items)),
             i % 3 == 0 ? Value(nullptr) : Value("a rather long text " + std::to_string(i))});
    }
    const auto all = rows.build();
    // Not at the beginning of its buffers.
    EXPECT_TRUE(sink.write(Batch{schema, all.rows->Slice(0, 700)}).empty());
    EXPECT_TRUE(sink.write(slice(all, 700)).empty());
    sink.commit();
    EXPECT_EQ(
        sink.rows(
            "SELECT count(*), count(v), count(s), sum(id), count(*) FILTER (id % 5 = 0 AND "
            "v IS NULL OR id % 5 <> 0 AND len(v) = id % 4 AND list_sum(v) IS NOT DISTINCT FROM "
            "(CASE WHEN id % 4 > 0 THEN id * (id % 4) END)), count(*) FILTER (s = "
            "'a rather long text ' || id) FROM t"),
        Lines{"5000|4000|3333|12497500|5000|3333"});
}

TEST(DuckDbTypes, UnheldValuesAreRejectedAloneWithColumnAndReason) {
    const auto schema = keyed_table("t", {{"id", arrow::int64()},
                                          {"at", utc},
                                          {"d", arrow::date32()},
                                          {"s", arrow::utf8()},
                                          {"p", time_of_day},
                                          {"l", arrow::list(arrow::utf8())}});
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    const std::string broken = "\xc3(";
    const auto rejects = sink.write(
        BatchFixture(schema)
            .insert({0, moment(0, utc), day(0), "fine", clock_time(0), nullptr})
            .insert({1, moment(int64_min + 1, utc), nullptr, nullptr, nullptr, nullptr})
            .insert({2, nullptr, day(int32_min + 1), nullptr, nullptr, nullptr})
            .insert({3, moment(int64_min + 2, utc), nullptr, broken, nullptr, nullptr})
            .insert({4, nullptr, nullptr, nullptr, clock_time(-1), nullptr})
            .insert({5, nullptr, nullptr, nullptr, nullptr, list_of(arrow::utf8(), {"ok", broken})})
            .insert({6, nullptr, nullptr, "ümlaut", nullptr, list_of(arrow::utf8(), {"ok"})}));
    std::string found;
    for (const auto& reject : rejects)
        found += std::to_string(reject.row) + " " + reject.column + ": " + reject.reason + "\n";
    EXPECT_EQ(found,
              "1 at: timestamp is before duckdb's first (290309-12-22 BC)\n"
              "2 d: date is before duckdb's first (5877642-06-25 BC)\n"
              "3 at: timestamp is before duckdb's first (290309-12-22 BC)\n"
              "4 p: time is not within a day\n"
              "5 l: text is not valid utf-8\n");
    // Nothing of such a batch was taken.
    sink.commit();
    EXPECT_EQ(sink.rows("SELECT id FROM t ORDER BY id"), Lines{});
}

TEST(DuckDbTypes, TypesWithoutAPlaceAreRefusedWithTheirColumn) {
    EXPECT_EQ(duckdb::column_type(*arrow::struct_({}), "").kind, duckdb::Kind::unsupported);
    EXPECT_EQ(duckdb::column_type(*arrow::timestamp(arrow::TimeUnit::NANO), "").kind,
              duckdb::Kind::unsupported);
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    const auto refused =
        sink->evolve(keyed_table("t", {{"id", arrow::int64()}, {"odd", arrow::null()}}));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("column odd"), std::string::npos);
}

}  // namespace
}  // namespace leat
