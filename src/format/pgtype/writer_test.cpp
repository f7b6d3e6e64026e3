// Values as PostgreSQL 14 to 18 print and send them, and bytes that no server sends.
#include <arrow/array.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "format/pgtype/written_test.hpp"
#include "format/wire_bytes_test.hpp"

namespace leat::pgtype {
namespace {

using std::string_literals::operator""s;

constexpr std::uint32_t boolean = 16, bytea = 17, char1 = 18, int8 = 20, int2 = 21, int4 = 23,
                        text = 25, oid = 26, float4 = 700, float8 = 701, date = 1082, time = 1083,
                        timestamp = 1114, timestamptz = 1184, uuid = 2950, jsonb = 3802;

auto expect_refused(const PgType& type, Form form, const std::vector<std::string>& values,
                    ValueFault fault = ValueFault::malformed) -> void {
    for (const auto& value : values) {
        const auto written = write(type, form, value);
        EXPECT_EQ(written.fault, fault) << type.oid << ": " << value;
    }
}

template <class Array, class Number>
auto expect_number(const PgType& type, std::string_view value, Number number) -> void {
    const auto written = write_text(type, value);
    ASSERT_EQ(written.fault, ValueFault::none) << value;
    EXPECT_EQ(written.number<Array>(), number) << value;
}

TEST(PgtypeWriter, booleans_and_integers) {
    EXPECT_EQ(write_text(base(boolean), "t").shown(), "true");
    EXPECT_EQ(write_text(base(boolean), "f").shown(), "false");
    EXPECT_EQ(write_binary(base(boolean), "\1").shown(), "true");
    expect_refused(base(boolean), Form::text, {"", "true", "x"});
    expect_refused(base(boolean), Form::binary, {"", "\1\1"});
    expect_number<arrow::Int64Array>(base(int8), "-9223372036854775808",
                                     std::numeric_limits<std::int64_t>::min());
    expect_number<arrow::Int64Array>(base(int8), "999999999999999999", 999'999'999'999'999'999);
    expect_number<arrow::Int32Array>(base(int4), "-2147483648", -2'147'483'647 - 1);
    expect_number<arrow::Int16Array>(base(int2), "32767", 32'767);
    expect_number<arrow::UInt32Array>(base(oid), "4294967295", 4'294'967'295U);
    for (const auto type : {int2, int4, int8, oid}) {
        expect_refused(base(type), Form::text, {"", "-", "+1", " 1", "1 ", "1.0", "0x1", "--1"});
        expect_refused(base(type), Form::text, {"99999999999999999999"}, ValueFault::out_of_range);
        expect_refused(base(type), Form::binary, {"", "123", "123456789"});
    }
    expect_refused(base(int8), Form::text, {"1111111111111111111x"});
    expect_refused(base(int4), Form::text, {"2147483648"}, ValueFault::out_of_range);
    expect_refused(base(int2), Form::text, {"-32769"}, ValueFault::out_of_range);
    expect_refused(base(oid), Form::text, {"-1"}, ValueFault::out_of_range);
}

TEST(PgtypeWriter, floats) {
    expect_number<arrow::DoubleArray>(base(float8), "-1.5e-10", -1.5e-10);
    expect_number<arrow::DoubleArray>(base(float8), "5e-324",
                                      std::numeric_limits<double>::denorm_min());
    expect_number<arrow::DoubleArray>(base(float8), "-Infinity",
                                      -std::numeric_limits<double>::infinity());
    expect_number<arrow::FloatArray>(base(float4), "0.1", 0.1F);
    EXPECT_TRUE(std::signbit(write_text(base(float8), "-0").number<arrow::DoubleArray>()));
    EXPECT_TRUE(std::isnan(write_text(base(float8), "NaN").number<arrow::DoubleArray>()));
    // Whatever its sign and payload, the server prints one NaN.
    const auto sent = write_binary(base(float8), "\xff\xf8\0\0\0\0\0\1"s);
    EXPECT_TRUE(std::isnan(sent.number<arrow::DoubleArray>()));
    EXPECT_FALSE(std::signbit(sent.number<arrow::DoubleArray>()));
    expect_refused(base(float8), Form::text, {"", "1,5", "1e", "0x1p3", " 1"});
    expect_refused(base(float8), Form::text, {"1e999"}, ValueFault::out_of_range);
    expect_refused(base(float8), Form::binary, {"1234"});
}

auto send_numeric(std::int16_t weight, std::uint16_t sign, std::uint16_t dscale,
                  const std::vector<std::uint16_t>& digits) -> std::string {
    WireBytes out;
    out.big(static_cast<std::uint16_t>(digits.size())).big(weight).big(sign).big(dscale);
    for (const auto digit : digits) out.big(digit);
    return out.bytes;
}

TEST(PgtypeWriter, decimals) {
    const auto price = numeric(12, 2);
    for (const auto* value : {"0.00", "-0.01", "9999999999.99", "-9999999999.99", "123.40"})
        EXPECT_EQ(write_text(price, value).shown(), value);
    EXPECT_EQ(write_text(price, "7").shown(), "7.00");
    const auto* const long_value = "-99999999999999999999999999999999999999";
    EXPECT_EQ(write_text(numeric(38, 0), long_value).shown(), long_value);
    EXPECT_EQ(write_binary(price, send_numeric(0, 0x4000, 2, {12, 3400})).shown(), "-12.34");
    EXPECT_EQ(write_binary(price, send_numeric(1, 0, 2, {1})).shown(), "10000.00");
    EXPECT_EQ(write_binary(price, send_numeric(0, 0, 2, {})).shown(), "0.00");
    expect_refused(price, Form::text, {"NaN", "Infinity", "-Infinity"}, ValueFault::not_finite);
    expect_refused(price, Form::text,
                   {"10000000000.00", "0.001", "1234567890123456789012.1",
                    "99999999999999999999999999999999999999999"},
                   ValueFault::out_of_range);
    expect_refused(price, Form::text, {"", "-", ".", "1.2.3", "1e5", "+1", "1 ", "nan"});
    expect_refused(price, Form::binary, {send_numeric(0, 0xC000, 0, {})}, ValueFault::not_finite);
    expect_refused(price, Form::binary,
                   {send_numeric(0, 0, 4, {1, 1}), send_numeric(32'767, 0, 0, {1}),
                    send_numeric(-9, 0, 40, {1}), send_numeric(2, 0, 2, {100})},
                   ValueFault::out_of_range);
    expect_refused(price, Form::binary,
                   {"", send_numeric(0, 0, 0, {10'000}), send_numeric(0, 0x1234, 0, {1}),
                    send_numeric(0, 0, 0, {1}) + "x", "\0\7\0\0\0\0\0\0"s});
}

TEST(PgtypeWriter, numerics_without_precision_keep_the_servers_text) {
    const auto any = base(1700);
    const auto sent = [&](const std::string& bytes) { return write_binary(any, bytes).shown(); };
    EXPECT_EQ(sent(send_numeric(0, 0, 0, {})), "0");
    EXPECT_EQ(sent(send_numeric(0, 0, 3, {})), "0.000");
    EXPECT_EQ(sent(send_numeric(1, 0, 5, {123, 4567, 8900})), "1234567.89000");
    EXPECT_EQ(sent(send_numeric(-2, 0x4000, 9, {12})), "-0.000000120");
    EXPECT_EQ(sent(send_numeric(2, 0, 0, {1})), "100000000");
    EXPECT_EQ(sent(send_numeric(0, 0xC000, 0, {})), "NaN");
    EXPECT_EQ(sent(send_numeric(0, 0xD000, 0x20, {})), "Infinity");
    EXPECT_EQ(sent(send_numeric(0, 0xF000, 0x20, {})), "-Infinity");
    EXPECT_EQ(write_text(any, "1e-20").shown(), "1e-20");
    expect_refused(any, Form::binary, {"", send_numeric(0, 0, 0, {10'000})});
}

TEST(PgtypeWriter, texts) {
    EXPECT_EQ(write_text(base(1042), "ab      ").shown(), "ab      ");
    EXPECT_EQ(write_binary(base(text), "f\xc3\xbcr \xf0\x9f\x98\x80").shown(),
              "f\xc3\xbcr \xf0\x9f\x98\x80");
    expect_refused(base(text), Form::text,
                   {"\xff", "abcdefgh\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                    "\xe0\x80\x80", "12345678\x80", "\xf0\x9f\x98"},
                   ValueFault::not_utf8);
    EXPECT_EQ(write_binary(base(jsonb), "\1{\"a\": 1}").shown(), "{\"a\": 1}");
    expect_refused(base(jsonb), Form::binary, {"", "\2{}", "{}"});
    EXPECT_EQ(write_text(base(char1), "a").shown(), "a");
    EXPECT_EQ(write_text(base(char1), "").shown(), "");
    EXPECT_EQ(write_text(base(char1), "\\310").shown(), "\\310");
    EXPECT_EQ(write_text(base(char1), "\xc8").shown(), "\\310");
    EXPECT_EQ(write_binary(base(char1), "\0"s).shown(), "");
    EXPECT_EQ(write_binary(base(char1), "\xc8").shown(), "\\310");
    auto interval = base(1186);
    interval.name = "interval";
    EXPECT_EQ(write_text(interval, "1 day").shown(), "1 day");
    expect_refused(interval, Form::binary, {"1 day"}, ValueFault::no_binary);
}

TEST(PgtypeWriter, bytes_and_uuids) {
    const auto view = [](const Written& written) {
        return std::string(static_cast<const arrow::BinaryArray&>(*written.array).GetView(0));
    };
    EXPECT_EQ(view(write_text(base(bytea), "\\x00fF1a")), "\0\xff\x1a"s);
    EXPECT_EQ(view(write_text(base(bytea), "\\x")), "");
    EXPECT_EQ(view(write_binary(base(bytea), "\0\xff"s)), "\0\xff"s);
    expect_refused(base(bytea), Form::text, {"", "\\", "\\x0", "\\x0g", "abc", "\\000"});
    const auto id = write_text(base(uuid), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    const auto raw = "\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11"s;
    EXPECT_TRUE(id.array->Equals(write_binary(base(uuid), raw).array));
    expect_refused(
        base(uuid), Form::text,
        {"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", "a0eebc99_9c0b-4ef8-bb6d-6bb9bd380a11",
         "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"});
    expect_refused(base(uuid), Form::binary, {"", raw + "x"});
}

TEST(PgtypeWriter, dates) {
    const auto expect = [](std::string_view value, std::int32_t days) {
        expect_number<arrow::Date32Array>(base(date), value, days);
    };
    expect("1970-01-01", 0);
    expect("2000-02-29", 11'016);
    expect("0001-12-31 BC", -719'163);
    expect("0005-02-29 BC", -720'930);
    expect("4713-01-01 BC", -2'440'550);
    expect("5874897-12-31", 2'145'042'905);
    expect("infinity", std::numeric_limits<std::int32_t>::max());
    expect("-infinity", std::numeric_limits<std::int32_t>::min());
    const auto sent = [](std::int32_t days) {
        return write_binary(base(date), WireBytes{}.big(days).bytes);
    };
    EXPECT_EQ(sent(0).number<arrow::Date32Array>(), 10'957);
    EXPECT_EQ(sent(std::numeric_limits<std::int32_t>::max()).number<arrow::Date32Array>(),
              std::numeric_limits<std::int32_t>::max());
    EXPECT_EQ(sent(std::numeric_limits<std::int32_t>::max() - 10'957).fault,
              ValueFault::out_of_range);
    expect_refused(base(date), Form::text,
                   {"", "2023-02-29", "2023-13-01", "2023-00-01", "2023-01-32", "2023-01-00",
                    "1900-02-29", "99-01-01", "2023-1-1", "2023-01-01 AD", "2023-01-01 BCx",
                    "01/02/2023", "2023-01-01T00", "infinit", "12345678-01-01"});
    expect_refused(base(date), Form::text, {"9999999-01-01"}, ValueFault::out_of_range);
}

TEST(PgtypeWriter, times) {
    expect_number<arrow::Time64Array>(base(time), "24:00:00", 86'400'000'000);
    expect_number<arrow::Time64Array>(base(time), "23:59:59.999999", 86'399'999'999);
    expect_number<arrow::Time64Array>(base(time), "00:00:00.5", 500'000);
    expect_refused(base(time), Form::text,
                   {"", "24:00:01", "23:60:00", "23:59:60", "1:00:00", "10:00", "10:00:00.",
                    "10:00:00.1234567", "10:00:00+01", "99:00:00"});
    expect_refused(base(time), Form::binary, {WireBytes{}.big(std::int64_t{-1}).bytes},
                   ValueFault::out_of_range);
    expect_refused(base(time), Form::binary, {"", "1234"});
}

TEST(PgtypeWriter, timestamps) {
    const auto expect = [](std::string_view value, std::int64_t time_us) {
        for (const auto type : {timestamp, timestamptz})
            expect_number<arrow::TimestampArray>(base(type), value, time_us);
    };
    constexpr auto us_max = std::numeric_limits<std::int64_t>::max();
    constexpr auto us_min = std::numeric_limits<std::int64_t>::min();
    expect("1970-01-01 00:00:00", 0);
    expect("1970-01-01 00:00:00+00", 0);
    expect("1969-12-31 23:59:59.999999+00", -1);
    expect("2024-07-01 00:00:00+05:30", 1'719'772'200'000'000);
    expect("2024-07-01 00:00:00-02:30", 1'719'801'000'000'000);
    expect("1880-01-01 12:00:00.25-03:30:52", -2'840'084'947'750'000);
    expect("0044-03-15 12:00:00+00 BC", -63'517'780'800'000'000);
    expect("0001-12-31 23:59:59.5 BC", -62'135'596'800'500'000);
    expect("infinity", us_max);
    expect("-infinity", us_min);
    const auto sent = [](std::int64_t time_us) {
        return write_binary(base(timestamp), WireBytes{}.big(time_us).bytes);
    };
    EXPECT_EQ(sent(0).number<arrow::TimestampArray>(), 946'684'800'000'000);
    EXPECT_EQ(sent(us_max).number<arrow::TimestampArray>(), us_max);
    EXPECT_EQ(sent(us_min).number<arrow::TimestampArray>(), us_min);
    EXPECT_EQ(sent(us_max - 1).fault, ValueFault::out_of_range);
    EXPECT_EQ(sent(us_max - 946'684'800'000'000).fault, ValueFault::out_of_range);
    for (const auto type : {timestamp, timestamptz}) {
        expect_refused(base(type), Form::text,
                       {"", "2024-07-01", "2024-07-01T00:00:00", "2024-07-01 00:00:00+5",
                        "2024-07-01 00:00:00 +05", "2024-07-01 00:00:00Z", "2024-07-01 24:00:01",
                        "2024-07-01 00:00:00+05:30 BC ", "Mon Jul 01 2024"});
        expect_refused(base(type), Form::text, {"294276-12-31 23:59:59", "9999999-01-01 00:00:00"},
                       ValueFault::out_of_range);
    }
}

auto send_array(std::int32_t dimensions, std::int32_t count, std::int32_t first,
                std::string_view elements) -> std::string {
    WireBytes out;
    out.big(dimensions).big(1).big(int4);
    if (dimensions > 0) out.big(count).big(first);
    return out.raw(elements).bytes;
}

TEST(PgtypeWriter, lists) {
    const auto texts = array_of(base(text));
    EXPECT_EQ(
        write_text(texts, R"({a,"","NULL",NULL,null,"a\"b","c\\d","e,f","{g}"," h "})").shown(),
        "list<item: string>[a, , NULL, null, null, a\"b, c\\d, e,f, {g},  h ]");
    const auto numbers = array_of(base(int4));
    EXPECT_EQ(write_text(numbers, "{}").shown(), "list<item: int32>[]");
    EXPECT_EQ(write_text(numbers, "{1,NULL,-3}").shown(), "list<item: int32>[1, null, -3]");
    const auto elements = WireBytes{}.big(4).big(7).big(-1).bytes;
    EXPECT_EQ(write_binary(numbers, send_array(1, 2, 1, elements)).shown(),
              "list<item: int32>[7, null]");
    EXPECT_EQ(write_binary(numbers, send_array(0, 0, 0, "")).shown(), "list<item: int32>[]");
    auto boxes = array_of(base(603));
    boxes.delimiter = ';';
    EXPECT_EQ(write_text(boxes, "{(3,4),(1,2);(7,8),(5,6)}").shown(),
              "list<item: string>[(3,4),(1,2), (7,8),(5,6)]");
    expect_refused(numbers, Form::text, {"{{1,2},{3,4}}", "[0:1]={1,2}"}, ValueFault::array_shape);
    expect_refused(numbers, Form::binary,
                   {send_array(1, 1, 0, elements), send_array(2, 1, 1, elements)},
                   ValueFault::array_shape);
    expect_refused(
        numbers, Form::text,
        {"", "{", "}", "{1", "{1,}", "{,1}", "{1}}", "{1}x", "{x}", "{\"1", "{\"1\\", "{\"1\"2}"});
    expect_refused(numbers, Form::text, {"{2147483648}"}, ValueFault::out_of_range);
    expect_refused(numbers, Form::binary,
                   {"", send_array(-1, 0, 0, ""), send_array(1, -1, 1, ""),
                    send_array(1, 2'000'000'000, 1, elements), send_array(1, 2, 1, elements + "x"),
                    send_array(1, 1, 1, WireBytes{}.big(-2).bytes),
                    send_array(1, 1, 1, WireBytes{}.sized("12").bytes)});
}

// A failed value keeps the columns aligned: one slot each time, and the next value is right.
TEST(PgtypeWriter, every_append_adds_one_slot) {
    const auto mapping = map(array_of(numeric(4, 1)));
    const auto builder = arrow::MakeBuilder(mapping.type).ValueOrDie();
    auto writer = ValueWriter::make(mapping, builder.get());
    ASSERT_TRUE(writer);
    EXPECT_EQ(writer->append_text("{1.0}"), ValueFault::none);
    EXPECT_EQ(writer->append_text("{2.0,NaN}"), ValueFault::not_finite);
    EXPECT_EQ(writer->append_null(), ValueFault::none);
    EXPECT_EQ(writer->append_text("nothing"), ValueFault::malformed);
    EXPECT_EQ(writer->append_text("{3.0,4.0}"), ValueFault::none);
    const auto array = builder->Finish().ValueOrDie();
    ASSERT_EQ(array->length(), 5);
    EXPECT_TRUE(array->ValidateFull().ok());
    EXPECT_EQ(array->GetScalar(0).ValueOrDie()->ToString(), "list<item: decimal128(4, 1)>[1.0]");
    EXPECT_EQ(array->GetScalar(4).ValueOrDie()->ToString(),
              "list<item: decimal128(4, 1)>[3.0, 4.0]");
    EXPECT_EQ(writer->append_text("{5.0}"), ValueFault::none);
    EXPECT_EQ(builder->Finish().ValueOrDie()->length(), 1);
}

}  // namespace
}  // namespace leat::pgtype
