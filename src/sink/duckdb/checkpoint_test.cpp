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

}  // namespace
}  // namespace leat
