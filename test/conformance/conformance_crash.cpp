// The process dies at any point of an epoch: the target holds it whole or not at all, and says so.
#include "base/failpoint.hpp"
#include "conformance/child_process.hpp"
#include "conformance/sink_conformance.hpp"

namespace leat::conformance {

namespace {

using fixture::BatchFixture;
using fixture::unsent;

auto accounts(bool with_note) -> SchemaPtr {
    fixture::Columns columns = {{"id", arrow::int64()}, {"balance", arrow::int64()}};
    if (with_note) columns.emplace_back("note", arrow::utf8());
    auto schema = std::make_shared<TableSchema>(*fixture::keyed_table("accounts", columns));
    schema->version = with_note ? 2 : 1;
    return schema;
}
auto transfers() -> SchemaPtr {
    return fixture::append_only_table("transfers", {{"n", arrow::int64()}});
}

// Three epochs with a schema change, a key change and a partial row in the second. The sum of all
// balances is 300 after each, and each leaves one line in transfers.
auto write_epoch(Session& sink, std::uint64_t n) -> void {
    sink.write(BatchFixture(transfers(), n).insert({static_cast<std::int64_t>(n)}));
    if (n == 1) {
        sink.write(
            BatchFixture(accounts(false), n).insert({1, 100}).insert({2, 100}).insert({3, 100}));
    } else if (n == 2) {
        sink.write(BatchFixture(accounts(false), n).update({1, 60}));
        sink.write(
            BatchFixture(accounts(true), n).update({2, 140, "x"}).move({3}, {4, unsent, "y"}));
    } else {
        sink.write(BatchFixture(accounts(true), n).remove({1}).update({2, 200, "z"}));
    }
}

auto expected_accounts(std::uint64_t n) -> Lines {
    if (n == 0) return {};
    if (n == 1) return {"1|100", "2|100", "3|100"};
    if (n == 2) return {"1|60", "2|140", "4|100"};
    return {"2|200", "4|100"};
}

auto replay(Target& target, std::uint64_t to) -> std::uint64_t {
    Session sink(target);
    const auto progress = sink.open();
    const auto stood_at = progress ? progress->offsets.change_offset : 0;
    for (auto n = stood_at + 1; n <= to; ++n) {
        write_epoch(sink, n);
        sink.commit(n);
    }
    return stood_at;
}

// The child opens, applies epoch 2 and dies on the way or at the end of it.
auto die_in_second_epoch(Target& target, std::string_view where) -> ChildEnd {
    return in_child([&] {
        if (where != "after write" && where != "after settle")
            CHECK(arm_failpoints(std::string(where) + "=1").has_value());
        Session sink(target);
        sink.open();
        write_epoch(sink, 2);
        if (where == "after write") std::raise(SIGKILL);
        sink.commit(2);
        sink.settle(Rest::last);
        if (where == "after settle") std::raise(SIGKILL);
        std::_Exit(3);  // the failpoint was never met
    });
}

TEST_P(SinkConformance, KilledAnywhereInAnEpochItIsThereWholeOrNotAtAll) {
    auto places = target().failpoints();
    places.insert(places.end(), {"after write", "after settle"});
    for (const auto place : places) {
        SCOPED_TRACE(std::string(place));
        auto& fresh = fresh_target();
        ASSERT_EQ(replay(fresh, 1), 0U);
        EXPECT_EQ(die_in_second_epoch(fresh, place).signal, SIGKILL);

        const auto stood_at = replay(fresh, 0);
        ASSERT_TRUE(stood_at == 1 || stood_at == 2) << stood_at;
        const bool was_committed = place == "after settle" || place.ends_with("after_commit");
        EXPECT_TRUE(stood_at == (was_committed ? 2U : 1U) || place.ends_with("checkpoint"));
        EXPECT_EQ(lines("accounts", {"id", "balance"}), expected_accounts(stood_at));
        EXPECT_EQ(lines("transfers", {"n"}).size(), stood_at);

        replay(fresh, 3);
        EXPECT_EQ(lines("accounts", {"id", "balance", "note"}), (Lines{"2|200|z", "4|100|y"}));
        EXPECT_EQ(lines("transfers", {"n"}), (Lines{"1", "2", "3"}));
    }
}

TEST_P(SinkConformance, KilledInTheFirstEpochTheTargetIsEmptyOrHasItWhole) {
    for (const auto place : target().failpoints()) {
        SCOPED_TRACE(std::string(place));
        auto& fresh = fresh_target();
        const auto end = in_child([&] {
            CHECK(arm_failpoints(std::string(place) + "=1").has_value());
            replay(fresh, 1);
            Session(fresh).open();
        });
        EXPECT_TRUE(end.signal == SIGKILL || end.exit_code == 0);
        const auto stood_at = replay(fresh, 3);
        EXPECT_LE(stood_at, 1U);
        EXPECT_EQ(lines("accounts", {"id", "balance"}), expected_accounts(3));
        EXPECT_EQ(lines("transfers", {"n"}), (Lines{"1", "2", "3"}));
    }
}

// An epoch many times larger than the memory it may take: appended rows, then updates of them.
TEST_P(SinkConformance, EpochLargerThanMemory) {
    constexpr int rows_per_batch = 20'000;
    constexpr int batches = 60;
    constexpr std::size_t text_bytes = 500;
    // 600 MB of rows; what the process may grow by holds the target's own cache, and does not
    // depend on the size of the epoch. Sanitizers keep freed memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    constexpr long growth_kib_max = 1'600L * 1024;
#else
    constexpr long growth_kib_max = 400L * 1024;
#endif
    const auto table =
        fixture::keyed_table("large", {{"id", arrow::int64()}, {"text", arrow::utf8()}});
    auto& fresh = fresh_target();
    const auto baseline = in_child([] {}).peak_rss_kib;
    const auto end = in_child([&] {
        Session sink(fresh);
        sink.open();
        for (int b = 0; b < batches; ++b) {
            BatchFixture rows(table, static_cast<std::uint64_t>(b + 1));
            for (int i = 0; i < rows_per_batch; ++i) {
                const int id = b < batches / 2 ? b * rows_per_batch + i : i;
                const std::string text(text_bytes, static_cast<char>('a' + (id + b) % 26));
                if (b < batches / 2) rows.insert({id, text});
                else rows.update({id, text});
            }
            sink.write(rows);
        }
        sink.commit(1);
    });
    EXPECT_EQ(end.exit_code, 0) << "signal " << end.signal;
    EXPECT_LT(end.peak_rss_kib - baseline, growth_kib_max);
    const auto ids = lines("large", {"id"});
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(rows_per_batch) * batches / 2);
}

}  // namespace

}  // namespace leat::conformance
