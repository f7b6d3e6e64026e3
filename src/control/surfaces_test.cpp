// What metrics and the JSON of a status make of a status.
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

TEST(LetterMetricsTest, OpenLettersByReasonAndTheAgeOfTheOldest) {
    PipelineStatus status;
    status.pipeline = "shop";
    status.lanes.emplace_back();
    auto& lane = status.lanes.back();
    lane.name = "d";
    EXPECT_EQ(metrics_text(status, "1").find("leat_dead_letters"), std::string::npos);
    lane.open_letters.emplace();
    const std::string letters = "leat_dead_letters{pipeline=\"shop\",sink=\"d\",reason=";
    EXPECT_TRUE(has(status, letters + "\"incomplete_row\"} 0"));
    EXPECT_EQ(metrics_text(status, "1").find("oldest_age"), std::string::npos);
    lane.open_letters = {{"orders", 2}};
    lane.open_letters_by_reason = {{"incomplete_row", 2}};
    lane.oldest_letter_us = 1;
    lane.oldest_letter_age_seconds = 7;
    EXPECT_TRUE(has(status, letters + "\"incomplete_row\"} 2"));
    EXPECT_TRUE(has(status, letters + "\"expectation_broken\"} 0"));
    EXPECT_TRUE(
        has(status, "leat_dead_letters_oldest_age_seconds{pipeline=\"shop\",sink=\"d\"} 7"));
}

TEST(ErrorMetricsTest, FailuresOfASinkByCode) {
    PipelineStatus status;
    status.pipeline = "shop";
    status.lanes.emplace_back();
    status.lanes.back().name = "d";
    status.lanes.back().errors = {{Code::none, 1}, {Code::duckdb_busy, 3}};
    const std::string errors = "leat_sink_errors_total{pipeline=\"shop\",sink=\"d\",code=";
    EXPECT_TRUE(has(status, errors + "\"none\"} 1"));
    EXPECT_TRUE(has(status, errors + "\"DUCKDB-BUSY\"} 3"));
}

}  // namespace

}  // namespace leat
