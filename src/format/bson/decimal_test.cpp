// decimal128 as text, against libbson's.
#include "format/bson/decimal.hpp"

#include <bson/bson.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "format/bson/built_test.hpp"

namespace leat::bson {
namespace {

auto text(std::uint64_t low, std::uint64_t high) -> std::string {
    std::string out = "before ";
    append_decimal_text(out, decimal_value(low, high));
    EXPECT_EQ(out.substr(0, 7), "before ");
    return out.substr(7);
}

auto libbson_text(std::uint64_t low, std::uint64_t high) -> std::string {
    const bson_decimal128_t value{low, high};
    char out[BSON_DECIMAL128_STRING];
    bson_decimal128_to_string(&value, out);
    return out;
}

// The text of what libbson reads from the text.
auto through(const char* written) -> std::string {
    bson_decimal128_t value;
    EXPECT_TRUE(bson_decimal128_from_string(written, &value)) << written;
    return text(value.low, value.high);
}

constexpr std::uint64_t sign = 1ULL << 63;

TEST(BsonDecimal, plain_while_it_is_short) {
    for (const auto* written : {"0",
                                "-0",
                                "1",
                                "-1",
                                "0.1",
                                "1.20",
                                "-0.000001",
                                "0.0000010",
                                "123456.789",
                                "0.00",
                                "0.000000",
                                "-0.00",
                                "9999999999999999999999999999999999",
                                "0.1234567890123456789012345678901234",
                                "-0.000001234567890123456789012345678901234",
                                "100000000000000000",
                                "100000000000000001",
                                "99999999999999999",
                                "1000000000000000000000000000000000",
                                "12345678901234567.00000000000000001"})
        EXPECT_EQ(through(written), written);
}

TEST(BsonDecimal, scientific_otherwise) {
    for (const auto* written : {"1E+3", "0E+3", "-0E+1", "1E-7", "1.5E-7", "0E-7", "1.0E+2",
                                "1E+6111", "1E-6176", "9.999999999999999999999999999999999E+6144",
                                "-1.000000000000000000000000000000001E-6143", "0E+6111", "0E-6176"})
        EXPECT_EQ(through(written), written);
}

TEST(BsonDecimal, the_longest_texts_have_room) {
    EXPECT_EQ(through("-0.000001234567890123456789012345678901234").size(), decimal_text_bytes_max);
    EXPECT_EQ(through("-1.234567890123456789012345678901234E-6143").size(), decimal_text_bytes_max);
}

TEST(BsonDecimal, not_numbers) {
    EXPECT_EQ(text(0, 0x7800ULL << 48), "Infinity");
    EXPECT_EQ(text(1, 0xf8ffULL << 48), "-Infinity");
    EXPECT_EQ(text(0, 0x7c00ULL << 48), "NaN");
    EXPECT_EQ(text(12, 0xfe12ULL << 48), "NaN");  // signalling, signed, with a payload
}

TEST(BsonDecimal, a_coefficient_of_more_than_34_digits_is_zero) {
    // 10^34 - 1 and 10^34.
    EXPECT_EQ(text(0x378d8e63ffffffff, 0x0001ed09bead87c0 | decimal_exponent_0),
              "9999999999999999999999999999999999");
    EXPECT_EQ(text(0x378d8e6400000000, 0x0001ed09bead87c0 | decimal_exponent_0), "0");
    EXPECT_EQ(text(~0ULL, 0x0001ffffffffffff | decimal_exponent_0 | sign), "-0");
    // The form for larger coefficients: its exponent is two bits lower.
    EXPECT_EQ(text(5, 3ULL << 61 | 6176ULL << 47), "0");
    EXPECT_EQ(text(5, 3ULL << 61 | 6179ULL << 47 | sign), "-0E+3");
}

// libbson 1.23 prints coefficients from 10^34 up to 2^113, in 35 digits; MongoDB takes them for 0.
auto expected_text(std::uint64_t low, std::uint64_t high) -> std::string {
    constexpr std::uint64_t coefficient_bits = 0x1'ffff'ffff'ffffULL;
    constexpr std::uint64_t last_high = 0x0001ed09bead87c0;
    const auto coefficient = high & coefficient_bits;
    const bool special = high >> 61 & 1 && high >> 62 & 1;
    const bool large =
        coefficient > last_high || (coefficient == last_high && low > 0x378d8e63ffffffff);
    return !special && large ? libbson_text(0, high & ~coefficient_bits) : libbson_text(low, high);
}

RC_GTEST_PROP(BsonDecimal, as_libbson_prints_any_bits, (std::uint64_t low, std::uint64_t high)) {
    RC_ASSERT(text(low, high) == expected_text(low, high));
}

// Bits at random are mostly of no canonical number: coefficients of every size, exponents about 0.
RC_GTEST_PROP(BsonDecimal, as_libbson_prints_numbers, ()) {
    const auto bits = *rc::gen::inRange(0, 113);
    auto low = *rc::gen::arbitrary<std::uint64_t>();
    auto high = *rc::gen::arbitrary<std::uint64_t>() & 0x1'ffff'ffff'ffffULL;
    high = bits <= 64 ? 0 : high & ((1ULL << (bits - 64)) - 1);
    low = bits >= 64 ? low : low & ((1ULL << bits) - 1);
    const auto near = *rc::gen::arbitrary<bool>();
    const auto exponent = near ? *rc::gen::inRange<std::uint64_t>(6100, 6200)
                               : *rc::gen::inRange<std::uint64_t>(0, 12288);
    high |= exponent << 49;
    if (*rc::gen::arbitrary<bool>()) high |= sign;
    RC_ASSERT(text(low, high) == expected_text(low, high));
}

TEST(BsonDecimalDeathTest, of_another_size) {
    std::string out;
    EXPECT_DEATH(append_decimal_text(out, "0123456789abcde"), "bug");
}

}  // namespace
}  // namespace leat::bson
