// Lanes with transforms and dead letters: rows that come and go, letters and counts, the same through
// every failure.
#include <bit>

#include "dead_letter/letter_box.hpp"
#include "scenario/scenario_fixture.hpp"
#include "transform/sql/sql_transform.hpp"

namespace leat::scenario {

namespace {

class TransformScenario : public Scenario {
protected:
    struct Made {
        std::string name;
        std::string sql;
        std::vector<Expectation> expectations;
    };

    auto shaper(std::vector<Made> transforms, std::string sink) -> ShaperMaker {
        return [=, folder = folder_]() -> Result<std::unique_ptr<Shaper>> {
            ShaperParts parts;
            parts.letters = TRY(LetterBox::make(letter_file(folder, sink), "shop", sink));
            parts.definitions = TRY(Definitions::make(
                definitions_file(folder, sink),
                [](const std::string& a, const std::string& b) { return Result<bool>(a == b); }));
            const auto engine = TRY(sql::Engine::make());
            for (const auto& each : transforms) {
                const SqlTransformOptions options{each.name, each.sql, each.expectations};
                TransformPart part;
                part.name = each.name;
                part.input = TRY(SqlTransform::make(engine, options))->input();
                part.bad_ratio_max = 1;
                part.definition = each.sql;
                part.make = [engine, options]() -> Result<std::unique_ptr<Transform>> {
                    return TRY(SqlTransform::make(engine, options));
                };
                parts.transforms.push_back(std::move(part));
            }
            return Shaper::make(std::move(parts));
        };
    }
    auto letters(const std::string& sink) -> std::vector<std::string> {
        const auto found = read_letters(letter_file(folder_, sink), {});
        EXPECT_TRUE(found);
        std::vector<std::string> lines;
        for (const auto& each : *found)
            lines.push_back(each.letter.target + " " + each.position + " " + each.letter.key + " " +
                            std::string(to_string(each.letter.reason)) + " " + each.superseded);
        return lines;
    }
    static auto expect_all_accounted_for(const LaneStatus& lane) -> void {
        for (const auto& [table, flow] : lane.flows) {
            auto sum = flow.applied + flow.filtered;
            for (const auto& [reason, count] : flow.dead_letters) sum += count;
            EXPECT_EQ(flow.rows_in, sum) << table;
        }
    }

    const std::vector<Made> transforms_ = {
        {"rich", "SELECT id, balance, balance * 2 AS twice FROM accounts WHERE balance >= 100", {}},
        {"notes", "SELECT * FROM notes",
         {{"short", "length(text) < 8", Otherwise::dead_letter}}}};
};

// Sink a fails at every third commit, before or after it took effect, and at the 16th, 32nd, 64th …
// write (never so often that a long epoch could not be got through); b never does. Both must hold
// the same, and the same letters.
TEST_F(TransformScenario, FailuresChangeNeitherRowsNorLetters) {
    ScriptedServer server(7);
    server.commit(50);
    MemoryTarget a;
    MemoryTarget b;
    std::atomic<unsigned> commits{0};
    std::atomic<unsigned> writes{0};
    const FaultPlan plan = [&](Step step) -> std::optional<Failure> {
        if (step == Step::commit && ++commits % 3 == 0)
            return Failure{Fault::uncertain, commits % 2 == 0};
        if (step == Step::write && ++writes >= 16 && std::has_single_bit(writes.load()))
            return Failure{Fault::retry, false};
        return std::nullopt;
    };
    auto all = parts(open_queue(), server);
    all.epoch.pause_min = std::chrono::milliseconds(1);
    all.lanes.push_back(lane("a", [&]() -> Result<std::unique_ptr<Sink>> {
        return std::make_unique<FailingSink>(a.make_sink(), plan);
    }));
    all.lanes.back().make_shaper = shaper(transforms_, "a");
    all.lanes.push_back(lane("b", maker(b)));
    all.lanes.back().make_shaper = shaper(transforms_, "b");
    RunningPipeline running(std::move(all), clock_);
    for (int round = 0; round < 20; ++round) {
        server.commit(20);
        ASSERT_TRUE(wait_until([&] {
            return running.lane(0).reached >= server.head() &&
                   running.lane(1).reached >= server.head();
        }));
    }
    ASSERT_TRUE(running.stop());
    EXPECT_GT(commits, 20U);
    EXPECT_GT(writes, 256U);
    EXPECT_EQ(a.tables(), b.tables());
    EXPECT_EQ(a.violations(), std::vector<std::string>());
    EXPECT_FALSE(letters("b").empty());
    EXPECT_EQ(letters("a"), letters("b"));
    expect_all_accounted_for(running.lane(1));
    expect_all_accounted_for(running.lane(0));

    const auto at_source = server.tables();
    std::map<model::Row, model::Row> rich;
    for (const auto& [key, row] : at_source.at("accounts").by_key) {
        const auto balance = std::stoll(row[1].substr(1));
        if (balance >= 100) rich[key] = {row[0], row[1], "=" + std::to_string(balance * 2)};
    }
    EXPECT_EQ(a.tables().at("rich").by_key, rich);
    EXPECT_EQ(a.tables().at("accounts"), at_source.at("accounts"));
    // Every note without an open letter is as it is at the source; the others kept a good row.
    std::set<std::string> open;
    for (const auto& each : *read_letters(letter_file(folder_, "a"), {.open_only = true}))
        open.insert(each.letter.key);
    const auto held = a.tables().at("notes").by_key;
    for (const auto& [key, row] : at_source.at("notes").by_key) {
        if (open.contains("[\"" + key[0].substr(1) + "\"]")) continue;
        EXPECT_EQ(held.at(key), row);
    }
    for (const auto& [key, row] : held) EXPECT_LT(row[1].size(), 9U);
}

}  // namespace

}  // namespace leat::scenario
