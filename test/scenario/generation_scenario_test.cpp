// Images beside the stream: what is whole is kept, what is new, lost or wanted anew is filled aside
// and swapped in, and the other tables go on meanwhile.
#include <random>

#include "scenario/scenario_fixture.hpp"

namespace leat::scenario {
namespace {

const TableName accounts{"public", "accounts"};
const TableName notes{"public", "notes"};
const TableName bag{"public", "bag"};
const TableName events{"public", "events"};

class GenerationScenario : public Scenario {
protected:
    auto one_lane(ScriptedServer& server, MemoryTarget& target) -> PipelineParts {
        auto all = parts(open_queue({"a"}), server);
        all.lanes.push_back(lane("a", maker(target)));
        return all;
    }
    auto catch_up(PipelineParts all) -> void {
        RunningPipeline running(std::move(all), clock_, {.until_caught_up = true});
        const auto result = running.join();
        EXPECT_TRUE(result) << result.error().what;
    }
    static auto expect_sound(const MemoryTarget& target, const ScriptedServer& server) -> void {
        EXPECT_EQ(target.tables(), server.tables());
        EXPECT_EQ(target.violations(), std::vector<std::string>());
    }
};

TEST_F(GenerationScenario, AnInterruptedImageKeepsTheTablesThatAreWhole) {
    int pieces = 0;
    ScriptedServer server(3, [&](Step step) -> std::optional<Failure> {
        if (step != Step::snapshot || ++pieces % 4 != 3 || pieces > 11) return std::nullopt;
        return Failure{Fault::retry};
    });
    MemoryTarget target(Workload::invariant);
    server.commit(50);
    auto all = one_lane(server, target);
    all.capture.snapshot_workers = 1;
    RunningPipeline running(std::move(all), clock_);
    server.commit(50);
    ASSERT_TRUE(wait_until([&] { return target.tables() == server.tables(); }));
    EXPECT_TRUE(running.stop());
    // Each attempt fails in its second table and has the first one.
    EXPECT_EQ(server.tables_read(),
              (std::vector<std::set<TableName>>{{accounts, bag, events, notes},
                                                {bag, events, notes},
                                                {bag, events},
                                                {events}}));
    EXPECT_EQ(target.violations(), std::vector<std::string>());
}

TEST_F(GenerationScenario, AnAddedTableIsFilledWhileTheOthersGoOn) {
    ScriptedServer server(11);
    MemoryTarget target;
    server.capture({accounts, events});
    server.commit(40);
    catch_up(one_lane(server, target));
    EXPECT_FALSE(target.tables().contains("notes"));
    server.capture({accounts, bag, events, notes});
    server.commit(40);
    RunningPipeline running(one_lane(server, target), clock_);
    server.commit(40);
    ASSERT_TRUE(wait_until([&] { return target.tables() == server.tables(); }));
    EXPECT_TRUE(running.lane(0).filling.empty());
    EXPECT_TRUE(running.stop());
    EXPECT_EQ(server.tables_read().back(), (std::set<TableName>{bag, notes}));
    expect_sound(target, server);
}

TEST_F(GenerationScenario, ATableThatLeftStandsStillAndComesBackWhole) {
    ScriptedServer server(12);
    MemoryTarget target;
    server.commit(40);
    catch_up(one_lane(server, target));
    const auto before = target.tables().at("notes");
    server.capture({accounts, bag, events});
    server.commit(40);
    catch_up(one_lane(server, target));
    EXPECT_EQ(target.tables().at("notes"), before);
    EXPECT_EQ(target.tables().at("accounts"), server.tables().at("accounts"));
    server.capture({accounts, bag, events, notes});
    server.commit(40);
    catch_up(one_lane(server, target));
    EXPECT_EQ(server.tables_read().back(), (std::set<TableName>{notes}));
    expect_sound(target, server);
}

TEST_F(GenerationScenario, RowsOfASecondImageAreCountedOnTop) {
    ScriptedServer server(21);
    MemoryTarget target;
    server.commit(40);
    RunningPipeline running(one_lane(server, target), clock_);
    std::int64_t counted = 0;
    std::int64_t in_image = 0;
    const auto has_more_than = [&](std::int64_t rows) {
        const auto capture = running.status().capture;
        const auto image = capture.images.find(notes);
        if (capture.phase != Phase::streaming || image == capture.images.end()) return false;
        counted = capture.tables.at(notes).snapshot_rows;
        in_image = image->second.read;
        return counted > rows;
    };
    ASSERT_TRUE(wait_until([&] { return has_more_than(0); }));
    const auto first = counted;
    server.spoil(notes);
    server.commit(1);
    ASSERT_TRUE(wait_until([&] { return has_more_than(first); }));
    EXPECT_EQ(counted, first + in_image);
    EXPECT_TRUE(running.stop());
}

TEST_F(GenerationScenario, ANewSinkIsFilledBesideOneThatGoesOn) {
    ScriptedServer server(13);
    MemoryTarget first(Workload::invariant);
    MemoryTarget second(Workload::invariant);
    keeps_nothing_ = true;
    server.commit(40);
    catch_up(one_lane(server, first));
    server.commit(4000);  // more than a segment: the first image is dropped
    catch_up(one_lane(server, first));
    const auto before = first.commits();
    server.commit(40);
    auto all = parts(open_queue({"a", "b"}), server);
    all.lanes.push_back(lane("a", maker(first)));
    all.lanes.push_back(lane("b", maker(second)));
    catch_up(std::move(all));
    EXPECT_EQ(server.snapshots_begun(), 2);
    EXPECT_GT(first.commits(), before);
    expect_sound(first, server);
    expect_sound(second, server);
}

TEST_F(GenerationScenario, ASinkThatWasEmptiedOrIsTooOldIsFilledAnew) {
    ScriptedServer server(14);
    MemoryTarget target(Workload::invariant);
    keeps_nothing_ = true;
    server.commit(40);
    catch_up(one_lane(server, target));
    const auto old = target.state();
    server.commit(4000);
    catch_up(one_lane(server, target));
    target.forget(target.commits());
    ASSERT_FALSE(target.state().progress);
    server.commit(4000);
    catch_up(one_lane(server, target));
    EXPECT_EQ(server.snapshots_begun(), 2);
    expect_sound(target, server);
    target.put(old);
    server.commit(40);
    catch_up(one_lane(server, target));
    EXPECT_EQ(server.snapshots_begun(), 3);
    expect_sound(target, server);
}

TEST_F(GenerationScenario, WhatAPersonWantsAnewIsFilledAside) {
    ScriptedServer server(15);
    MemoryTarget target;
    server.commit(40);
    catch_up(one_lane(server, target));
    auto broken = target.state();
    broken.tables["events"] = {};
    target.put(broken);
    server.commit(40);
    auto all = one_lane(server, target);
    all.rebuilds.push_back({{"a"}, {events}});
    catch_up(std::move(all));
    EXPECT_EQ(server.tables_read().back(), (std::set<TableName>{events}));
    expect_sound(target, server);
}

TEST_F(GenerationScenario, ASinkFromBeforeARebuildMeetsItAgain) {
    ScriptedServer server(16);
    MemoryTarget target(Workload::invariant);
    server.commit(40);
    catch_up(one_lane(server, target));
    const auto before = target.state();
    server.capture({accounts, bag, events});
    catch_up(one_lane(server, target));
    server.commit(40);
    server.capture({accounts, bag, events, notes});
    catch_up(one_lane(server, target));
    target.put(before);
    server.commit(10);
    catch_up(one_lane(server, target));
    expect_sound(target, server);
}

TEST_F(GenerationScenario, AGapStopsThePipelineOrTakesAllTablesAnew) {
    ScriptedServer server(17);
    MemoryTarget target(Workload::invariant);
    server.commit(40);
    catch_up(one_lane(server, target));
    server.lose_position();
    server.commit(40);
    {
        RunningPipeline running(one_lane(server, target), clock_, {.until_caught_up = true});
        const auto result = running.join();
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().what, "slot is gone");
    }
    EXPECT_NE(target.tables(), server.tables());
    auto all = one_lane(server, target);
    all.capture.on_gap = OnGap::resnapshot;
    catch_up(std::move(all));
    EXPECT_EQ(server.snapshots_begun(), 2);
    expect_sound(target, server);
}

TEST_F(GenerationScenario, ATableThatCannotBeFollowedIsReadAnewBesideTheOthers) {
    ScriptedServer server(18);
    MemoryTarget target(Workload::invariant);
    server.commit(40);
    catch_up(one_lane(server, target));
    server.commit(10);
    server.spoil(events);
    server.commit(40);
    {
        RunningPipeline running(one_lane(server, target), clock_);
        EXPECT_TRUE(wait_until([&] { return target.tables() == server.tables(); }));
        server.spoil(bag);
        server.spoil(events);
        server.commit(40);
        EXPECT_TRUE(wait_until([&] { return target.tables() == server.tables(); }));
        EXPECT_TRUE(running.stop());
    }
    const std::vector<std::set<TableName>> wanted{{events}, {bag, events}};
    auto read = server.tables_read();
    read.erase(read.begin());
    EXPECT_EQ(read, wanted);
    catch_up(one_lane(server, target));
    EXPECT_EQ(server.snapshots_begun(), 3);
    expect_sound(target, server);
}

// All of it at once: at any moment everything may fail or be stopped.
TEST_F(GenerationScenario, NothingIsLostOrDoubledWhateverHappensMeanwhile) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        Guarded<std::mt19937_64> dice(std::mt19937_64{seed + 100});
        const FaultPlan plan = [&](Step) -> std::optional<Failure> {
            const auto roll = dice.with([](auto& source) { return source(); }) % 400;
            if (roll > 3) return std::nullopt;
            return Failure{roll == 3 ? Fault::uncertain : Fault::retry, roll % 2 == 1};
        };
        ScriptedServer server(seed, plan);
        // Tables that are left out for a while stand still: no invariant holds over all of them.
        MemoryTarget a;
        MemoryTarget b;
        const auto log = folder_ / "log";
        const std::vector<TableName> some{notes, bag, events, accounts};
        std::set<TableName> captured(some.begin(), some.end());
        const auto made = [&](bool with_b) {
            auto all = parts(open_queue(with_b ? std::vector<std::string>{"a", "b"}
                                               : std::vector<std::string>{"a"}),
                             server);
            all.capture.on_gap = OnGap::resnapshot;
            all.capture.snapshot_workers = 1 + random() % 2;
            all.epoch.rows_max = 10;
            const auto failing = [&](MemoryTarget& target) -> SinkMaker {
                return [&]() -> Result<std::unique_ptr<Sink>> {
                    return std::make_unique<FailingSink>(target.make_sink(), plan);
                };
            };
            all.lanes.push_back(lane("a", failing(a)));
            if (with_b) all.lanes.push_back(lane("b", failing(b)));
            return all;
        };
        for (int round = 0; round < 20; ++round) {
            const auto table = some[random() % some.size()];
            switch (random() % 6) {
                case 0: captured.erase(table); break;
                case 1: server.lose_position(); break;
                case 2: a.forget(random() % 5); break;
                case 3: server.spoil(table); break;
                default: captured.insert(some.begin(), some.end());
            }
            if (captured.empty()) captured.insert(table);
            server.capture(captured);
            auto all = made(round > 5);
            if (random() % 3 == 0) all.rebuilds.push_back({{"a"}, {table}});
            RunningPipeline running(std::move(all), clock_);
            server.commit(10);
            std::this_thread::sleep_for(std::chrono::milliseconds(random() % 30));
            server.commit(10);
            EXPECT_TRUE(running.stop());
        }
        server.capture({some.begin(), some.end()});
        RunningPipeline running(made(true), clock_);
        EXPECT_TRUE(wait_until([&] {
            return a.tables() == server.tables() && b.tables() == server.tables();
        }));
        EXPECT_TRUE(running.stop());
        expect_sound(a, server);
        expect_sound(b, server);
        std::filesystem::remove_all(log);
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace leat::scenario
