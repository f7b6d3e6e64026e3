// Lanes: independent of each other, and each fault answered as the policy says.
#include "scenario/scenario_fixture.hpp"

#include <algorithm>
#include <random>

namespace leat::scenario {

namespace {

class LaneScenario : public Scenario {
protected:
    // True once the target holds what the server holds.
    static auto has_all(const MemoryTarget& target, const ScriptedServer& server) -> bool {
        return target.tables() == server.tables();
    }
    static auto expect_sound(const MemoryTarget& target, const ScriptedServer& server) -> void {
        EXPECT_EQ(target.tables(), server.tables());
        EXPECT_EQ(target.violations(), std::vector<std::string>());
    }
    auto failing(MemoryTarget& target, const FaultPlan& plan) -> SinkMaker {
        return [&target, &plan]() -> Result<std::unique_ptr<Sink>> {
            if (auto failure = plan(Step::make)) return scripted_error(*failure);
            return std::make_unique<FailingSink>(target.make_sink(), plan);
        };
    }

    ScriptedServer server_{1};
    MemoryTarget a_{Workload::invariant};
    MemoryTarget b_{Workload::invariant};
};

// The n-th call of a step fails, and no other.
auto fail_once(Step step, Failure failure, int at = 1) -> FaultPlan {
    return [=, calls = std::make_shared<std::atomic<int>>(0)](Step now) -> std::optional<Failure> {
        if (now != step || ++*calls != at) return std::nullopt;
        return failure;
    };
}

TEST_F(LaneScenario, AStuckSinkHoldsNobodyElseUp) {
    Gate gate;
    gate.shut();
    server_.commit(50);
    auto all = parts(open_queue(), server_);
    all.lanes.push_back(lane("a", [&]() -> Result<std::unique_ptr<Sink>> {
        return std::make_unique<SlowSink>(a_.make_sink(), Duration::zero(), &gate);
    }));
    all.lanes.push_back(lane("b", maker(b_)));
    RunningPipeline running(std::move(all), clock_);
    gate.wait_for_visitor();
    for (int round = 0; round < 5; ++round) {
        server_.commit(100);
        ASSERT_TRUE(wait_until([&] { return has_all(b_, server_); }));
    }
    // The source was let go of everything although one sink has nothing yet.
    ASSERT_TRUE(wait_until([&] {
        const auto confirmed = server_.confirmed();
        return confirmed && confirmed->commit >= server_.head().commit;
    }));
    EXPECT_EQ(a_.commits(), 0U);
    EXPECT_FALSE(running.lane(0).image_complete);
    gate.open();
    ASSERT_TRUE(wait_until([&] { return has_all(a_, server_); }));
    EXPECT_TRUE(running.stop());
    expect_sound(a_, server_);
    expect_sound(b_, server_);
}

// So that a sink which is never idle can make safe what it holds.
TEST_F(LaneScenario, ASinkSettlesBehindEveryCommit) {
    std::vector<Step> steps;
    const FaultPlan watch = [&](Step step) -> std::optional<Failure> {
        steps.push_back(step);
        return std::nullopt;
    };
    auto all = parts(open_queue(), server_);
    all.lanes.push_back(lane("a", failing(a_, watch)));
    RunningPipeline running(std::move(all), clock_);
    for (int round = 0; round < 5; ++round) {
        server_.commit(100);
        ASSERT_TRUE(wait_until([&] { return has_all(a_, server_); }));
    }
    EXPECT_TRUE(running.stop());
    ASSERT_GE(std::count(steps.begin(), steps.end(), Step::commit), 5);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i] != Step::commit) continue;
        EXPECT_EQ(steps.at(i + 1), Step::settle) << "step " << i;
    }
}

TEST_F(LaneScenario, ASlowSinkTakesFewerAndLargerEpochs) {
    auto all = parts(open_queue(), server_);
    all.lanes.push_back(lane("a", [&]() -> Result<std::unique_ptr<Sink>> {
        return std::make_unique<SlowSink>(a_.make_sink(), std::chrono::milliseconds(40));
    }));
    all.lanes.push_back(lane("b", maker(b_)));
    RunningPipeline running(std::move(all), clock_);
    ASSERT_TRUE(wait_until([&] { return running.lane(0).image_complete; }));
    for (int i = 0; i < 200; ++i) {
        server_.commit(1);
        ASSERT_TRUE(wait_until([&] { return running.lane(1).reached >= server_.head(); }));
    }
    ASSERT_TRUE(wait_until([&] { return has_all(a_, server_) && has_all(b_, server_); }));
    EXPECT_TRUE(running.stop());
    EXPECT_LT(a_.commits(), b_.commits() / 2);
    expect_sound(a_, server_);
    expect_sound(b_, server_);
}

