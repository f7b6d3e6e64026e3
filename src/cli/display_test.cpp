// The lines that a person sees while a pipeline runs.
#include "cli/display.hpp"

#include <gtest/gtest.h>

#include "cli/progress_text.hpp"

namespace leat::cli {
namespace {

const TableName orders{"public", "orders"};

// The image of a second table is read beside a sink that streams.
auto with_image(ImageProgress image) -> PipelineStatus {
    PipelineStatus status;
    status.pipeline = "shop";
    status.capture.phase = Phase::snapshotting;
    status.capture.imaging = {orders};
    status.capture.image = image;
    status.lanes.emplace_back();
    status.lanes.back().name = "duckdb";
    status.lanes.back().phase = Phase::streaming;
    status.lanes.back().image_complete = true;
    status.lanes.back().tables[orders].snapshot_rows = 70'000;  // of earlier images too
    return status;
}

TEST(DisplayTest, TheLineForLogsShowsHowFarAnImageIs) {
    const auto status = with_image({1200, 5000, 190});
    EXPECT_EQ(summary_line(status, status, 10, 0),
              "shop: source snapshotting, image of public.orders, 1200 of about 5000 rows, "
              "about 3 min left; sink duckdb streaming 70000 rows, 0 rows/s up to date");
}

TEST(DisplayTest, SoDoTheLinesOfATerminal) {
    const auto status = with_image({1200, 5000, 7});
    const auto lines = live_lines(status, status, 1, 0);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_TRUE(lines[0].ends_with(
        ", image of public.orders, 1200 of about 5000 rows, about 7 s left"))
        << lines[0];
    EXPECT_TRUE(lines[2].ends_with("rows/s")) << lines[2];
}

TEST(DisplayTest, WithoutAnImageNothingIsSaidOfOne) {
    auto status = with_image({});
    status.capture.phase = Phase::streaming;
    status.capture.image.reset();
    EXPECT_EQ(summary_line(status, status, 10, 0).find("image"), std::string::npos);
}

TEST(ImageTextTest, SaysWhatIsKnown) {
    EXPECT_EQ(image_text({"a.b"}, {7, 0, {}}), "image of a.b, 7 rows");
    EXPECT_EQ(image_text({"a.b", "a.c"}, {7, 9, {}}), "image of 2 tables, 7 of about 9 rows");
}

}  // namespace
}  // namespace leat::cli
