// Progress of an image: like is compared with like, and what cannot be told is not.
#include "pipeline/image_progress.hpp"

#include <gtest/gtest.h>

namespace leat {

namespace {

using std::chrono::seconds;

const TableName orders{"public", "orders"};
const TableName notes{"public", "notes"};

auto eta(const std::map<TableName, ImageRows>& images, Duration elapsed)
    -> std::optional<std::int64_t> {
    return progress_of({orders}, images, elapsed).eta_seconds;
}

TEST(ImageProgressTest, WhatWasReadCorrectsTheEstimateOfTheRest) {
    EXPECT_EQ((ImageRows{0, 1000, 0, 0}).estimated(), 1000);
    EXPECT_EQ((ImageRows{30, 1000, 0, 0}).estimated(), 1000);
    // Half of the chunks had a tenth of what was expected of them.
    EXPECT_EQ((ImageRows{55, 1000, 50, 500}).estimated(), 100);
    EXPECT_EQ((ImageRows{50, 500, 50, 500}).estimated(), 50);
    EXPECT_EQ((ImageRows{2000, 1000, 0, 0}).estimated(), 2000);
    EXPECT_EQ((ImageRows{7, 0, 0, 0}).estimated(), 7);
    EXPECT_EQ((ImageRows{0, 800, 0, 400}).estimated(), 0);
}

TEST(ImageProgressTest, TheTimeLeftFollowsFromTheRateSoFar) {
    const auto progress =
        progress_of({orders, notes}, {{orders, {250, 1000, 250, 250}}, {notes, {50, 50, 50, 50}}},
                    seconds(10));
    EXPECT_EQ(progress.rows, 300);
    EXPECT_EQ(progress.rows_estimate, 1050);
    EXPECT_EQ(progress.eta_seconds, 25);
}

TEST(ImageProgressTest, OfOtherImagesNothingCounts) {
    const std::map<TableName, ImageRows> images = {{orders, {250, 1000, 250, 250}},
                                                   {notes, {5000, 9000, 5000, 5000}}};
    const auto progress = progress_of({orders}, images, seconds(10));
    EXPECT_EQ(progress.rows, 250);
    EXPECT_EQ(progress.rows_estimate, 1000);
    EXPECT_EQ(progress.eta_seconds, 30);
}

TEST(ImageProgressTest, NothingIsForetoldWithoutGrounds) {
    EXPECT_EQ(eta({}, seconds(10)), std::nullopt);
    EXPECT_EQ(eta({{orders, {0, 1000, 0, 0}}}, seconds(10)), std::nullopt);
    EXPECT_EQ(eta({{orders, {10, 1000, 0, 0}}}, seconds(10)), std::nullopt) << "no chunk is done";
    EXPECT_EQ(eta({{orders, {10, 0, 10, 0}}}, seconds(10)), std::nullopt) << "no estimate";
    EXPECT_EQ(eta({{orders, {1000, 1000, 1000, 1000}}}, seconds(10)), std::nullopt);
    EXPECT_EQ(eta({{orders, {1200, 1000, 900, 900}}}, seconds(10)), std::nullopt) << "outrun";
    EXPECT_EQ(eta({{orders, {500, 1000, 500, 500}}}, std::chrono::milliseconds(20)), std::nullopt);
    EXPECT_EQ(eta({{orders, {500, 1000, 500, 500}}}, seconds(10)), 10);
}

}  // namespace

}  // namespace leat
