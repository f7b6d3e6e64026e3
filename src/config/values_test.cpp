// Sizes and durations: exact both ways, refused where they do not fit.
#include "config/values.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>

namespace leat::config {
namespace {

using namespace std::chrono_literals;

TEST(Bytes, ReadsUnits) {
    EXPECT_EQ(parse_bytes("64 MiB"), Bytes::mib(64));
    EXPECT_EQ(parse_bytes("64mib"), Bytes::mib(64));
    EXPECT_EQ(parse_bytes("10 GB"), Bytes{10'000'000'000});
    EXPECT_EQ(parse_bytes("1.5KiB"), Bytes{1536});
    EXPECT_EQ(parse_bytes("0 B"), Bytes{0});
    for (const auto* text : {"", "64", "MiB", "-1 B", "1 XB", "1. B", ".5 B", "1.5.5 B", "1e3 B",
                             "18446744073709551616 B", "99999999999 TiB", "1 B 2"}) {
        EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
    }
    EXPECT_EQ(parse_bytes("18446744073709551615 B"), Bytes{~std::uint64_t{0}});
}

TEST(Duration, ReadsUnits) {
    EXPECT_EQ(parse_duration("2ms"), 2ms);
    EXPECT_EQ(parse_duration("24h"), 24h);
    EXPECT_EQ(parse_duration("1.5 s"), 1500ms);
    EXPECT_EQ(parse_duration("5m"), 5min);
    EXPECT_EQ(parse_duration("5 min"), 5min);
    EXPECT_EQ(parse_duration("7d"), 168h);
    EXPECT_EQ(parse_duration("0"), 0s);
    EXPECT_EQ(parse_duration("250us"), 250us);
    for (const auto* text : {"", "5", "h", "-1s", "1 week", "107000d", "1h30m"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
    }
}

TEST(Values, WrittenAndReadAgainAreTheSame) {
    EXPECT_TRUE(rc::check([](std::uint64_t count) {
        RC_ASSERT(parse_bytes(to_string(Bytes{count})) == Bytes{count});
    }));
    EXPECT_TRUE(rc::check([] {
        const Duration value{*rc::gen::nonNegative<std::int64_t>()};
        RC_ASSERT(parse_duration(to_string(value)) == value);
    }));
    EXPECT_EQ(to_string(Bytes::gib(10)), "10 GiB");
    EXPECT_EQ(to_string(Bytes{10'000'000'000}), "10 GB");
    EXPECT_EQ(to_string(Duration(90s)), "90 s");
    EXPECT_EQ(to_string(Duration(-2ms)), "-2 ms");
}

}  // namespace
}  // namespace leat::config
