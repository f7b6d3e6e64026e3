// What figures amount to: each condition turned by what should turn it, and by nothing else.
#include "pipeline/health.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace leat {

namespace {

using std::chrono::seconds;

constexpr std::int64_t second_us = 1'000'000;

// A pipeline with one sink where all is well; tests break one thing.
class HealthTest : public ::testing::Test {
protected:
    HealthTest() {
        status_.pipeline = "shop";
        status_.capture.phase = Phase::streaming;
        status_.capture.durable = {1, 100, 0, ""};
        status_.capture.tables[{"public", "orders"}].inserts = 1;
        status_.capture.watch.is_kept = true;
        status_.capture.watch.vitals = SourceVitals{Keeping::kept, "Reserved", "", "", 0, {}};
        status_.lanes.emplace_back();
        auto& lane = status_.lanes.back();
        lane.name = "duckdb";
        lane.phase = Phase::streaming;
        lane.image_complete = true;
        lane.reached = status_.capture.durable;
        lane.tables[{"public", "orders"}].inserts = 1;
        lane.open_letters.emplace();
    }

    auto look(std::int64_t after_s = 1) -> Health {
        now_s_ += after_s;
        if (keeps_answering_)
            status_.capture.watch.asked = status_.capture.watch.answered = seconds(now_s_);
        judge_.judge(status_, now_s_ * second_us, seconds(now_s_));
        return status_.health;
    }
    auto condition(const std::string& type) const -> Condition {
        const auto found =
            std::find_if(status_.conditions.begin(), status_.conditions.end(),
                         [&](const Condition& one) { return one.type == type; });
        return found == status_.conditions.end() ? Condition{} : *found;
    }
    auto verdict(const std::string& type) const -> Verdict { return condition(type).verdict; }
    auto lane() -> LaneStatus& { return status_.lanes.front(); }

