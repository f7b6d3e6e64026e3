// Sinks that are put to rest: capture and the other sinks go on, nothing is lost, and a pause
// outlives the process.
#include "scenario/scenario_fixture.hpp"

namespace leat::scenario {

namespace {

class PauseScenario : public Scenario {
protected:
    auto two_sinks() -> PipelineParts {
        auto all = parts(open_queue(), server_);
        all.lanes.push_back(lane("a", maker(a_)));
        all.lanes.push_back(lane("b", maker(b_)));
        all.pauses = folder_ / "paused";
        return all;
    }
    static auto has_all(const MemoryTarget& target, const ScriptedServer& server) -> bool {
        return target.tables() == server.tables();
    }

    ScriptedServer server_{3};
    MemoryTarget a_{Workload::invariant};
    MemoryTarget b_{Workload::invariant};
};

TEST_F(PauseScenario, RestsAndGoesOnWhereItWas) {
    server_.commit(50);
    Pipeline pipeline(two_sinks(), clock_);
    std::jthread thread(
        [&](const std::stop_token& stop) { EXPECT_TRUE(pipeline.run({}, stop)); });
    ASSERT_TRUE(wait_until([&] { return has_all(a_, server_) && has_all(b_, server_); }));
    const auto phase = [&](std::size_t lane) { return pipeline.status().lanes.at(lane).phase; };
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(pipeline.pause("a", true));
        ASSERT_TRUE(wait_until([&] { return phase(0) == Phase::paused; }));
        const auto commits = a_.commits();
        server_.commit(100);
        ASSERT_TRUE(wait_until([&] { return has_all(b_, server_); }));
        EXPECT_EQ(a_.commits(), commits);
        // The source is let go of all the same: the log holds what the sink will need.
        ASSERT_TRUE(wait_until([&] {
            const auto confirmed = server_.confirmed();
            return confirmed && confirmed->commit >= server_.head().commit;
        }));
        const auto status = pipeline.status();
        EXPECT_EQ(status.health, Health::degraded);
        EXPECT_EQ(health_of(status, "a"), Health::degraded);
        EXPECT_EQ(pipeline.query("a", "SELECT 1", 1).error().fault, Fault::retry);
        ASSERT_TRUE(pipeline.pause("a", false));
        ASSERT_TRUE(wait_until([&] { return has_all(a_, server_) && phase(0) != Phase::paused; }));
    }
    thread.request_stop();
    thread.join();
    EXPECT_EQ(a_.violations(), std::vector<std::string>());
}

TEST_F(PauseScenario, OutlivesTheProcess) {
    server_.commit(20);
    {
        Pipeline pipeline(two_sinks(), clock_);
        ASSERT_TRUE(pipeline.pause("", true));
        EXPECT_EQ(pipeline.pause("c", true).error().fault, Fault::config);
    }
    {
        RunningPipeline running(two_sinks(), clock_);
        ASSERT_TRUE(wait_until([&] {
            return running.lane(0).phase == Phase::paused &&
                   running.lane(1).phase == Phase::paused && server_.confirmed();
        }));
        EXPECT_TRUE(running.stop());
    }
    EXPECT_EQ(a_.commits(), 0U);
    // Noted while nothing runs.
    ASSERT_TRUE(write_pause(folder_ / "paused", "b", false));
    ASSERT_TRUE(write_pause(folder_ / "paused", "b", false));
    RunningPipeline again(two_sinks(), clock_);
    ASSERT_TRUE(wait_until([&] { return has_all(b_, server_); }));
    EXPECT_EQ(again.lane(0).phase, Phase::paused);
    EXPECT_TRUE(again.stop());
    EXPECT_EQ(a_.commits(), 0U);
}

// Waiting for a sink that rests would never end.
TEST_F(PauseScenario, CatchingUpIsRefusedMeanwhile) {
    server_.commit(20);
    Pipeline pipeline(two_sinks(), clock_);
    ASSERT_TRUE(pipeline.pause("a", true));
    const auto refused = pipeline.run({.until_caught_up = true}, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::config);
    EXPECT_FALSE(refused.error().hint.empty());
}

}  // namespace

}  // namespace leat::scenario
