// When the log will be full, as an operator is told.
#include "pipeline/forecast.hpp"

#include <gtest/gtest.h>

namespace leat {
namespace {

constexpr std::uint64_t mb = 1'000'000;

auto at(int seconds) -> Duration {
    return std::chrono::seconds(seconds);
}

TEST(Forecast, CarriesTheRateOfTheLastMinuteForward) {
    Forecast forecast;
    std::optional<std::chrono::seconds> left;
    // 1 MB/s for a minute, then 10 MB/s for two: only the last minute counts.
    std::uint64_t held = 0;
    for (int second = 0; second <= 180; ++second) {
        held += second <= 60 ? mb : 10 * mb;
        left = forecast.add(at(second), {held, 10'000 * mb, ""});
    }
    ASSERT_TRUE(left);
    EXPECT_EQ(left->count(), static_cast<std::int64_t>((10'000 * mb - held) / (10 * mb)));
}

TEST(Forecast, SaysNothingWhileTheQueueDoesNotGrowOrTooLittleWasSeen) {
    Forecast forecast;
    EXPECT_FALSE(forecast.add(at(0), {100 * mb, 1000 * mb, ""}));
    EXPECT_FALSE(forecast.add(at(5), {200 * mb, 1000 * mb, ""}));
    EXPECT_TRUE(forecast.add(at(10), {200 * mb, 1000 * mb, ""}));
    EXPECT_FALSE(forecast.add(at(11), {90 * mb, 1000 * mb, ""}));
}

TEST(Forecast, WarnsOnceAndAgainAfterTenMinutes) {
    Forecast forecast;
    const QueueRoom room{500 * mb, 1000 * mb, ""};
    const auto soon = std::optional(std::chrono::seconds(1800));
    EXPECT_TRUE(forecast.deserves_warning(at(0), room, soon));
    EXPECT_FALSE(forecast.deserves_warning(at(599), room, soon));
    EXPECT_TRUE(forecast.deserves_warning(at(601), room, soon));
    // It was better for more than a minute: the next time is news.
    EXPECT_FALSE(forecast.deserves_warning(at(700), room, std::nullopt));
    EXPECT_TRUE(forecast.deserves_warning(at(710), room, soon));
}

TEST(Forecast, FarAwayOrNearlyEmptyIsNoWarning) {
    Forecast forecast;
    EXPECT_FALSE(forecast.deserves_warning(at(0), {500 * mb, 1000 * mb, ""},
                                           std::chrono::seconds(3601)));
    EXPECT_FALSE(forecast.deserves_warning(at(0), {99 * mb, 1000 * mb, ""},
                                           std::chrono::seconds(60)));
}

}  // namespace
}  // namespace leat