    PipelineStatus status_;
    Judge judge_;
    std::int64_t now_s_ = 1000;
    bool keeps_answering_ = true;
};

const Error refused{Fault::retry, "connection refused", "Start the server.", "postgres",
                    Code::pg_unreachable};

TEST_F(HealthTest, HealthyWhenAllHolds) {
    EXPECT_EQ(look(), Health::healthy);
    EXPECT_EQ(status_.phase, Phase::streaming);
    ASSERT_EQ(status_.tables.size(), 2U);
    EXPECT_EQ(status_.tables[0].table, "public.orders");
    EXPECT_EQ(status_.tables[1].table, "orders");
    for (const auto& name : components_of(status_))
        EXPECT_EQ(health_of(status_, name), Health::healthy) << name;
    EXPECT_FALSE(health_of(status_, "nothing"));
}

TEST_F(HealthTest, AnImageHasAForecastWhileItIsRead) {
    auto& capture = status_.capture;
    capture.phase = Phase::snapshotting;
    capture.imaging = {{"public", "orders"}};
    capture.imaging_since = seconds(now_s_);
    capture.images[{"public", "orders"}] = {250, 1000, 250, 250};
    look(10);
    ASSERT_TRUE(capture.image);
    EXPECT_EQ(capture.image->rows, 250);
    EXPECT_EQ(capture.image->eta_seconds, 30);
    capture.phase = Phase::waiting;
    look();
    EXPECT_FALSE(capture.image);
}

TEST_F(HealthTest, TablesStreamWhileTheImageOfAnotherIsRead) {
    status_.capture.phase = Phase::snapshotting;
    status_.capture.imaging = {{"public", "customers"}};
    status_.capture.tables[{"public", "customers"}];
    look();
    EXPECT_EQ(status_.tables[0].phase, Phase::snapshotting);
    EXPECT_EQ(status_.tables[1].table, "public.orders");
    EXPECT_EQ(status_.tables[1].phase, Phase::streaming);
    status_.capture.imaging.clear();
    look();
    EXPECT_EQ(status_.tables[1].phase, Phase::snapshotting);
}

TEST_F(HealthTest, NothingIsHealthyUnproved) {
    status_.capture.phase = Phase::starting;
    EXPECT_EQ(look(), Health::degraded);
    EXPECT_EQ(verdict("SourceReachable"), Verdict::unknown);
    status_.capture.phase = Phase::streaming;
    status_.capture.watch.vitals.reset();
    EXPECT_EQ(look(), Health::degraded);
    EXPECT_EQ(verdict("HistoryKept"), Verdict::unknown);
}

TEST_F(HealthTest, EveryPhaseOfALaneButStreamingIsLess) {
    for (const auto phase : {Phase::starting, Phase::snapshotting, Phase::paused, Phase::stopped}) {
        lane().phase = phase;
        EXPECT_EQ(look(), Health::degraded) << to_string(phase);
    }
    for (const auto phase : {Phase::waiting, Phase::failed}) {
        note_failure(lane(), refused, phase == Phase::failed);
        EXPECT_EQ(look(), Health::unhealthy) << to_string(phase);
        EXPECT_EQ(status_.phase, phase);
        EXPECT_EQ(health_of(status_, "duckdb"), Health::unhealthy);
        EXPECT_EQ(health_of(status_, "source"), Health::healthy);
    }
    EXPECT_EQ(lane().failures[Fault::retry], 2);
}

TEST_F(HealthTest, AFailureCarriesItsReasonAndNextStep) {
    note_failure(status_.capture, refused, false);
    EXPECT_EQ(look(), Health::unhealthy);
    const auto source = condition("SourceReachable");
    EXPECT_EQ(source.verdict, Verdict::no);
    EXPECT_EQ(source.message, "connection refused (postgres)");
    EXPECT_EQ(source.next_step, "Start the server.");
    EXPECT_EQ(source.code, Code::pg_unreachable);
}

// Capture opens, fails at once and opens again: never healthy in between.
TEST_F(HealthTest, OneThatFailsAgainAndAgainIsNotHealthyInBetween) {
    for (int failures = 1; failures < 5; ++failures) {
        status_.capture.failures_in_a_row = failures;
        status_.capture.phase = Phase::streaming;
        for (int i = 0; i < 4; ++i) {
            EXPECT_NE(look(), Health::healthy) << failures;
            EXPECT_NE(status_.tables[0].health, Health::healthy) << failures;
        }
        note_failure(status_.capture, refused, false);
        EXPECT_EQ(look(), Health::unhealthy);
    }
    // Then it lasts: nothing new need come to prove it.
    status_.capture.phase = Phase::streaming;
    EXPECT_EQ(look(4), Health::degraded);
    EXPECT_EQ(look(4), Health::healthy);
}

TEST_F(HealthTest, TheSameForASink) {
    lane().failures_in_a_row = 1;
    EXPECT_EQ(look(), Health::degraded);
    EXPECT_EQ(verdict("SinkReachable"), Verdict::unknown);
    EXPECT_EQ(status_.tables[0].health, Health::healthy);
    EXPECT_EQ(status_.tables[1].health, Health::degraded);
    lane().failures_in_a_row = 0;  // a commit
    EXPECT_EQ(look(), Health::healthy);
    EXPECT_EQ(status_.tables[1].health, Health::healthy);
}

TEST_F(HealthTest, ASourceThatCannotBeAsked) {
    status_.capture.watch.error = refused;
    EXPECT_EQ(look(), Health::unhealthy);
    EXPECT_EQ(verdict("SourceReachable"), Verdict::no);
    EXPECT_EQ(verdict("HistoryKept"), Verdict::unknown);
}

TEST_F(HealthTest, ASourceThatDoesNotAnswer) {
    look();
    keeps_answering_ = false;
    status_.capture.watch.asked = seconds(now_s_ + 1);
    EXPECT_EQ(look(5), Health::healthy);
    EXPECT_EQ(look(3), Health::unhealthy);
    EXPECT_EQ(condition("SourceReachable").reason, "NoAnswer");
    EXPECT_EQ(condition("SourceReachable").code, Code::source_silent);
}

TEST_F(HealthTest, TheSlot) {
    status_.capture.watch.vitals->keeping = Keeping::at_risk;
    EXPECT_EQ(look(), Health::unhealthy);
    status_.capture.watch.vitals->keeping = Keeping::lost;
    status_.capture.watch.vitals->code = Code::pg_slot_lost;
    EXPECT_EQ(look(), Health::unhealthy);
    EXPECT_EQ(condition("HistoryKept").code, Code::pg_slot_lost);
    EXPECT_EQ(verdict("HistoryKept"), Verdict::no);
    EXPECT_EQ(verdict("SourceReachable"), Verdict::yes);
    status_.capture.watch.is_kept = false;  // a source without one
    EXPECT_EQ(look(), Health::healthy);
}

TEST_F(HealthTest, ASchemaThatCannotBeFollowed) {
    note_failure(status_.capture, {Fault::fatal, "a column changed", "Rebuild.", "any schema"}, true);
    EXPECT_EQ(look(), Health::unhealthy);
    EXPECT_EQ(condition("SchemaInSync").verdict, Verdict::no);
    EXPECT_EQ(condition("SchemaInSync").next_step, "Rebuild.");
    note_failure(status_.capture, refused, true);
    look();
    EXPECT_EQ(condition("SchemaInSync").verdict, Verdict::unknown);
}

TEST_F(HealthTest, TheLogFillsUp) {
    status_.queue.full_in_s = 3 * 3600;
    EXPECT_EQ(look(), Health::healthy);
    status_.queue.full_in_s = 600;
    EXPECT_EQ(look(), Health::degraded);
    EXPECT_EQ(health_of(status_, "log"), Health::degraded);
    EXPECT_EQ(condition("LogHasRoom").code, Code::log_full_soon);
    status_.queue.full_in_s.reset();
    status_.queue.message = "no space left on the disk";
    EXPECT_EQ(look(), Health::unhealthy);
    EXPECT_EQ(condition("LogHasRoom").message, "no space left on the disk");
    EXPECT_EQ(condition("LogHasRoom").code, Code::log_full);
}

TEST_F(HealthTest, RowsSetAsideAreNotForgotten) {
    lane().open_letters.reset();
    EXPECT_EQ(look(), Health::degraded);
    EXPECT_EQ(verdict("DeadLettersEmpty"), Verdict::unknown);
    lane().open_letters = {{"orders", 2}};
    lane().oldest_letter_us = now_s_ * second_us;
    EXPECT_EQ(look(7), Health::degraded);
    EXPECT_EQ(lane().oldest_letter_age_seconds, 7);
    EXPECT_EQ(verdict("DeadLettersEmpty"), Verdict::no);
    EXPECT_EQ(status_.tables[1].health, Health::degraded);
}

TEST_F(HealthTest, LagIsTheAgeOfTheOldestChangeThatIsMissing) {
    look();
    EXPECT_EQ(lane().lag_seconds, 0);
    // An hour of nothing, then one large transaction: it is late from now on, not for an hour.
    look(3600);
    status_.capture.durable.commit = 200;
    lane().phase = Phase::catching_up;
    EXPECT_EQ(look(5), Health::healthy);
    EXPECT_DOUBLE_EQ(lane().lag_seconds, 5);
    EXPECT_EQ(look(60), Health::degraded);
    EXPECT_DOUBLE_EQ(lane().lag_seconds, 65);
    EXPECT_EQ(verdict("KeepingUp"), Verdict::no);
    EXPECT_EQ(status_.tables[1].health, Health::degraded);
    // It moves, but is never quite there: as late as what it has reached is old.
    lane().reached_commit_time_us = (now_s_ - 2) * second_us;
    look(0);
    EXPECT_DOUBLE_EQ(lane().lag_seconds, 2);
    lane().reached = status_.capture.durable;
    lane().phase = Phase::streaming;
    EXPECT_EQ(look(), Health::healthy);
    EXPECT_EQ(lane().lag_seconds, 0);
}

TEST_F(HealthTest, ABacklogFromBeforeTheStartIsAsOldAsItIs) {
    lane().reached.commit = 1;
    lane().phase = Phase::catching_up;
    lane().reached_commit_time_us = (now_s_ - 500) * second_us;
    status_.capture.watch.vitals->behind_bytes = 10;
    status_.capture.durable_commit_time_us = (now_s_ - 300) * second_us;
    look(0);
    EXPECT_DOUBLE_EQ(lane().lag_seconds, 500);
    EXPECT_DOUBLE_EQ(status_.capture.lag_seconds, 300);
}

TEST_F(HealthTest, SinceIsWhenItTurned) {
    look();
    const auto began = condition("SourceReachable").since_us;
    look();
    EXPECT_EQ(condition("SourceReachable").since_us, began);
    note_failure(status_.capture, refused, false);
    look();
    EXPECT_EQ(condition("SourceReachable").since_us, now_s_ * second_us);
    EXPECT_EQ(condition("SinkReachable").since_us, began);
}

TEST_F(HealthTest, TheHalfThatDoesNotRunHereIsNotJudged) {
    status_.capture.is_wanted = false;
    status_.capture.phase = Phase::starting;
    EXPECT_EQ(look(), Health::healthy);
    EXPECT_EQ(condition("SourceReachable").type, "");
    EXPECT_EQ(status_.phase, Phase::streaming);
}

TEST(HistogramTest, CountsIntoTheBucketThatHolds) {
    Histogram histogram;
    for (const double one : {0.0, 0.001, 0.0011, 300.0, 301.0}) histogram.add(one);
    EXPECT_EQ(histogram.within.front(), 2);
    EXPECT_EQ(histogram.within[1], 1);
    EXPECT_EQ(histogram.within.back(), 1);
    EXPECT_EQ(histogram.count, 5);
    EXPECT_DOUBLE_EQ(histogram.sum_seconds, 601.0021);
}

}  // namespace

}  // namespace leat
