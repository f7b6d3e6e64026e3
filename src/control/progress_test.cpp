// The progress of an image in the metrics and in the JSON of a status.
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "control/metrics.hpp"
#include "control/status_json.hpp"

namespace leat {

namespace {

const TableName orders{"public", "orders"};
const TableName notes{"public", "notes"};

auto with_image(std::optional<std::int64_t> eta) -> PipelineStatus {
    PipelineStatus status;
    status.pipeline = "shop";
    status.capture.tables[orders].snapshot_rows = 90;  // of two images
    status.capture.imaging = {orders};
    status.capture.images = {{orders, {40, 100, 40, 40}}, {notes, {9, 9, 9, 9}}};
    status.capture.image = ImageProgress{40, 100, eta};
    return status;
}

auto has(const PipelineStatus& status, const std::string& sample) -> bool {
    return metrics_text(status, "1").find(sample + "\n") != std::string::npos;
}

TEST(ProgressTest, CountersRunOnAndGaugesShowTheNewestImage) {
    const auto status = with_image(12);
    EXPECT_TRUE(has(status, "leat_events_total{pipeline=\"shop\",op=\"snapshot\","
                            "table=\"public.orders\"} 90"));
    EXPECT_TRUE(has(status, "leat_snapshot_rows{pipeline=\"shop\",table=\"public.orders\","
                            "state=\"done\"} 40"));
    EXPECT_TRUE(has(status, "leat_snapshot_rows{pipeline=\"shop\",table=\"public.orders\","
                            "state=\"estimated\"} 100"));
    EXPECT_TRUE(has(status, "leat_snapshot_eta_seconds{pipeline=\"shop\"} 12"));
}

TEST(ProgressTest, NoForecastNoSeries) {
    const auto text = metrics_text(with_image({}), "1");
    EXPECT_EQ(text.find("leat_snapshot_eta_seconds"), std::string::npos);
}

TEST(ProgressTest, TheStatusHasTheTablesOfTheImage) {
    const auto image = [](const PipelineStatus& status) {
        return boost::json::serialize(to_json(status).at("capture").at("image"));
    };
    EXPECT_EQ(image(with_image(12)),
              R"({"rows":40,"rows_estimate":100,"eta_seconds":12,)"
              R"("tables":{"public.orders":{"rows":40,"rows_estimate":100}}})");
    EXPECT_NE(image(with_image({})).find(R"("eta_seconds":null)"), std::string::npos);
    EXPECT_EQ(image(PipelineStatus{}), "null");
}

}  // namespace

}  // namespace leat
