// When a lane commits: limits, the pause after a commit, the first epoch.
#include "pipeline/epoch.hpp"

#include <gtest/gtest.h>

namespace leat {

namespace {

using std::chrono::milliseconds;

TEST(Epoch, EmptyIsNeverDue) {
    const Epoch epoch{EpochLimits{}};
    EXPECT_FALSE(epoch.due(std::chrono::hours(1), true));
}

TEST(Epoch, CaughtUpCommitsAtOnce) {
    Epoch epoch{EpochLimits{}};
    epoch.add(1, 100, milliseconds(5));
    EXPECT_TRUE(epoch.due(milliseconds(5), true));
    EXPECT_FALSE(epoch.due(milliseconds(5), false));
}

TEST(Epoch, PausesAfterACommitForAMultipleOfItsCost) {
    EpochLimits limits;
    limits.pause_factor = 2.0;
    Epoch epoch{limits};
    epoch.add(1, 100, milliseconds(0));
    epoch.committed(milliseconds(10), milliseconds(40));  // cost 30 ms, so nothing before 100 ms
    epoch.add(1, 100, milliseconds(41));
    EXPECT_FALSE(epoch.due(milliseconds(99), true));
    EXPECT_EQ(epoch.wait(milliseconds(41)), milliseconds(59));
    EXPECT_TRUE(epoch.due(milliseconds(100), true));
}

TEST(Epoch, PausesAtLeastForTheShortestTime) {
    EpochLimits limits;
    limits.pause_min = milliseconds(20);
    Epoch epoch{limits};
    epoch.add(1, 100, milliseconds(0));
    epoch.committed(milliseconds(0), milliseconds(1));
    epoch.add(1, 100, milliseconds(1));
    EXPECT_FALSE(epoch.due(milliseconds(20), true));
    EXPECT_TRUE(epoch.due(milliseconds(21), true));
}

TEST(Epoch, PausesLongerAfterABusyEpoch) {
    EpochLimits limits;
    limits.busy_rows = 100;
    limits.busy_pause_factor = 3.0;
    Epoch epoch{limits};
    epoch.add(100, 100, milliseconds(0));
    epoch.committed(milliseconds(0), milliseconds(20));
    epoch.add(1, 100, milliseconds(21));
    EXPECT_FALSE(epoch.due(milliseconds(79), true));
    EXPECT_TRUE(epoch.due(milliseconds(80), true));
}

TEST(Epoch, ASlowBusyCommitDoesNotPauseForLong) {
    EpochLimits limits;
    limits.busy_rows = 100;
    limits.busy_pause_max = milliseconds(50);
    Epoch epoch{limits};
    epoch.add(100, 100, milliseconds(0));
    epoch.committed(milliseconds(0), milliseconds(20));
    epoch.add(100, 100, milliseconds(21));
    EXPECT_FALSE(epoch.due(milliseconds(69), true));
    EXPECT_TRUE(epoch.due(milliseconds(70), true));
    // What a commit costs it pauses for in any case.
    epoch.committed(milliseconds(70), milliseconds(170));
    epoch.add(100, 100, milliseconds(171));
    EXPECT_FALSE(epoch.due(milliseconds(269), true));
    EXPECT_TRUE(epoch.due(milliseconds(270), true));
}

TEST(Epoch, LimitsBeatThePause) {
    EpochLimits limits;
    limits.rows_max = 10;
    limits.bytes_max = 1000;
    limits.pause_factor = 1000;
    Epoch epoch{limits};
    epoch.add(1, 1, milliseconds(0));
    epoch.committed(milliseconds(0), milliseconds(500));
    epoch.add(10, 1, milliseconds(501));
    EXPECT_TRUE(epoch.due(milliseconds(501), false));
    epoch.committed(milliseconds(501), milliseconds(502));
    epoch.add(1, 1000, milliseconds(503));
    EXPECT_TRUE(epoch.due(milliseconds(503), false));
}

TEST(Epoch, AgeCapsALaggingLane) {
    EpochLimits limits;
    limits.age_max = milliseconds(200);
    Epoch epoch{limits};
    epoch.add(1, 1, milliseconds(100));
    epoch.add(1, 1, milliseconds(250));
    EXPECT_FALSE(epoch.due(milliseconds(299), false));
    EXPECT_TRUE(epoch.due(milliseconds(300), false));
}

}  // namespace

}  // namespace leat
