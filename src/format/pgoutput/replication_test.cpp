// Frames around pgoutput and WAL positions.
#include "format/pgoutput/replication.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "format/pgoutput/wire_time.hpp"
#include "format/wire_bytes_test.hpp"

namespace leat::pgoutput {
namespace {

TEST(Lsn, text_form) {
    EXPECT_EQ(to_string(Lsn{0x16B374D848}), "16/B374D848");
    EXPECT_EQ(to_string(Lsn{}), "0/0");
    const auto parsed = parse_lsn("16/B374D848");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, Lsn{0x16B374D848});
    for (const auto* wrong : {"", "/", "16", "16/", "/1", "1/2/3", "1/-2", "100000000/0", "0/g",
                              "0/0 ", "0x1/2", "000000001/0"})
        EXPECT_FALSE(parse_lsn(wrong)) << wrong;
}

RC_GTEST_PROP(Lsn, comes_back, (std::uint64_t value)) {
    const auto parsed = parse_lsn(to_string(Lsn{value}));
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == Lsn{value});
}

TEST(Replication, wal_data) {
    const auto bytes =
        WireBytes{}.big('w').big(7ULL).big(9ULL).big(to_wire_time(1'000'001)).raw("B").bytes;
    const auto frame = decode_frame(bytes);
    ASSERT_TRUE(frame);
    const auto& data = std::get<XLogData>(*frame);
    EXPECT_EQ(data.start.value, 7U);
    EXPECT_EQ(data.wal_end.value, 9U);
    EXPECT_EQ(data.send_time_us, 1'000'001);
    EXPECT_EQ(data.payload, "B");
    for (std::size_t size = 0; size < 25; ++size) EXPECT_FALSE(decode_frame(bytes.substr(0, size)));
}

TEST(Replication, keepalive) {
    const auto bytes = WireBytes{}.big('k').big(9ULL).big(to_wire_time(-5)).big('\1').bytes;
    const auto frame = decode_frame(bytes);
    ASSERT_TRUE(frame);
    const auto& keepalive = std::get<Keepalive>(*frame);
    EXPECT_EQ(keepalive.wal_end.value, 9U);
    EXPECT_EQ(keepalive.send_time_us, -5);
    EXPECT_TRUE(keepalive.reply_requested);
    EXPECT_FALSE(decode_frame(bytes + "x"));
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(decode_frame(bytes.substr(0, size)));
    EXPECT_FALSE(decode_frame("z"));
}

TEST(Replication, standby_status) {
    const auto bytes = encode(StandbyStatus{Lsn{3}, Lsn{2}, Lsn{1}, 946'684'800'000'017, true});
    EXPECT_EQ(bytes, WireBytes{}.big('r').big(3ULL).big(2ULL).big(1ULL).big(17ULL).big('\1').bytes);
}

}  // namespace
}  // namespace leat::pgoutput
