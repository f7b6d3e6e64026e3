// Values of each type out of their elements.
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>

#include "format/bson/bson.hpp"
#include "format/bson/built_test.hpp"

namespace leat::bson {
namespace {

// The first element; its document stays alive for the test.
struct One {
    One(Type type, std::string_view value) : document(document_with(type, value)) {
        Reader reader(document);
        EXPECT_TRUE(reader.next(element));
    }
    std::string document;
    Element element;
};

template <class T>
auto one(Type type, T number) -> One {
    return {type, bytes_of(number)};
}

constexpr auto int64_min = std::numeric_limits<std::int64_t>::min();
constexpr auto int64_max = std::numeric_limits<std::int64_t>::max();

TEST(BsonValue, numbers) {
    EXPECT_EQ(as_float64(one(Type::float64, -0.1).element), -0.1);
    EXPECT_EQ(as_int32(one(Type::int32, std::int32_t{-70'000}).element), -70'000);
    EXPECT_EQ(as_int64(one(Type::int64, int64_min).element), int64_min);
    EXPECT_EQ(as_int64(one(Type::date, std::int64_t{-1}).element), -1);
    EXPECT_EQ(as_int64(one(Type::timestamp, int64_max).element), int64_max);
    EXPECT_TRUE(as_boolean(one(Type::boolean, '\1').element));
    EXPECT_FALSE(as_boolean(one(Type::boolean, '\0').element));
}

TEST(BsonValue, timestamp_has_its_seconds_above) {
    const auto raw = one(Type::timestamp, std::uint64_t{0xfedcba98'01234567});
    EXPECT_EQ(as_timestamp(raw.element), (Timestamp{0xfedcba98, 0x01234567}));
    EXPECT_LT((Timestamp{1, 9}), (Timestamp{2, 0}));
}

TEST(BsonValue, texts_and_documents) {
    for (const auto type : {Type::string, Type::symbol, Type::code}) {
        EXPECT_EQ(as_text(One(type, text_value("text")).element), "text");
        EXPECT_EQ(as_text(One(type, text_value("")).element), "");
    }
    const auto inside = document_with(Type::null, "");
    EXPECT_EQ(as_document(One(Type::document, inside).element), inside);
    EXPECT_EQ(as_document(One(Type::array, inside).element), inside);
}

TEST(BsonValue, of_fixed_size) {
    EXPECT_EQ(as_object_id(One(Type::object_id, "0123456789ab").element), "0123456789ab");
    EXPECT_EQ(as_decimal128(One(Type::decimal128, "0123456789abcdef").element), "0123456789abcdef");
}

TEST(BsonValue, composed) {
    const One regex(Type::regex, c_string("^a") + c_string("ix"));
    EXPECT_EQ(as_regex(regex.element).pattern, "^a");
    EXPECT_EQ(as_regex(regex.element).options, "ix");
    const One pointer(Type::db_pointer, text_value("db.c") + "0123456789ab");
    EXPECT_EQ(as_db_pointer(pointer.element).collection, "db.c");
    EXPECT_EQ(as_db_pointer(pointer.element).object_id, "0123456789ab");
    const auto scope = document_with(Type::null, "");
    const One code(Type::code_with_scope, scoped_code("f()", scope));
    EXPECT_EQ(as_code_with_scope(code.element).code, "f()");
    EXPECT_EQ(as_code_with_scope(code.element).scope, scope);
}

TEST(BsonValue, binary_of_any_subtype) {
    const One binary(Type::binary, binary_value(0x80, "bytes"));
    EXPECT_EQ(as_binary(binary.element).subtype, 0x80);
    EXPECT_EQ(as_binary(binary.element).bytes, "bytes");
    EXPECT_EQ(as_binary(One(Type::binary, binary_value(2, "")).element).bytes, "");
}

TEST(BsonValue, the_second_length_of_subtype_2_only_when_it_is_right) {
    const auto bytes = [](std::uint8_t subtype, const std::string& with_length) {
        return std::string(
            as_binary(One(Type::binary, binary_value(subtype, with_length)).element).bytes);
    };
    EXPECT_EQ(bytes(2, length(2) + "ab"), "ab");
    EXPECT_EQ(bytes(2, length(0)), "");
    EXPECT_EQ(bytes(2, length(3) + "ab"), length(3) + "ab");
    EXPECT_EQ(bytes(2, length(1) + "ab"), length(1) + "ab");
    EXPECT_EQ(bytes(2, "abc"), "abc");
    EXPECT_EQ(bytes(0, length(2) + "ab"), length(2) + "ab");
}

TEST(BsonValue, whole_numbers) {
    const auto whole = [](auto type, auto number) {
        return whole_number(one(type, number).element);
    };
    EXPECT_EQ(whole(Type::int32, std::int32_t{-3}), -3);
    EXPECT_EQ(whole(Type::int64, int64_max), int64_max);
    EXPECT_EQ(whole(Type::float64, 3.0), 3);
    EXPECT_EQ(whole(Type::float64, -0.0), 0);
    EXPECT_EQ(whole(Type::float64, -9223372036854775808.0), int64_min);
    EXPECT_EQ(whole(Type::float64, 9223372036854774784.0), 9223372036854774784);
    EXPECT_EQ(whole(Type::float64, 9223372036854775808.0), std::nullopt);
    EXPECT_EQ(whole(Type::float64, -9223372036854777856.0), std::nullopt);
    EXPECT_EQ(whole(Type::float64, 0.5), std::nullopt);
    EXPECT_EQ(whole(Type::float64, std::numeric_limits<double>::quiet_NaN()), std::nullopt);
    EXPECT_EQ(whole(Type::float64, -std::numeric_limits<double>::infinity()), std::nullopt);
    EXPECT_EQ(whole(Type::date, std::int64_t{1}), std::nullopt);
    EXPECT_EQ(whole_number(One(Type::string, text_value("1")).element), std::nullopt);
}

TEST(BsonValueDeathTest, of_another_type) {
    const One null(Type::null, "");
    EXPECT_DEATH(as_float64(null.element), "bug");
    EXPECT_DEATH(as_int32(null.element), "bug");
    EXPECT_DEATH(as_int64(null.element), "bug");
    EXPECT_DEATH(as_boolean(null.element), "bug");
    EXPECT_DEATH(as_text(null.element), "bug");
    EXPECT_DEATH(as_document(null.element), "bug");
    EXPECT_DEATH(as_object_id(null.element), "bug");
    EXPECT_DEATH(as_timestamp(null.element), "bug");
    EXPECT_DEATH(as_binary(null.element), "bug");
    EXPECT_DEATH(as_decimal128(null.element), "bug");
    EXPECT_DEATH(as_regex(null.element), "bug");
    EXPECT_DEATH(as_db_pointer(null.element), "bug");
    EXPECT_DEATH(as_code_with_scope(null.element), "bug");
    // No Reader yields this one.
    EXPECT_DEATH(as_int32(Element{Type::int32, "", "abc"}), "bug");
}

}  // namespace
}  // namespace leat::bson
