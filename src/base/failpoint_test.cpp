// Failpoints: distinct names, and what a specification may say.
#include "base/failpoint.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <set>
#include <string>

namespace leat {

namespace {

auto refused(std::string_view specification) -> std::string {
    const auto armed = arm_failpoints(specification);
    return armed ? "" : armed.error().what;
}

TEST(Failpoint, NamesAreDistinctAndKnown) {
    const auto names = failpoint_names();
    EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
    EXPECT_FALSE(names.empty());
}

TEST(Failpoint, RefusesWhatItDoesNotKnow) {
    EXPECT_EQ(refused("lane.nowhere"), "unknown failpoint: lane.nowhere");
    EXPECT_EQ(refused("lane.after_commit=0"), "unknown failpoint: lane.after_commit=0");
    EXPECT_EQ(refused("lane.after_commit=-1"), "unknown failpoint: lane.after_commit=-1");
    EXPECT_EQ(refused("lane.after_commit=2x"), "unknown failpoint: lane.after_commit=2x");
    EXPECT_EQ(refused("lane.after_commit="), "unknown failpoint: lane.after_commit=");
    EXPECT_EQ(refused(",lane.after_commit"), "unknown failpoint: ");
    const auto armed = arm_failpoints("nonsense=1");
    ASSERT_FALSE(armed.has_value());
    EXPECT_EQ(armed.error().fault, Fault::config);
}

TEST(Failpoint, DoesNothingUnarmed) {
    ASSERT_TRUE(arm_failpoints("").has_value());
    for (const auto name : failpoint_names()) failpoint(name);
}

// The child dies at the hit that was asked for, and not before: exit code 7 would say it lived.
TEST(Failpoint, KillsAtTheHitThatWasAskedFor) {
    const auto hit = [](std::string_view specification, int times) {
        if (!arm_failpoints(specification)) std::_Exit(8);
        for (int i = 0; i < times; ++i) failpoint("lane.after_commit");
        std::_Exit(7);
    };
    EXPECT_EXIT(hit("lane.after_commit", 1), testing::KilledBySignal(SIGKILL), "");
    EXPECT_EXIT(hit("log.cut_tail=1,lane.after_commit=3", 3), testing::KilledBySignal(SIGKILL), "");
    EXPECT_EXIT(hit("log.cut_tail=1,lane.after_commit=3", 2), testing::ExitedWithCode(7), "");
}

}  // namespace

}  // namespace leat
