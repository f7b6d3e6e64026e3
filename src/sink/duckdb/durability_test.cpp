// What stands after the process died, the disk was full, the file is held, foreign or damaged.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "base/failpoint.hpp"
#include "sink/duckdb/sink_fixture.hpp"

namespace leat {
namespace {

using namespace fixture;

const auto orders = keyed_table("orders", {{"id", arrow::int64()}, {"note", arrow::utf8()}});

auto wider() -> SchemaPtr {
    auto schema = std::make_shared<TableSchema>(*orders);
    schema->columns.push_back(
        {"extra", arrow::int64(), "", true, 3, arrow::MakeScalar(std::int64_t{7})});
    schema->version = 2;
    return schema;
}

// Runs `work` in a process of its own; yields how it ended, as waitpid says.
auto in_child(const std::function<void()>& work) -> int {
    const auto child = ::fork();
    if (child == 0) {
        work();
        ::_exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    return status;
}

// Three epochs that meet every kind of work; what is applied before `from` is left out.
auto play(SinkFixture& sink, std::uint64_t from) -> void {
    const std::vector<std::function<void()>> epochs = {
        [&] {
            BatchFixture rows(orders);
            for (int i = 0; i < 3000; ++i) rows.insert({i, "note"});
            sink.write(rows);
        },
        [&] {
            sink.write(
                BatchFixture(orders, 2).update({1, unsent}).move({2}, {-2, "moved"}).remove({3}));
        },
        [&] {
            sink.write(BatchFixture(orders, 3).update({4, "before"}));
            sink.write(BatchFixture(wider(), 3).insert({5000, "after", 1}).remove({6}));
        },
    };
    for (auto i = from; i < epochs.size(); ++i) {
        epochs[i]();
        must(sink->commit(progress_at(i + 1)));
        must(sink->settle(Rest::last));
    }
}

const auto summary =
    "SELECT count(*), sum(id), count(*) FILTER (note = 'moved'), sum(extra) FROM orders";

class DuckDbCrash : public ::testing::TestWithParam<std::string> {};

TEST_P(DuckDbCrash, ReplayFromTheStoredProgressEndsEqual) {
    const Folder folder;
    for (int hit = 1; hit <= 3; ++hit) {
        std::filesystem::remove(folder.database());
        std::filesystem::remove(folder.database().string() + ".wal");
        const auto status = in_child([&] {
            must(arm_failpoints(GetParam() + "=" + std::to_string(hit)));
            SinkFixture sink(folder);
            sink.open();
            play(sink, 0);
        });
        // An epoch without schema change does not pass every point.
        if (GetParam() != "duckdb.evolve" || hit <= 2) {
            ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << GetParam() << hit;
        }
        SinkFixture sink(folder);
        const auto stands = sink.open();
        const auto from = stands ? stands->offsets.change_offset : 0;
        const auto epochs = static_cast<std::uint64_t>(hit);
        const bool is_before =
            GetParam() == "duckdb.staged" || GetParam() == "duckdb.before_commit";
        if (GetParam() != "duckdb.evolve") {
            EXPECT_EQ(from, is_before ? epochs - 1 : epochs);
        }
        play(sink, from);
        EXPECT_EQ(sink.rows(summary), Lines{"2999|4503487|1|20987"}) << GetParam() << hit;
    }
}

INSTANTIATE_TEST_SUITE_P(Points, DuckDbCrash,
                         ::testing::Values("duckdb.evolve", "duckdb.staged", "duckdb.before_commit",
                                           "duckdb.after_commit", "duckdb.before_checkpoint",
                                           "duckdb.after_checkpoint"),
                         [](const auto& each) {
                             return each.param.substr(each.param.find('.') + 1);
                         });

TEST(DuckDbDurability, FullDiskIsAnErrorAndNothingIsLost) {
    const Folder folder;
    const auto status = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        SinkFixture sink(folder);
        sink.open();
        sink.apply(BatchFixture(orders).insert({1, "a"}));
        const rlimit small{2U << 20U, RLIM_INFINITY};
        CHECK(::setrlimit(RLIMIT_FSIZE, &small) == 0);
        BatchFixture big(orders, 2);
        const std::string filler(300, 'x');
        for (int i = 2; i < 60'000; ++i) big.insert({i, std::to_string(i * 7919) + filler});
        sink.write(big);
        const auto failed = sink->commit(progress_at(2));
        ASSERT_FALSE(failed);
        EXPECT_TRUE(failed.error().fault == Fault::uncertain ||
                    failed.error().fault == Fault::retry)
            << failed.error().what;
        const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
        CHECK(::setrlimit(RLIMIT_FSIZE, &none) == 0);
        EXPECT_EQ(sink.open(), progress_at(1));
        sink.write(big);
        must(sink->commit(progress_at(2)));
        EXPECT_EQ(must(sink->settle(Rest::last)), progress_at(2).offsets);
        EXPECT_EQ(sink.rows("SELECT count(*) FROM orders"), Lines{"59999"});
    });
    EXPECT_EQ(status, 0);
}

TEST(DuckDbDurability, FailedCheckpointIsAnErrorAndNothingIsLost) {
    const Folder folder;
    const auto status = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        SinkFixture sink(folder);
        sink.open();
        BatchFixture big(orders, 1);
        for (int i = 0; i < 60'000; ++i) big.insert({i, "note number " + std::to_string(i * 7919)});
        sink.apply(big);
        const rlimit small{1U << 20U, RLIM_INFINITY};
        CHECK(::setrlimit(RLIMIT_FSIZE, &small) == 0);
        const auto failed = sink->settle(Rest::last);
        const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
        CHECK(::setrlimit(RLIMIT_FSIZE, &none) == 0);
        ASSERT_FALSE(failed);
        EXPECT_NE(failed.error().what.find("checkpoint"), std::string::npos);
        EXPECT_EQ(sink.open(), progress_at(1));
        EXPECT_EQ(must(sink->settle(Rest::last)), progress_at(1).offsets);
        EXPECT_EQ(sink.rows("SELECT count(*) FROM orders"), Lines{"60000"});
    });
    EXPECT_EQ(status, 0);
}

TEST(DuckDbDurability, TornTailOfTheLogLosesTheLastEpochOnly) {
    const Folder folder;
    const auto wal = folder.database().string() + ".wal";
    const auto status = in_child([&] {
        SinkFixture sink(folder);
        sink.open();
        sink.apply(BatchFixture(orders).insert({1, "a"}));
        must(sink->settle(Rest::last));
        sink.apply(BatchFixture(orders, 2).insert({2, "b"}));
        sink.apply(BatchFixture(orders, 3).insert({3, "c"}));
        ::raise(SIGKILL);
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    std::filesystem::resize_file(wal, std::filesystem::file_size(wal) - 5);
    SinkFixture sink(folder);
    EXPECT_EQ(sink.open(), progress_at(2));
    EXPECT_EQ(sink.rows("SELECT id FROM orders ORDER BY id"), (Lines{"1", "2"}));
    must(sink->settle(Rest::last));
    sink.apply(BatchFixture(orders, 3).insert({3, "c"}));
}

auto refusal(const Folder& folder, const Identity& identity = identity_of()) -> Error {
    SinkFixture sink(folder);
    const auto result = sink->open(identity);
    EXPECT_FALSE(result);
    if (result) return {};
    EXPECT_EQ(result.error().fault, Fault::config) << result.error().what;
    EXPECT_FALSE(result.error().hint.empty());
    return result.error();
}

TEST(DuckDbDurability, FileHeldByAnotherProcessIsRefusedWithItsHolder) {
    const Folder folder;
    int ready[2];
    CHECK(::pipe(ready) == 0);
    const auto child = ::fork();
    if (child == 0) {
        SinkFixture sink(folder);
        sink.open();
        CHECK(::write(ready[1], "x", 1) == 1);
        ::pause();
    }
    char byte = 0;
    CHECK(::read(ready[0], &byte, 1) == 1);
    const auto error = refusal(folder);
    EXPECT_NE(error.what.find("in use"), std::string::npos) << error.what;
    EXPECT_NE(error.what.find(std::to_string(child)), std::string::npos) << error.what;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    SinkFixture sink(folder);
    sink.open();
    EXPECT_NE(refusal(folder).what.find("another sink of this process"), std::string::npos);
}

// Found by the crash test: killed between the making of the file and its first headers.
TEST(DuckDbDurability, AFileThatWasNeverMadeWholeIsMadeAnew) {
    const Folder folder;
    {
        SinkFixture sink(folder);
        sink.open();
    }
    std::string headers(4096, '\0');
    std::ifstream(folder.database(), std::ios::binary).read(headers.data(), 4096);
    for (const auto& left : {std::string(), headers}) {
        std::filesystem::remove(folder.database());
        std::filesystem::remove(folder.database().string() + ".wal");
        std::ofstream(folder.database(), std::ios::binary) << left;
        SinkFixture sink(folder);
        sink.open();
        EXPECT_GE(std::filesystem::file_size(folder.database()), 3 * 4096U);
    }
}

TEST(DuckDbDurability, ForeignFilesAreRefusedAndLeftAlone) {
    const Folder folder;
    std::ofstream(folder.database()) << "id,name\n1,x\n";
    EXPECT_NE(refusal(folder).what.find("not a duckdb file"), std::string::npos);
    EXPECT_EQ(std::filesystem::file_size(folder.database()), 12U);
    std::filesystem::remove(folder.database());
    std::filesystem::create_directory(folder.database());
    EXPECT_NE(refusal(folder).what.find("folder"), std::string::npos);
    std::filesystem::remove(folder.database());
    DuckDbConfig config;
    SinkFixture sink(folder);
    sink.open();
}

TEST(DuckDbDurability, ProgressOfOthersIsRefusedBeforeAnyWrite) {
    const Folder folder;
    {
        SinkFixture sink(folder);
        sink.open(5);
        sink.write(BatchFixture(orders).insert({1, "a"}));
        must(sink->commit(progress_at(1, 5)));
    }
    EXPECT_NE(
        refusal(folder, {"crm", "warehouse", "queue-1", 5}).what.find("another pipeline: shop"),
        std::string::npos);
    EXPECT_NE(refusal(folder, {"shop", "other", "queue-1", 5}).what.find("another sink"),
              std::string::npos);
    EXPECT_NE(refusal(folder, {"shop", "warehouse", "queue-2", 5}).what.find("another log"),
              std::string::npos);
    EXPECT_NE(refusal(folder, identity_of(4)).what.find("newer incarnation: 5"), std::string::npos);
    SinkFixture sink(folder);
    EXPECT_TRUE(sink.open(6).has_value());
}

TEST(DuckDbDurability, TablesOfTheUserAreNotTouched) {
    const Folder folder;
    {
        auto database = must(duckdb::Database::open(folder.database().string(), {}));
        must(must(database.connect())
                 .execute("CREATE TABLE orders (mine INTEGER); INSERT INTO orders VALUES (1)"));
    }
    SinkFixture sink(folder);
    sink.open();
    sink.write(BatchFixture(orders).insert({1, "a"}));
    const auto failed = sink->commit(progress_at(1));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().fault, Fault::config);
    sink.open();
    EXPECT_EQ(sink.rows("SELECT mine FROM orders"), Lines{"1"});
}

}  // namespace
}  // namespace leat