TEST_F(LaneScenario, PassingTroubleIsRetriedWhereverItStrikes) {
    for (const auto step :
         {Step::make, Step::open, Step::evolve, Step::write, Step::commit, Step::settle})
        for (const auto fault : {Fault::retry, Fault::uncertain})
            for (const bool after : {false, true}) {
                SCOPED_TRACE(std::to_string(static_cast<int>(step)) +
                             (after ? " after" : " before"));
                ScriptedServer server(2);
                MemoryTarget target(Workload::invariant);
                std::filesystem::remove_all(folder_ / "log");
                server.commit(20);
                const auto plan = fail_once(step, {fault, after});
                auto all = parts(open_queue({"a"}), server);
                all.lanes.push_back(lane("a", failing(target, plan)));
                RunningPipeline running(std::move(all), clock_);
                ASSERT_TRUE(wait_until([&] { return has_all(target, server); }));
                server.commit(20);
                ASSERT_TRUE(wait_until([&] { return has_all(target, server); }));
                ASSERT_TRUE(wait_until([&] { return running.lane(0).message.empty(); }));
                EXPECT_TRUE(running.stop());
                expect_sound(target, server);
            }
}

TEST_F(LaneScenario, CommitThatHappenedAllTheSameIsNotRepeated) {
    auto commits = std::make_shared<std::atomic<int>>(0);
    const FaultPlan plan = [=](Step step) -> std::optional<Failure> {
        // Every second commit happens, and its answer is lost.
        if (step != Step::commit || ++*commits % 2 != 0) return std::nullopt;
        return Failure{Fault::uncertain, true};
    };
    auto all = parts(open_queue({"a"}), server_);
    all.lanes.push_back(lane("a", failing(a_, plan)));
    RunningPipeline running(std::move(all), clock_);
    for (int round = 0; round < 20; ++round) {
        server_.commit(5);
        ASSERT_TRUE(wait_until([&] { return has_all(a_, server_); }));
    }
    EXPECT_TRUE(running.stop());
    expect_sound(a_, server_);
    EXPECT_GE(*commits, 20);
}

TEST_F(LaneScenario, TheCircuitOpensAfterManyFailuresAndClosesWithACommit) {
    std::atomic<bool> broken{true};
    const FaultPlan plan = [&](Step step) -> std::optional<Failure> {
        if (step != Step::commit || !broken) return std::nullopt;
        return Failure{Fault::retry};
    };
    server_.commit(5);
    auto all = parts(open_queue(), server_);
    all.lanes.push_back(lane("a", failing(a_, plan)));
    all.lanes.push_back(lane("b", maker(b_)));
    RunningPipeline running(std::move(all), clock_);
    ASSERT_TRUE(wait_until([&] { return running.lane(0).circuit_open; }));
    const auto open = running.lane(0);
    EXPECT_EQ(open.phase, Phase::waiting);
    EXPECT_GE(open.failures_in_a_row, quick().failures_until_open);
    EXPECT_NE(open.message.find("scripted failure"), std::string::npos);
    ASSERT_TRUE(wait_until([&] { return has_all(b_, server_); }));
    broken = false;
    ASSERT_TRUE(wait_until([&] { return has_all(a_, server_); }));
    ASSERT_TRUE(wait_until([&] { return running.lane(0).failures_in_a_row == 0; }));
    EXPECT_FALSE(running.lane(0).circuit_open);
    EXPECT_TRUE(running.lane(0).message.empty());
    EXPECT_TRUE(running.stop());
    expect_sound(a_, server_);
}

