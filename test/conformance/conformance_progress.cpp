// Progress: where the sink says it stands, whom it serves, and what it refuses.
#include "conformance/sink_conformance.hpp"

namespace leat::conformance {

namespace {

using fixture::BatchFixture;

auto orders() -> SchemaPtr {
    static const auto schema =
        fixture::keyed_table("orders", {{"id", arrow::int64()}, {"note", arrow::utf8()}});
    return schema;
}
auto events() -> SchemaPtr {
    static const auto schema = fixture::append_only_table("events", {{"n", arrow::int64()}});
    return schema;
}

// Epoch n of a queue that is always the same: a row that must not come twice, and one that changes.
auto write_epoch(Session& sink, std::uint64_t n) -> void {
    const auto number = static_cast<std::int64_t>(n);
    sink.write(BatchFixture(events(), n).insert({number}));
    sink.write(BatchFixture(orders(), n).replace({1, "epoch " + std::to_string(n)}));
}

// As the engine does: from where the sink says it stands.
auto replay(Session& sink, std::uint64_t to) -> void {
    const auto progress = sink.open();
    for (auto n = progress ? progress->offsets.change_offset + 1 : 1; n <= to; ++n) {
        write_epoch(sink, n);
        sink.commit(n);
    }
}

auto same(const std::optional<Progress>& a, const Progress& b) -> bool {
    return a && *a == b && a->position.token == b.position.token &&
           a->offsets.consistent_point.token == b.offsets.consistent_point.token;
}

TEST_P(SinkConformance, EmptyTargetHasNoProgress) {
    Session sink(target());
    EXPECT_EQ(sink.open(), std::nullopt);
    EXPECT_EQ(sink.open(), std::nullopt);
}

TEST_P(SinkConformance, ProgressComesBackExactly) {
    session([](Session& sink) { sink.commit(1); });
    session([](Session& sink) {
        write_epoch(sink, 2);
        sink.commit(2);
    });
    Session sink(target());
    EXPECT_TRUE(same(sink.open(), progress_at(2)));
}

TEST_P(SinkConformance, ReplayAfterReopenAppliesNothingTwice) {
    for (std::uint64_t to = 1; to <= 4; ++to) {
        Session sink(target());
        replay(sink, to);
        write_epoch(sink, to + 1);  // not committed: lost with the sink
    }
    EXPECT_EQ(lines("events", {"n"}), (Lines{"1", "2", "3", "4"}));
    EXPECT_EQ(lines("orders", {"id", "note"}), (Lines{"1|epoch 4"}));
}

TEST_P(SinkConformance, OpenDiscardsTheOpenEpoch) {
    {
        Session sink(target());
        replay(sink, 1);
        write_epoch(sink, 2);
        EXPECT_TRUE(same(sink.open(), progress_at(1)));
        sink.commit(2);
        sink.open();
        write_epoch(sink, 3);
        sink.commit(3);
    }
    EXPECT_EQ(lines("events", {"n"}), (Lines{"1", "3"}));
}

TEST_P(SinkConformance, NewerIncarnationTakesOverAndTheOlderIsRefused) {
    session([](Session& sink) { sink.apply(1, BatchFixture(events()).insert({1})); });
    {
        Session newer(target(), 7);
        EXPECT_TRUE(same(newer.open(), progress_at(1)));
        newer.apply(2, BatchFixture(events()).insert({2}));
    }
    Session older(target(), 6);
    const auto refused = older->open(identity_of(6));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::config);
    EXPECT_FALSE(refused.error().hint.empty());
}

TEST_P(SinkConformance, ForeignTargetIsRefusedAndLeftAlone) {
    session([](Session& sink) { sink.apply(1, BatchFixture(events()).insert({1})); });
    for (const auto& foreign :
         {Identity{"other", "warehouse", "queue-1", 9}, Identity{"shop", "other", "queue-1", 9},
          Identity{"shop", "warehouse", "queue-2", 9}}) {
        Session sink(target());
        const auto refused = sink->open(foreign);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().fault, Fault::config);
        EXPECT_FALSE(refused.error().hint.empty());
    }
    EXPECT_EQ(lines("events", {"n"}), Lines{"1"});
    Session sink(target());
    EXPECT_TRUE(same(sink.open(), progress_at(1)));
}

TEST_P(SinkConformance, SafeNeverRunsAheadAndSettlingCatchesUp) {
    session([](Session& sink) {
        std::uint64_t safe = 0;
        const auto settle = [&](Rest rest, std::uint64_t at) {
            const auto settled = sink.settle(rest);
            if (!settled) return;
            EXPECT_LE(settled->change_offset, at);
            EXPECT_GE(settled->change_offset, safe);
            safe = settled->change_offset;
        };
        for (std::uint64_t n = 1; n <= 5; ++n) {
            write_epoch(sink, n);
            sink.commit(n);
            settle(Rest::idle, n);
            write_epoch(sink, 99);
            sink.commit(n);
            settle(Rest::after_commit, n);
        }
        settle(Rest::last, 5);
        EXPECT_EQ(safe, 5U);
    });
}

TEST_P(SinkConformance, TablesBecomeVisibleTogether) {
    // A transfer between two tables, never committed half.
    const auto left =
        fixture::keyed_table("left_side", {{"id", arrow::int64()}, {"n", arrow::int64()}});
    const auto right =
        fixture::keyed_table("right_side", {{"id", arrow::int64()}, {"n", arrow::int64()}});
    session([&](Session& sink) {
        sink.write(BatchFixture(left, 1).insert({1, 100}));
        sink.write(BatchFixture(right, 1).insert({1, 0}));
        sink.commit(1);
    });
    session([&](Session& sink) {
        sink.write(BatchFixture(left, 2).update({1, 40}));
        sink.write(BatchFixture(right, 2).update({1, 60}));
    });
    EXPECT_EQ(lines("left_side", {"n"}), Lines{"100"});
    EXPECT_EQ(lines("right_side", {"n"}), Lines{"0"});
}

}  // namespace

}  // namespace leat::conformance
