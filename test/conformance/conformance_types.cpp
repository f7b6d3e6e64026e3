// A value of every type that a source makes goes in and comes out the same, and finds its row
// again.
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>

#include <limits>

#include "conformance/sink_conformance.hpp"

namespace leat::conformance {

namespace {

using fixture::BatchFixture;
using fixture::Value;

struct TypeCase {
    fixture::ColumnOf column;
    std::vector<std::pair<Value, std::string>> values;  // and how each reads
};

auto bytes_of(std::string bytes) -> std::shared_ptr<arrow::Buffer> {
    return arrow::Buffer::FromString(std::move(bytes));
}

auto decimal(const char* digits, const std::shared_ptr<arrow::DataType>& type) -> Value {
    const auto value = arrow::Decimal128::FromString(digits).ValueOrDie();
    return Value(std::make_shared<arrow::Decimal128Scalar>(value, type));
}

template <class Builder, class Item>
auto list_of(const std::vector<std::optional<Item>>& items) -> Value {
    Builder builder;
    for (const auto& item : items)
        CHECK((item ? builder.Append(*item) : builder.AppendNull()).ok());
    return Value(std::make_shared<arrow::ListScalar>(builder.Finish().ValueOrDie()));
}

auto number_cases() -> std::vector<TypeCase> {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto money = arrow::decimal128(10, 2);
    const auto huge = arrow::decimal128(38, 0);
    const auto small = arrow::decimal128(5, 4);
    return {
        {{"boolean", arrow::boolean()}, {{true, "true"}, {false, "false"}}},
        {{"int16", arrow::int16()}, {{-32768, "-32768"}, {32767, "32767"}}},
        {{"int32", arrow::int32()}, {{2147483647, "2147483647"}, {0, "0"}}},
        {{"int64", arrow::int64()},
         {{std::numeric_limits<std::int64_t>::min(), "-9223372036854775808"},
          {std::numeric_limits<std::int64_t>::max(), "9223372036854775807"}}},
        {{"float32", arrow::float32()}, {{0.1, "0.1"}, {nan, "nan"}, {-infinity, "-inf"}}},
        {{"float64", arrow::float64()},
         {{0.1, "0.1"}, {-0.0, "0"}, {nan, "nan"}, {infinity, "inf"}, {5e-324, "5e-324"}}},
        {{"money", money},
         {{decimal("-123.45", money), "-123.45"}, {decimal("0.00", money), "0.00"}}},
        {{"huge", huge},
         {{decimal("99999999999999999999999999999999999999", huge),
           "99999999999999999999999999999999999999"}}},
        {{"small", small}, {{decimal("0.0001", small), "0.0001"}}},
        {{"numeric", arrow::utf8(), "numeric"},
         {{"123456789012345678901234567890.123456789012345678901234567890",
           "123456789012345678901234567890.123456789012345678901234567890"},
          {"NaN", "NaN"}}},
    };
}

auto text_cases() -> std::vector<TypeCase> {
    const auto sixteen = arrow::fixed_size_binary(16);
    const std::string uuid_bytes("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
                                 16);
    return {
        {{"text", arrow::utf8()},
         {{"", ""},
          {"it's \"quoted\" – €", "it's \"quoted\" – €"},
          {std::string(5000, 'x'), std::string(5000, 'x')}}},
        {{"json", arrow::utf8(), "json"}, {{"{\"a\":  1}", "{\"a\":  1}"}}},
        {{"mood", arrow::utf8(), "enum"}, {{"happy", "happy"}}},
        {{"span", arrow::utf8(), "interval"}, {{"1 mon 2 days", "1 mon 2 days"}}},
        {{"bytes", arrow::binary()},
         {{std::make_shared<arrow::BinaryScalar>(bytes_of(std::string("\0\xff\x7f", 3))), "00ff7f"},
          {std::make_shared<arrow::BinaryScalar>(bytes_of("")), ""}}},
        {{"uuid", sixteen, "uuid"},
         {{std::make_shared<arrow::FixedSizeBinaryScalar>(bytes_of(uuid_bytes), sixteen),
           "00112233-4455-6677-8899-aabbccddeeff"},
          {std::make_shared<arrow::FixedSizeBinaryScalar>(bytes_of(std::string(16, '\xff')),
                                                          sixteen),
           "ffffffff-ffff-ffff-ffff-ffffffffffff"}}},
        {{"numbers", arrow::list(arrow::int32())},
         {{list_of<arrow::Int32Builder, int>({1, std::nullopt, 3}), "[1, NULL, 3]"},
          {list_of<arrow::Int32Builder, int>({}), "[]"}}},
        {{"words", arrow::list(arrow::utf8())},
         {{list_of<arrow::StringBuilder, std::string>({"one", "two"}), "[one, two]"}}},
    };
}

auto time_cases() -> std::vector<TypeCase> {
    const auto micros = arrow::timestamp(arrow::TimeUnit::MICRO);
    const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    const auto time = arrow::time64(arrow::TimeUnit::MICRO);
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t leap_day = 1'709'210'096'789'012;
    const auto stamp = [](std::int64_t value, const auto& type) {
        return Value(std::make_shared<arrow::TimestampScalar>(value, type));
    };
    const auto day = [](std::int32_t value) {
        return Value(std::make_shared<arrow::Date32Scalar>(value));
    };
    const auto clock = [&](std::int64_t value) {
        return Value(std::make_shared<arrow::Time64Scalar>(value, time));
    };
    return {
        {{"day", arrow::date32()},
         {{day(0), "1970-01-01"},
          {day(-141427), "1582-10-15"},
          {day(std::numeric_limits<std::int32_t>::max()), "infinity"},
          {day(std::numeric_limits<std::int32_t>::min()), "-infinity"}}},
        {{"clock", time},
         {{clock(0), "00:00:00"},
          {clock(45'296'789'012), "12:34:56.789012"},
          {clock(86'400'000'000), "24:00:00"}}},
        {{"stamp", micros},
         {{stamp(leap_day, micros), "2024-02-29 12:34:56.789012"},
          {stamp(-1, micros), "1969-12-31 23:59:59.999999"},
          {stamp(most, micros), "infinity"},
          {stamp(least, micros), "-infinity"}}},
        {{"instant", utc},
         {{stamp(leap_day, utc), "2024-02-29 12:34:56.789012+00"},
          {stamp(most, utc), "infinity"},
          {stamp(least, utc), "-infinity"}}},
    };
}

auto all_cases() -> std::vector<TypeCase> {
    auto cases = number_cases();
    for (auto part : {text_cases(), time_cases()})
        cases.insert(cases.end(), part.begin(), part.end());
    return cases;
}

// Row i of every column: its i-th value, then NULL.
class TypeTable {
public:
    TypeTable() : cases_(all_cases()) {
        columns_.emplace_back("id", arrow::int32());
        for (const auto& each : cases_) {
            columns_.push_back(each.column);
            rows_ = std::max(rows_, static_cast<int>(each.values.size()) + 1);
        }
    }

    auto columns() const -> const fixture::Columns& { return columns_; }
    auto names() const -> std::vector<std::string> {
        std::vector<std::string> names;
        for (const auto& each : columns_) names.push_back(each.column.name);
        return names;
    }
    auto rows() const -> int { return rows_; }
    auto row(int id, int value) const -> fixture::Row {
        fixture::Row row = {id};
        for (const auto& each : cases_) {
            const auto at = static_cast<std::size_t>(value);
            row.push_back(at < each.values.size() ? each.values[at].first : Value(nullptr));
        }
        return row;
    }
    auto line(int id, int value) const -> std::string {
        auto line = std::to_string(id);
        for (const auto& each : cases_) {
            const auto at = static_cast<std::size_t>(value);
            line += "|" + (at < each.values.size() ? each.values[at].second : "∅");
        }
        return line;
    }

private:
    std::vector<TypeCase> cases_;
    fixture::Columns columns_;
    int rows_ = 0;
};

TEST_P(SinkConformance, EveryTypeComesOutAsItWentIn) {
    const TypeTable types;
    const auto schema = fixture::keyed_table("types", types.columns());
    Lines expected;
    session([&](Session& sink) {
        BatchFixture first(schema);
        for (int i = 0; i < types.rows(); ++i) first.insert(types.row(i, i));
        sink.apply(1, first);
        // The same through an update, which takes another way into many targets.
        BatchFixture second(schema);
        for (int i = 0; i < types.rows(); ++i) {
            second.update(types.row(i, types.rows() - 1 - i));
            expected.push_back(types.line(i, types.rows() - 1 - i));
        }
        sink.apply(2, second);
    });
    EXPECT_EQ(lines("types", types.names()), expected);
}

TEST_P(SinkConformance, RowsOfEveryTypeAreFoundByTheirValues) {
    const TypeTable types;
    const auto schema = fixture::full_row_table("types", types.columns());
    Lines expected;
    session([&](Session& sink) {
        BatchFixture twice(schema);
        for (int i = 0; i < 2 * types.rows(); ++i) twice.insert(types.row(0, i / 2));
        sink.apply(1, twice);
        BatchFixture one_less(schema);
        for (int i = 0; i < types.rows(); ++i) {
            one_less.remove(types.row(0, i));
            expected.push_back(types.line(0, i));
        }
        sink.apply(2, one_less);
    });
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(lines("types", types.names()), expected);
}

TEST_P(SinkConformance, EveryTypeOfKeyIsFound) {
    for (const auto& each : all_cases()) {
        if (each.column.column.type->id() == arrow::Type::LIST) continue;
        const auto name = "by_" + each.column.column.name;
        auto key = each.column;
        key.column.name = "k";
        const auto schema = fixture::keyed_table(name, {key, {"v", arrow::int32()}});
        session([&](Session& sink) {
            BatchFixture rows(schema);
            for (const auto& [value, text] : each.values) rows.insert({value, 1});
            sink.apply(1, rows);
            BatchFixture changes(schema);
            for (std::size_t i = 0; i < each.values.size(); ++i) {
                if (i == 0) changes.update({each.values[i].first, 2});
                else changes.remove({each.values[i].first});
            }
            sink.apply(2, changes);
        });
        EXPECT_EQ(lines(name, {"k", "v"}), Lines{each.values[0].second + "|2"});
        fresh_target();
    }
}

}  // namespace

}  // namespace leat::conformance