TEST_F(LaneScenario, WhatOnlyAPersonCanMendStopsThatLaneAlone) {
    for (const auto fault : {Fault::config, Fault::fatal, Fault::poison}) {
        SCOPED_TRACE(static_cast<int>(fault));
        std::filesystem::remove_all(folder_ / "log");
        ScriptedServer server(3);
        MemoryTarget broken(Workload::invariant);
        MemoryTarget sound(Workload::invariant);
        server.commit(10);
        const auto plan = fail_once(Step::write, {fault});
        auto all = parts(open_queue(), server);
        all.lanes.push_back(lane("a", failing(broken, plan)));
        all.lanes.push_back(lane("b", maker(sound)));
        RunningPipeline running(std::move(all), clock_);
        ASSERT_TRUE(wait_until([&] { return running.lane(0).phase == Phase::failed; }));
        server.commit(50);
        ASSERT_TRUE(wait_until([&] { return has_all(sound, server); }));
        EXPECT_EQ(broken.commits(), 0U);
        const auto outcome = running.stop();
        ASSERT_FALSE(outcome);
        EXPECT_EQ(outcome.error().fault, fault);
        expect_sound(sound, server);
    }
}

TEST_F(LaneScenario, ARejectedRowStopsTheLaneAndNothingOfItsEpochIsKept) {
    server_.commit(10);
    auto all = parts(open_queue(), server_);
    all.lanes.push_back(lane("a", [&]() -> Result<std::unique_ptr<Sink>> {
        return std::make_unique<RejectingSink>(a_.make_sink(), "notes");
    }));
    all.lanes.push_back(lane("b", maker(b_)));
    RunningPipeline running(std::move(all), clock_, {.until_caught_up = true});
    const auto outcome = running.join();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().fault, Fault::poison);
    EXPECT_NE(outcome.error().what.find("text"), std::string::npos);
    EXPECT_FALSE(a_.tables().contains("notes"));
    EXPECT_FALSE(running.lane(0).image_complete);
}

// Stop comes with every n-th write, so also between two frames of one transaction: that one is left
// to the next start.
TEST_F(LaneScenario, StoppedBetweenTwoFramesOfATransactionItKeepsNoneOfIt) {
    server_.commit(60);
    {
        RunningPipeline filling(parts(open_queue({"a"}), server_), clock_, {.only = Only::capture});
        ASSERT_TRUE(wait_until([&] { return server_.snapshots_begun() == 1; }));
        server_.commit(300);
        ASSERT_TRUE(wait_until([&] {
            return filling.status().capture.phase == Phase::streaming &&
                   server_.confirmed().value_or(Position{}).commit >= server_.head().commit;
        }));
        ASSERT_TRUE(filling.stop());
    }
    const auto queue = open_queue({"a"});
    std::mt19937_64 random(1);
    for (int attempt = 0; attempt < 2'000 && !has_all(a_, server_); ++attempt) {
        ASSERT_FALSE(HasFailure());
        std::stop_source stop;
        auto writes_left = 1 + random() % 16;
        const auto on_write = [&] {
            if (--writes_left == 0) stop.request_stop();
        };
        LaneOptions options;
        options.identity = {"shop", "a", queue->identity().id, queue->identity().incarnation};
        options.epoch.rows_max = 40;
        Status status("shop", {"a"}, 0);
        Lane lane(
            options,
            [&]() -> Result<std::unique_ptr<Sink>> {
                return std::make_unique<WatchedSink>(a_.make_sink(), on_write);
            },
            *queue, clock_, status, [](Sink*) {});
        std::jthread until_all([&](const std::stop_token& done) {
            // The last attempt has nothing left to write and is ended from here.
            EXPECT_TRUE(wait_until([&] { return done.stop_requested() || has_all(a_, server_); }));
            stop.request_stop();
        });
        ASSERT_TRUE(lane.run(stop.get_token()));
    }
    expect_sound(a_, server_);
}

TEST_F(LaneScenario, ALaneTakesOnlyItsTables) {
    server_.commit(30);
    auto all = parts(open_queue(), server_);
    auto some = lane("a", maker(b_));
    some.make_shaper = [] { return Shaper::make({{"notes", "bag"}, {}, nullptr}); };
    MemoryTarget unchecked;
    some.make_sink = maker(unchecked);
    all.lanes.push_back(std::move(some));
    RunningPipeline running(std::move(all), clock_);
    ASSERT_TRUE(wait_until([&] { return running.lane(0).image_complete; }));
    server_.commit(30);
    auto expected = server_.tables();
    expected.erase("accounts");
    expected.erase("events");
    ASSERT_TRUE(wait_until([&] { return unchecked.tables() == expected; }));
    EXPECT_TRUE(running.stop());
}

}  // namespace

}  // namespace leat::scenario
