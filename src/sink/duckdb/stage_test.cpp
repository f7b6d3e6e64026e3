// The stage: order, what comes back from the file, and memory that stays bounded.
#include "sink/duckdb/stage.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "sink/duckdb/sink_fixture.hpp"

namespace leat {
namespace {

using namespace fixture;

const auto orders = keyed_table("orders", {{"id", arrow::int64()}, {"note", arrow::utf8()}});

TEST(DuckDbStage, WhatIsSpilledComesBackInOrderAndEqual) {
    const Folder folder;
    duckdb::Stage stage(folder.path(), 3000);
    std::vector<Batch> batches;
    for (int i = 0; i < 50; ++i) {
        BatchFixture rows(orders, static_cast<std::uint64_t>(i + 1));
        rows.insert({i, "x"}).update({i, unsent}).move({i}, {i + 1000, nullptr}).truncate();
        batches.push_back(i % 2 == 0 ? rows.build() : slice(rows.build(), 1));
        must(stage.add(batches.back()));
    }
    EXPECT_GT(stage.spilled(), 0U);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "work"));
    for (std::size_t i = 0; i < batches.size(); ++i)
        EXPECT_TRUE(must(stage.read(i)).rows->Equals(*batches[i].rows)) << i;
    stage.clear();
    EXPECT_EQ(stage.size(), 0U);
    EXPECT_EQ(stage.spilled(), 0U);
    must(stage.add(batches[3]));
    EXPECT_TRUE(must(stage.read(0)).rows->Equals(*batches[3].rows));
}

TEST(DuckDbStage, MissingFolderIsAnErrorThatMayPass) {
    duckdb::Stage stage("/nonexistent", 0);
    const auto failed = stage.add(BatchFixture(orders).insert({1, "x"}).build());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().fault, Fault::retry);
}

// Resident anonymous memory of this process, in bytes, at its highest.
auto peak_memory() -> std::int64_t {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

TEST(DuckDbStage, EpochOfAnySizeNeedsBoundedMemory) {
    const Folder folder;
    const auto child = ::fork();
    if (child == 0) {
        DuckDbConfig config;
        config.memory_limit = config::Bytes::mib(128);
        config.stage_bytes_max = config::Bytes::mib(8);
        SinkFixture sink(folder, config);
        sink.open();
        // 900 MB of new rows in one epoch, and 45 MB of updates that keep their text.
        const auto events =
            append_only_table("events", {{"n", arrow::int64()}, {"s", arrow::utf8()}});
        const std::string text(300, 'x');
        BatchFixture many(events);
        for (int i = 0; i < 1000; ++i) many.insert({i, text + std::to_string(i)});
        const auto batch = many.build();
        for (int i = 0; i < 3000; ++i) sink.write(batch);
        for (int i = 0; i < 100; ++i) {
            BatchFixture rows(orders, 1);
            for (int k = 0; k < 1000; ++k) rows.insert({i * 1000 + k + 1, text});
            sink.write(rows);
        }
        for (int i = 0; i < 100; i += 2) {
            BatchFixture rows(orders, 2);
            for (int k = 0; k < 1000; ++k)
                rows.move({i * 1000 + k + 1}, {-(i * 1000 + k + 1), unsent});
            sink.write(rows);
        }
        sink.commit();
        EXPECT_EQ(sink.rows("SELECT count(*), sum(n), max(length(s)) FROM events"),
                  Lines{"3000000|1498500000|303"});
        EXPECT_EQ(sink.rows("SELECT count(*), count(note), count(*) FILTER (id < 0) FROM orders"),
                  Lines{"100000|100000|50000"});
        EXPECT_LT(peak_memory(), std::int64_t{128 + 256} << 20U);
        ::_exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace leat
