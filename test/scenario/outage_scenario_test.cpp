// A sink whose target is away for hours of the pipeline's clock: the log keeps what it needs,
// nobody else notices, and when it is back everything arrives once; and what happens when the log
// gets full meanwhile.
#include <atomic>

#include "scenario/scenario_fixture.hpp"

namespace leat::scenario {

namespace {

using log_queue::OnLogFull;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class OutageScenario : public Scenario {
protected:
    auto open_log(OnLogFull on_log_full = OnLogFull::block) -> std::unique_ptr<Queue> {
        log_queue::LogConfig config;
        config.path = folder_ / "log";
        config.segment_bytes = config::Bytes::kib(64);
        config.max_bytes = config::Bytes::mib(8);
        config.rewind_time = hours(1);
        config.on_log_full = on_log_full;
        auto made = log_queue::LogQueue::make(config, {"shop", {"a", "b"}, &time_});
        if (!made) ADD_FAILURE() << made.error().what;
        return std::move(made).value();
    }
    auto two_sinks(std::unique_ptr<Queue> queue) -> PipelineParts {
        auto all = parts(std::move(queue), server_);
        all.lanes.push_back(lane("a", [this]() -> Result<std::unique_ptr<Sink>> {
            return std::make_unique<FailingSink>(a_.make_sink(), plan_);
        }));
        all.lanes.push_back(lane("b", maker(b_)));
        return all;
    }
    // As wait_until(), and time goes by.
    auto flows_until(const std::function<bool()>& state) -> bool {
        return wait_until([&] {
            time_.advance(std::chrono::milliseconds(20));
            return state();
        });
    }
    auto has_all(const MemoryTarget& target) const -> bool {
        return target.tables() == server_.tables();
    }
    auto is_confirmed() const -> bool {
        const auto confirmed = server_.confirmed();
        return confirmed && confirmed->commit >= server_.head().commit;
    }
    auto is_full(const RunningPipeline& running) const -> bool {
        return running.status().queue.message.find("size limit") != std::string::npos;
    }
    // At a steady pace until the log takes no more, or this is so.
    auto fill_until(const RunningPipeline& running, const std::function<bool()>& state) -> bool {
        for (int step = 0; step < 2000; ++step) {
            if (state()) return true;
            server_.commit(10);
            time_.advance(seconds(10));
            const auto taken = [&] { return (has_all(b_) && is_confirmed()) || state(); };
            if (!flows_until([&] { return taken() || is_full(running); })) return false;
            if (is_full(running)) return state();
        }
        return false;
    }
    auto expect_sound(const MemoryTarget& target) const -> void {
        EXPECT_TRUE(has_all(target));
        EXPECT_EQ(target.violations(), std::vector<std::string>());
    }

    ManualClock time_;
    ScriptedServer server_{21};
    MemoryTarget a_{Workload::invariant};
    MemoryTarget b_{Workload::invariant};
    std::atomic<bool> is_away_{false};
    std::atomic<int> attempts_{0};
    // The commit that is on its way when the target goes away happens all the same.
    const FaultPlan plan_ = [this](Step step) -> std::optional<Failure> {
        if (step == Step::open) ++attempts_;
        if (!is_away_) return std::nullopt;
        if (step == Step::commit) return Failure{Fault::uncertain, true};
        return Failure{Fault::retry};
    };
};

TEST_F(OutageScenario, HoursWithoutASinkCostRoomInTheLogAlone) {
    server_.commit(50);
    auto queue = open_log();
    const Queue& log = *queue;
    RunningPipeline running(two_sinks(std::move(queue)), time_);
    ASSERT_TRUE(flows_until([&] { return has_all(a_) && has_all(b_); }));
    is_away_ = true;
    std::vector<Offsets> each_half_hour;
    for (int i = 0; i < 12; ++i) {
        server_.commit(60);
        time_.advance(minutes(30));
        ASSERT_TRUE(flows_until([&] { return has_all(b_) && is_confirmed(); }));
        each_half_hour.push_back(b_.state().progress->offsets);
    }
    const auto away = running.lane(0);
    EXPECT_EQ(away.phase, Phase::waiting);
    EXPECT_TRUE(away.circuit_open);
    EXPECT_GE(away.failures_in_a_row, quick().failures_until_open);
    EXPECT_EQ(running.lane(1).failures_in_a_row, 0);
    EXPECT_NE(health_of(running.status(), "a"), Health::healthy);
    EXPECT_FALSE(has_all(a_));
    EXPECT_TRUE(log.holds(a_.state().progress->offsets));
    // The pause has stopped growing.
    const auto before = attempts_.load();
    ASSERT_TRUE(wait_until([&] { return attempts_ > before + 10; }));
    is_away_ = false;
    ASSERT_TRUE(flows_until([&] { return has_all(a_) && !running.lane(0).circuit_open; }));
    // What both have goes, but for the last hour.
    ASSERT_TRUE(flows_until([&] { return !log.holds(each_half_hour[6]); }));
    EXPECT_TRUE(log.holds(each_half_hour[11]));
    EXPECT_TRUE(running.stop());
    EXPECT_EQ(server_.snapshots_begun(), 1);
    expect_sound(a_);
    expect_sound(b_);
}

TEST_F(OutageScenario, FullLogIsForetoldAndHoldsTheSourceUntilTheSinkIsBack) {
    RunningPipeline running(two_sinks(open_log()), time_);
    ASSERT_TRUE(flows_until([&] { return has_all(a_) && has_all(b_); }));
    is_away_ = true;
    const auto is_half_full = [&] {
        const auto queue = running.status().queue;
        return queue.full_in_s && queue.held_bytes > queue.bytes_max / 2;
    };
    ASSERT_TRUE(fill_until(running, is_half_full));
    const auto from = time_.steady();
    const auto foretold = seconds(*running.status().queue.full_in_s);
    ASSERT_TRUE(fill_until(running, [&] { return is_full(running); }));
    const auto took = std::chrono::duration<double>(time_.steady() - from).count();
    EXPECT_NEAR(took, static_cast<double>(foretold.count()), 0.25 * took);
    // What the log has not taken is the source's to keep; what it has taken, the other sink has.
    server_.commit(200);
    const auto held = server_.confirmed()->commit;
    EXPECT_LT(held, server_.head().commit);
    ASSERT_TRUE(flows_until([&] { return b_.state().progress->position.commit >= held; }));
    time_.advance(hours(3));
    ASSERT_TRUE(wait_until([&] { return attempts_ > 20; }));
    EXPECT_EQ(server_.confirmed()->commit, held);
    is_away_ = false;
    ASSERT_TRUE(flows_until([&] { return has_all(a_) && has_all(b_) && is_confirmed(); }));
    ASSERT_TRUE(flows_until([&] { return running.status().queue.message.empty(); }));
    EXPECT_TRUE(running.stop());
    EXPECT_EQ(server_.snapshots_begun(), 1);
    expect_sound(a_);
    expect_sound(b_);
}

TEST_F(OutageScenario, FullLogDropsTheSinkThatIsAwayAndItIsFilledAnewLater) {
    {
        auto queue = open_log(OnLogFull::drop_lane);
        const Queue& log = *queue;
        RunningPipeline running(two_sinks(std::move(queue)), time_);
        ASSERT_TRUE(flows_until([&] { return has_all(a_) && has_all(b_); }));
        is_away_ = true;
        ASSERT_TRUE(fill_until(running, [&] { return !log.holds(a_.state().progress->offsets); }));
        ASSERT_TRUE(flows_until([&] { return running.lane(0).phase == Phase::failed; }));
        EXPECT_NE(running.lane(0).message.find("needs rebuild"), std::string::npos)
            << running.lane(0).message;
        server_.commit(100);
        ASSERT_TRUE(flows_until([&] { return has_all(b_) && is_confirmed(); }));
        EXPECT_FALSE(has_all(a_));
        EXPECT_EQ(server_.snapshots_begun(), 1);  // none that nobody would read
        EXPECT_FALSE(running.stop());
    }
    is_away_ = false;
    RunningPipeline again(two_sinks(open_log(OnLogFull::drop_lane)), time_);
    ASSERT_TRUE(flows_until([&] { return has_all(a_) && has_all(b_); }));
    EXPECT_TRUE(again.stop());
    EXPECT_EQ(server_.snapshots_begun(), 2);
    expect_sound(a_);
    expect_sound(b_);
}

}  // namespace

}  // namespace leat::scenario
