// The shared status: what a cheap look leaves out is still there for the next.
#include "pipeline/status.hpp"

#include <gtest/gtest.h>

namespace leat {

namespace {

TEST(StatusTest, ALookWithoutCountsTakesNothingAway) {
    Status status("shop", {"a", "b"}, 7);
    const TableName table{"public", "t"};
    status.capture([&](CaptureStatus& capture) {
        capture.frames = 3;
        capture.tables[table].inserts = 1;
        capture.images[table].read = 6;
    });
    for (std::size_t i = 0; i < 2; ++i)
        status.lane(i, [&](LaneStatus& lane) {
            lane.tables[table].inserts = static_cast<std::int64_t>(i) + 2;
            lane.flows["t"].rows_in = static_cast<std::int64_t>(i) + 4;
            lane.open_letters = {{"t", 1}};
        });
    const auto look = status.copy_without_counts();
    EXPECT_EQ(look.pipeline, "shop");
    EXPECT_EQ(look.capture.frames, 3);
    EXPECT_TRUE(look.capture.tables.empty() && look.capture.images.empty());
    ASSERT_EQ(look.lanes.size(), 2U);
    EXPECT_TRUE(look.lanes[1].tables.empty() && look.lanes[1].flows.empty());
    EXPECT_EQ(look.lanes[1].open_letters->at("t"), 1);
    const auto whole = status.copy();
    EXPECT_EQ(whole.capture.tables.at(table).inserts, 1);
    EXPECT_EQ(whole.capture.images.at(table).read, 6);
    EXPECT_EQ(whole.lanes[0].tables.at(table).inserts, 2);
    EXPECT_EQ(whole.lanes[1].tables.at(table).inserts, 3);
    EXPECT_EQ(whole.lanes[1].flows.at("t").rows_in, 5);
}

}  // namespace

}  // namespace leat
