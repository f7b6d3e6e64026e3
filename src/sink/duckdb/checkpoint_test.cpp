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
    EXPECT_TRUE(checkpoints.is_due());
    EXPECT_FALSE(must(checkpoints.run(writer)));
    EXPECT_EQ(checkpoints.safe(), std::nullopt);
    EXPECT_EQ(must(reader.rows("SELECT count(*)::VARCHAR FROM t")).at(0).at(0), "10");
    must(reader.execute("COMMIT"));
    EXPECT_TRUE(must(checkpoints.run(writer)));
    EXPECT_EQ(checkpoints.safe(), progress_at(1).offsets);
    EXPECT_EQ(checkpoints.wal_bytes(), 0U);
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
        const auto committed = sink.commit();
        if (committed.safe) break;
    }
    EXPECT_EQ(epochs, 5);
}

}  // namespace
}  // namespace leat
