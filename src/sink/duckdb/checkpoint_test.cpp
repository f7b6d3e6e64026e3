// The checkpoint policy beside readers and by the clock.
#include "sink/duckdb/checkpoint.hpp"

#include <gtest/gtest.h>

#include "sink/duckdb/sink_fixture.hpp"

namespace leat {
namespace {

using namespace fixture;

TEST(DuckDbCheckpoint, IsPutOffWhileAReaderStandsBeforeASchemaChange) {
    const Folder folder;
    const ManualClock clock;
    auto database = must(duckdb::Database::open(folder.database().string(), {}));
    auto writer = must(database.connect());
    auto reader = must(database.connect());
    must(writer.execute("CREATE TABLE t AS SELECT i FROM range(10) r(i); CHECKPOINT"));
    duckdb::Checkpoints checkpoints(folder.database(), 1, clock);
    checkpoints.opened(std::nullopt);
    must(reader.execute("BEGIN TRANSACTION READ ONLY; SELECT count(*) FROM t"));
    must(writer.execute(
        "BEGIN; ALTER TABLE t ADD COLUMN d INTEGER; DELETE FROM t WHERE i < 5; COMMIT"));
    checkpoints.committed(progress_at(1).offsets);
    EXPECT_TRUE(checkpoints.is_due(Rest::after_commit));
    EXPECT_FALSE(must(checkpoints.run(writer)));
    EXPECT_EQ(checkpoints.safe(), std::nullopt);
    EXPECT_EQ(must(reader.rows("SELECT count(*)::VARCHAR FROM t")).at(0).at(0), "10");
    must(reader.execute("COMMIT"));
    EXPECT_TRUE(must(checkpoints.run(writer)));
    EXPECT_EQ(checkpoints.safe(), progress_at(1).offsets);
    EXPECT_EQ(checkpoints.wal_bytes(), 0U);
}

// A second passes whenever it is looked at.
class TickingClock final : public Clock {
public:
    [[nodiscard]] auto steady() const -> Duration override {
        clock_.advance(std::chrono::seconds(1));
        return clock_.steady();
    }
    [[nodiscard]] auto wall_us() const -> std::int64_t override { return clock_.wall_us(); }
    auto advance(Duration by) -> void { clock_.advance(by); }

private:
    mutable ManualClock clock_;
};

TEST(DuckDbCheckpoint, ComesEarlyWhileThatTakesASmallShareOfTheTime) {
    const Folder folder;
    TickingClock clock;
    clock.advance(std::chrono::seconds(60));
    auto database = must(
        duckdb::Database::open(folder.database().string(), {{"checkpoint_threshold", "1000TB"}}));
    auto writer = must(database.connect());
    duckdb::Checkpoints checkpoints(folder.database(), 1ULL << 30U, clock);
    checkpoints.opened(std::nullopt);
    must(writer.execute("CREATE TABLE t (a VARCHAR)"));
    EXPECT_FALSE(checkpoints.is_due(Rest::after_commit));
    EXPECT_TRUE(checkpoints.is_due(Rest::idle));
    const auto fill = "INSERT INTO t SELECT repeat(md5(i::VARCHAR), 32) FROM range(20000) r(i)";
    must(writer.execute(fill));
    EXPECT_TRUE(checkpoints.is_due(Rest::after_commit));
    EXPECT_TRUE(must(checkpoints.run(writer)));
    must(writer.execute(fill));
    // The one before took a second.
    EXPECT_FALSE(checkpoints.is_due(Rest::after_commit));
    EXPECT_FALSE(checkpoints.is_due(Rest::idle));
    clock.advance(std::chrono::seconds(4));
    EXPECT_TRUE(checkpoints.is_due(Rest::after_commit));
    EXPECT_FALSE(checkpoints.is_due(Rest::idle));
}

TEST(DuckDbCheckpoint, ComesWhenTheLogReachesItsBound) {
    const Folder folder;
    DuckDbConfig config;
    config.wal_bytes_max = config::Bytes::mib(1);
    SinkFixture sink(folder, config);
    sink.open();
    const auto notes = append_only_table("notes", {{"text", arrow::utf8()}});
    int epochs = 0;
    for (; epochs < 20; ++epochs) {
        sink.write(BatchFixture(notes).insert({std::string(200'000, 'x')}));
        if (sink.commit()) break;
    }
    EXPECT_EQ(epochs, 5);
}

// Deletes that are spread over a table make all its row groups due at once.
TEST(DuckDbCheckpoint, RewritesAFewRowGroupsAtATime) {
    const Folder folder;
    SinkFixture sink(folder);
    sink.open();
    const auto numbers = keyed_table("numbers", {{"n", arrow::int64()}});
    constexpr int groups = 20;
    constexpr int rows = groups * 30'720;
    BatchFixture first(numbers);
    for (int n = 0; n < rows; ++n) first.insert({n});
    sink.apply(first);
    must(sink->settle(Rest::last));
    BatchFixture odd(numbers, 2);
    for (int n = 1; n < rows; n += 2) odd.remove({n});
    sink.apply(odd);
    const auto count_groups = [&] {
        return std::stoi(sink.rows("SELECT count(DISTINCT row_group_id)::VARCHAR FROM "
                                   "pragma_storage_info('numbers')")
                             .at(0));
    };
    EXPECT_EQ(count_groups(), groups);
    must(sink->settle(Rest::last));
    const auto after_one = count_groups();
    EXPECT_LT(after_one, groups);
    EXPECT_GT(after_one, groups * 2 / 3);
    for (int n = 0; n < groups; ++n) {
        sink.apply(BatchFixture(numbers, 3).insert({rows + n}));
        must(sink->settle(Rest::last));
    }
    EXPECT_LE(count_groups(), groups * 2 / 3 + 1);
    EXPECT_EQ(sink.rows("SELECT count(*)::VARCHAR FROM numbers"),
              std::vector<std::string>{std::to_string(rows / 2 + groups)});
}

}  // namespace
}  // namespace leat
