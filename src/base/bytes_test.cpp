// Reader of bytes: byte order, and never past the end.
#include "base/bytes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>

namespace leat {

namespace {

using namespace std::string_view_literals;

TEST(ByteReader, ReadsBigAndLittleEndian) {
    ByteReader reader("\x01\x02\xff\xfe\x01\x00\x00\x00\x80"sv);
    EXPECT_EQ(reader.big<std::uint16_t>(), 0x0102);
    EXPECT_EQ(reader.big<std::int16_t>(), -2);
    EXPECT_EQ(reader.little<std::uint32_t>(), 1U);
    EXPECT_EQ(reader.big<std::int8_t>(), -128);
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader.remaining(), 0U);
}

TEST(ByteReader, StaysFailedAfterReadingPastTheEnd) {
    ByteReader reader("abc"sv);
    EXPECT_EQ(reader.big<std::uint32_t>(), 0U);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(reader.take(1), "");
    EXPECT_EQ(reader.big<std::uint8_t>(), 0);
    EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, TakesExactlyWhatIsThere) {
    ByteReader reader("abc"sv);
    EXPECT_EQ(reader.take(3), "abc");
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader.take(0), "");
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader.take(1), "");
    EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, ReadsCStringsUpToTheirEnd) {
    ByteReader reader("one\0\0rest"sv);
    EXPECT_EQ(reader.c_string(), "one");
    EXPECT_EQ(reader.c_string(), "");
    EXPECT_EQ(reader.rest(), "rest");
    EXPECT_EQ(reader.c_string(), "");
    EXPECT_FALSE(reader.ok());
}

template <class T>
auto big_bytes(T value) -> std::string {
    const auto swapped = ByteReader::from_big(value);
    return {reinterpret_cast<const char*>(&swapped), sizeof(T)};
}

RC_GTEST_PROP(ByteReader, BigEndianRoundTrip, (std::int64_t a, std::uint16_t b, std::int32_t c)) {
    const auto bytes = big_bytes(a) + big_bytes(b) + big_bytes(c);
    ByteReader reader(bytes);
    RC_ASSERT(reader.big<std::int64_t>() == a);
    RC_ASSERT(reader.big<std::uint16_t>() == b);
    RC_ASSERT(reader.big<std::int32_t>() == c);
    RC_ASSERT(reader.ok() && reader.remaining() == 0U);
}

}  // namespace

}  // namespace leat
