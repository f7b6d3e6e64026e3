// Checksums against published values and against Boost's.
#include "queue/log/crc32c.hpp"

#include <gtest/gtest.h>

#include <random>

namespace leat::log_queue {
namespace {

// RFC 3720, appendix B.4, and the usual check value.
TEST(Crc32c, MatchesPublishedValues) {
    EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
    EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, MatchesTheOracleAtEveryLengthAndCut) {
    std::mt19937 random(1);
    std::string bytes(300, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const auto whole = std::string_view(bytes).substr(0, size);
        ASSERT_EQ(crc32c(whole), crc32c_portable(whole)) << size;
        const auto cut = size / 3;
        ASSERT_EQ(crc32c(whole.substr(cut), crc32c(whole.substr(0, cut))), crc32c(whole));
        ASSERT_EQ(crc32c_portable(whole.substr(cut), crc32c_portable(whole.substr(0, cut))),
                  crc32c(whole));
    }
}

}  // namespace
}  // namespace leat::log_queue
