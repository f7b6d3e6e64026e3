// A pace that several workers share.
#include "simulate/worker.hpp"

#include <gtest/gtest.h>

namespace leat::simulate {
namespace {

// What it is asked to write, in one transaction of one change each.
class Endless final : public Changes {
public:
    auto next(std::int64_t) -> Transaction override { return {{Change{}}}; }
};

class Counting final : public Writer {
public:
    auto prepare() -> Result<std::vector<Keys>> override { return std::vector<Keys>(); }
    auto load(const std::vector<Change>&) -> Result<void> override { return {}; }
    auto apply(std::span<const Transaction> transactions, Counts& counts) -> Result<void> override {
        counts.transactions += static_cast<std::int64_t>(transactions.size());
        if (fails) return Error{Fault::config, "no", "", "", Code::run_argument};
        return {};
    }
    bool fails = false;
};

TEST(WorkerTest, WorkersTogetherDoAllOfAPace) {
    const Pace pace{.events = 11, .rate = 90, .duration = std::chrono::seconds(3)};
    std::int64_t events = 0;
    double rate = 0;
    for (std::int64_t worker = 0; worker < 3; ++worker) {
        const auto share = share_of(pace, worker, 3);
        events += *share.events;
        rate += share.rate;
        EXPECT_EQ(share.duration, pace.duration);
    }
    EXPECT_EQ(events, 11);
    EXPECT_DOUBLE_EQ(rate, 90);
}

TEST(WorkerTest, TellsWhatWasDoneSinceTheLastTime) {
    Endless changes;
    Counting writer;
    Counts seen;
    const SystemClock clock;
    ASSERT_TRUE(Worker(writer, changes, {.events = 1'200, .rate = 0, .duration = {}}, clock)
                    .run({}, [&](const Counts& more) { seen += more; }));
    EXPECT_EQ(seen.events, 1'200);
    EXPECT_EQ(seen.transactions, 1'200);
    EXPECT_EQ(seen.undone, 0);
}

TEST(WorkerTest, AnErrorOfTheWriterEndsIt) {
    Endless changes;
    Counting writer;
    writer.fails = true;
    const SystemClock clock;
    EXPECT_FALSE(Worker(writer, changes, {.events = {}, .rate = 0, .duration = {}}, clock)
                     .run({}, [](const Counts&) {}));
}

}  // namespace
}  // namespace leat::simulate
