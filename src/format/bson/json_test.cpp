// The JSON of each type, of texts that need care, and what is refused.
#include "format/bson/json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "format/bson/built_test.hpp"

namespace leat::bson {
namespace {

// The JSON of one value; both functions must say the same of it.
auto json_of(Type type, std::string_view value, Json expected = Json::whole) -> std::string {
    const auto document = document_with(type, value);
    Reader reader(document);
    Element element;
    EXPECT_TRUE(reader.next(element));
    std::string alone = "before ";
    EXPECT_EQ(append_json(alone, element), expected);
    std::string within = "before ";
    EXPECT_EQ(append_json_document(within, document), expected);
    if (expected == Json::malformed) {
        EXPECT_EQ(alone, "before ");
        EXPECT_EQ(within, "before ");
        return {};
    }
    alone.erase(0, 7);
    EXPECT_EQ(within, R"(before {"k":)" + alone + "}");
    return alone;
}

template <class T>
auto number_json(Type type, T number) -> std::string {
    return json_of(type, bytes_of(number));
}

auto double_json(double number) -> std::string {
    return number_json(Type::float64, number);
}

auto text_json(std::string_view text, Json expected = Json::whole) -> std::string {
    std::string out = "before ";
    EXPECT_EQ(append_quoted(out, text), expected);
    EXPECT_EQ(json_of(Type::string, text_value(text), expected), out.substr(7));
    return out.substr(7);
}

constexpr auto int64_min = std::numeric_limits<std::int64_t>::min();
constexpr auto int64_max = std::numeric_limits<std::int64_t>::max();

TEST(BsonJson, whole_numbers_are_plain) {
    EXPECT_EQ(number_json(Type::int32, std::int32_t{-2147483647 - 1}), "-2147483648");
    EXPECT_EQ(number_json(Type::int64, int64_min), "-9223372036854775808");
    EXPECT_EQ(number_json(Type::int64, int64_max), "9223372036854775807");
    EXPECT_EQ(number_json(Type::int64, std::int64_t{0}), "0");
}

TEST(BsonJson, doubles_look_like_doubles) {
    EXPECT_EQ(double_json(1), "1.0");
    EXPECT_EQ(double_json(0.0), "0.0");
    EXPECT_EQ(double_json(-0.0), "-0.0");
    EXPECT_EQ(double_json(-12.5), "-12.5");
    EXPECT_EQ(double_json(19.99), "19.99");
    EXPECT_EQ(double_json(0.07), "0.07");
    EXPECT_EQ(double_json(-0.01), "-0.01");
    EXPECT_EQ(double_json(100000), "100000.0");
    EXPECT_EQ(double_json(9.995), "9.995");
    EXPECT_EQ(double_json(0.1 + 0.2), "0.30000000000000004");
    EXPECT_EQ(double_json(9999999999999.99), "9999999999999.99");
    EXPECT_EQ(double_json(1000000000000000.12),
              "1000000000000000.1");  // 16 digits: no two decimals
    EXPECT_EQ(double_json(9007199254740993.0), "9007199254740992.0");
    EXPECT_EQ(double_json(1e300), "1e+300");
    EXPECT_EQ(double_json(-5e-324), "-5e-324");
    EXPECT_EQ(double_json(1.7976931348623157e308), "1.7976931348623157e+308");
}

// Two decimals have a way of their own; it must come to what the general way would.
RC_GTEST_PROP(BsonJson, two_decimals_are_the_shortest_digits, (std::int64_t number)) {
    const auto cents = number >> *rc::gen::inRange(0, 64);
    const auto value = static_cast<double>(cents) / 100;
    char text[400];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
    std::string expected(text, end);
    if (expected.find('.') == std::string::npos) expected += ".0";
    const auto written = double_json(value);
    if (written.find('e') == std::string::npos) RC_ASSERT(written == expected);
    else RC_ASSERT(std::fabs(value) >= 1e13);
    RC_ASSERT(std::strtod(written.c_str(), nullptr) == value);
}

TEST(BsonJson, numbers_that_json_has_not) {
    constexpr auto infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(double_json(std::numeric_limits<double>::quiet_NaN()), R"({"$numberDouble":"NaN"})");
    EXPECT_EQ(double_json(-std::numeric_limits<double>::quiet_NaN()), R"({"$numberDouble":"NaN"})");
    EXPECT_EQ(double_json(infinity), R"({"$numberDouble":"Infinity"})");
    EXPECT_EQ(double_json(-infinity), R"({"$numberDouble":"-Infinity"})");
}

TEST(BsonJson, dates) {
    const auto date = [](std::int64_t time_ms) { return number_json(Type::date, time_ms); };
    EXPECT_EQ(date(1356351330501), R"({"$date":"2012-12-24T12:15:30.501Z"})");
    EXPECT_EQ(date(1356351330000), R"({"$date":"2012-12-24T12:15:30Z"})");
    EXPECT_EQ(date(1356351330007), R"({"$date":"2012-12-24T12:15:30.007Z"})");
    EXPECT_EQ(date(0), R"({"$date":"1970-01-01T00:00:00Z"})");
    EXPECT_EQ(date(951782399999), R"({"$date":"2000-02-28T23:59:59.999Z"})");
    EXPECT_EQ(date(951782400000), R"({"$date":"2000-02-29T00:00:00Z"})");
    EXPECT_EQ(date(253402300799999), R"({"$date":"9999-12-31T23:59:59.999Z"})");
}

TEST(BsonJson, dates_outside_of_the_years_that_have_a_form) {
    const auto date = [](std::int64_t time_ms) { return number_json(Type::date, time_ms); };
    EXPECT_EQ(date(-1), R"({"$date":{"$numberLong":"-1"}})");
    EXPECT_EQ(date(253402300800000), R"({"$date":{"$numberLong":"253402300800000"}})");
    EXPECT_EQ(date(int64_min), R"({"$date":{"$numberLong":"-9223372036854775808"}})");
    EXPECT_EQ(date(int64_max), R"({"$date":{"$numberLong":"9223372036854775807"}})");
}

TEST(BsonJson, every_other_type) {
    EXPECT_EQ(json_of(Type::null, ""), "null");
    EXPECT_EQ(number_json(Type::boolean, '\1'), "true");
    EXPECT_EQ(number_json(Type::boolean, '\0'), "false");
    EXPECT_EQ(json_of(Type::object_id, "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98"),
              R"({"$oid":"0123456789abcdeffedcba98"})");
    EXPECT_EQ(json_of(Type::decimal128, decimal_value(125, decimal_exponent_0 - (2ULL << 49))),
              R"({"$numberDecimal":"1.25"})");
    EXPECT_EQ(number_json(Type::timestamp, std::uint64_t{0xffffffff} << 32 | 9),
              R"({"$timestamp":{"t":4294967295,"i":9}})");
    EXPECT_EQ(json_of(Type::undefined, ""), R"({"$undefined":true})");
    EXPECT_EQ(json_of(Type::min_key, ""), R"({"$minKey":1})");
    EXPECT_EQ(json_of(Type::max_key, ""), R"({"$maxKey":1})");
    EXPECT_EQ(json_of(Type::code, text_value("\"f\"")), R"({"$code":"\"f\""})");
    EXPECT_EQ(json_of(Type::symbol, text_value("s")), R"({"$symbol":"s"})");
    EXPECT_EQ(json_of(Type::regex, c_string(R"(\d)") + c_string("im")),
              R"({"$regularExpression":{"pattern":"\\d","options":"im"}})");
    EXPECT_EQ(json_of(Type::db_pointer, text_value("db.c") + "0123456789ab"),
              R"({"$dbPointer":{"$ref":"db.c","$id":{"$oid":"303132333435363738396162"}}})");
    EXPECT_EQ(json_of(Type::code_with_scope, scoped_code("f", document_with(Type::null, ""))),
              R"({"$code":"f","$scope":{"k":null}})");
}

TEST(BsonJson, binary) {
    const auto binary = [](std::uint8_t subtype, std::string_view bytes) {
        return json_of(Type::binary, binary_value(subtype, bytes));
    };
    EXPECT_EQ(binary(0, ""), R"({"$binary":{"base64":"","subType":"00"}})");
    EXPECT_EQ(binary(0x80, "a"), R"({"$binary":{"base64":"YQ==","subType":"80"}})");
    EXPECT_EQ(binary(4, "ab"), R"({"$binary":{"base64":"YWI=","subType":"04"}})");
    EXPECT_EQ(binary(5, "abc"), R"({"$binary":{"base64":"YWJj","subType":"05"}})");
    EXPECT_EQ(binary(0, "\xfb\xff\xfe\x01"), R"({"$binary":{"base64":"+//+AQ==","subType":"00"}})");
    EXPECT_EQ(binary(2, length(2) + "ab"), R"({"$binary":{"base64":"YWI=","subType":"02"}})");
}

TEST(BsonJson, documents_and_arrays_in_order_with_every_name) {
    const auto one = element_of(Type::int32, "a", bytes_of(std::int32_t{1}));
    const auto two = element_of(Type::string, "a", text_value("two"));
    const auto both = document_of(one + two);
    EXPECT_EQ(json_of(Type::document, document_of("")), "{}");
    EXPECT_EQ(json_of(Type::array, document_of("")), "[]");
    EXPECT_EQ(json_of(Type::document, both), R"({"a":1,"a":"two"})");
    EXPECT_EQ(json_of(Type::array, both), R"([1,"two"])");
    std::string out;
    EXPECT_EQ(append_json_document(out, document_of(element_of(Type::array, "", both) +
                                                    element_of(Type::document, "\"", both) + one)),
              Json::whole);
    EXPECT_EQ(out, R"({"":[1,"two"],"\"":{"a":1,"a":"two"},"a":1})");
}

TEST(BsonJson, escapes) {
    EXPECT_EQ(text_json(""), R"("")");
    EXPECT_EQ(text_json("\"\\/\b\f\n\r\t"), R"("\"\\/\b\f\n\r\t")");
    EXPECT_EQ(text_json(std::string_view("a\0b\x01\x1f\x7f", 6)),
              "\"a\\u0000b\\u0001\\u001F\x7f\"");
    EXPECT_EQ(text_json("é€😀"), R"("é€😀")");
}

// Each special byte at each place of texts that are shorter, as long and longer than words.
TEST(BsonJson, one_special_byte_is_found_wherever_it_is) {
    for (std::size_t size = 1; size < 30; ++size)
        for (std::size_t at = 0; at < size; ++at) {
            const std::string before(at, '!');
            const std::string behind(size - at - 1, ']');
            EXPECT_EQ(text_json(before + '"' + behind), '"' + before + "\\\"" + behind + '"');
            EXPECT_EQ(text_json(before + '\\' + behind), '"' + before + R"(\\)" + behind + '"');
            EXPECT_EQ(text_json(before + '\x1f' + behind),
                      '"' + before + R"(\u001F)" + behind + '"');
            EXPECT_EQ(text_json(before + "ü" + behind), '"' + before + "ü" + behind + '"');
            EXPECT_EQ(text_json(before + '\xff' + behind, Json::replaced),
                      '"' + before + "\uFFFD" + behind + '"');
        }
}

TEST(BsonJson, every_byte_that_is_not_utf8_is_replaced) {
    EXPECT_EQ(text_json("\xff", Json::replaced), "\"\uFFFD\"");
    EXPECT_EQ(text_json("\xc3", Json::replaced), "\"\uFFFD\"");
    EXPECT_EQ(text_json("a\xe2\x82z", Json::replaced), "\"a\uFFFD\uFFFDz\"");
    EXPECT_EQ(text_json("\xed\xa0\x80", Json::replaced), "\"\uFFFD\uFFFD\uFFFD\"");
    EXPECT_EQ(text_json("ü\xc3ü", Json::replaced), "\"ü\uFFFDü\"");
}

TEST(BsonJson, a_replacement_anywhere_is_reported) {
    const auto scope = document_of(element_of(Type::null, "\xff", ""));
    json_of(Type::document, scope, Json::replaced);
    json_of(Type::array, document_with(Type::code, text_value("\xff")), Json::replaced);
    json_of(Type::symbol, text_value("\xff"), Json::replaced);
    json_of(Type::regex, c_string("\xff") + c_string(""), Json::replaced);
    json_of(Type::regex, c_string("") + c_string("\xff"), Json::replaced);
    json_of(Type::db_pointer, text_value("\xff") + "0123456789ab", Json::replaced);
    json_of(Type::code_with_scope, scoped_code("\xff", document_of("")), Json::replaced);
    json_of(Type::code_with_scope, scoped_code("", scope), Json::replaced);
    json_of(Type::binary, binary_value(0, "\xff"));
}

TEST(BsonJson, malformed_leaves_nothing_behind) {
    std::string out = "before";
    EXPECT_EQ(append_json_document(out, ""), Json::malformed);
    EXPECT_EQ(append_json_document(out, "\x05"), Json::malformed);
    const auto bad = element_of(Type::boolean, "b", "\x02");
    EXPECT_EQ(append_json_document(out, document_of(element_of(Type::null, "a", "") + bad)),
              Json::malformed);
    EXPECT_EQ(out, "before");
    json_of(Type::document, document_of(bad), Json::malformed);
    json_of(Type::array, document_of(bad), Json::malformed);
    json_of(Type::code_with_scope, scoped_code("f", document_of(bad)), Json::malformed);
}

TEST(BsonJson, documents_nested_deeply) {
    for (const auto type : {Type::document, Type::array}) {
        for (const int depth : {1, 2, 100, json_depth_max}) {
            std::string out;
            EXPECT_EQ(append_json_document(out, nested(depth, type)), Json::whole) << depth;
        }
        for (const int depth : {json_depth_max + 1, 300, 100'000}) {
            std::string out = "before";
            EXPECT_EQ(append_json_document(out, nested(depth, type)), Json::malformed) << depth;
            EXPECT_EQ(out, "before");
        }
    }
    // Depth is what is open, not what there is.
    std::string many;
    for (int i = 0; i < 1000; ++i) many += element_of(Type::array, "a", nested(100));
    std::string out;
    EXPECT_EQ(append_json_document(out, document_of(many)), Json::whole);
}

TEST(BsonJson, scopes_count_as_depth) {
    std::string document = document_of("");
    for (int i = 1; i <= json_depth_max; ++i) {
        std::string out;
        EXPECT_EQ(append_json_document(out, document), Json::whole) << i;
        document = document_with(Type::code_with_scope, scoped_code("", document));
    }
    std::string out;
    EXPECT_EQ(append_json_document(out, document), Json::malformed);
}

auto repeated(std::string_view text, std::size_t count) -> std::string {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
}

// The string grows while it is written to: all sizes around the guess it begins with.
TEST(BsonJson, texts_that_grow) {
    for (std::size_t count = 0; count < 300; ++count) {
        EXPECT_EQ(text_json(std::string(count, '\x01')), '"' + repeated(R"(\u0001)", count) + '"');
        EXPECT_EQ(text_json(std::string(count, '\xff'), count == 0 ? Json::whole : Json::replaced),
                  '"' + repeated("\uFFFD", count) + '"');
    }
}

// What each type needs must be there wherever the room ends.
TEST(BsonJson, every_type_behind_a_text_that_grows) {
    auto values = every_type();
    values.emplace_back(Type::binary, binary_value(0, std::string(300, 'x')));
    for (const auto& [type, value] : values) {
        const auto alone = json_of(type, value);
        for (std::size_t count = 0; count < 300; ++count) {
            std::string out;
            const auto text = text_value(std::string(count, '\x01'));
            EXPECT_EQ(append_json_document(out, document_of(element_of(Type::string, "", text) +
                                                            element_of(type, "", value))),
                      Json::whole);
            ASSERT_EQ(out, R"({"":")" + repeated(R"(\u0001)", count) + R"(","":)" + alone + '}');
        }
    }
}

}  // namespace
}  // namespace leat::bson
