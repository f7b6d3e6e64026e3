// What the log does when the disk is full, fails or is not its own.
#include <arrow/array/array_primitive.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <set>
#include <thread>

#include "queue/log/log_fixture.hpp"
#include "queue/log/memory_disk.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

class LogFaultsTest : public LogTest {
protected:
    ~LogFaultsTest() override {
        disk.judge({});  // it may look at what the test had
        log.reset();
    }
    LogFaultsTest() { surroundings.disk = &disk; }

    // Appends in a thread of its own, so that the test can watch it wait.
    class Appending {
    public:
        Appending(LogQueue& log, std::vector<Frame> frames)
            : thread_([this, &log, frames = std::move(frames)](const std::stop_token& stop) {
                  for (const auto& frame : frames) {
                      auto durable = log.append(frame, stop);
                      if (!durable) {
                          error = durable.error();
                          break;
                      }
                      ++appended;
                  }
                  done = true;
              }) {}
        auto stop() -> void {
            thread_.request_stop();
            thread_.join();
        }
        auto join() -> void { thread_.join(); }

        std::atomic<std::size_t> appended = 0;
        std::atomic<bool> done = false;
        std::optional<Error> error;  // once done

    private:
        std::jthread thread_;
    };

    template <class Ready>
    static auto wait_until(Ready ready) -> bool {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!ready()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        return true;
    }

    MemoryDisk disk;
    SystemClock system;
};

TEST_F(LogFaultsTest, SegmentsAreReservedWhereTheLogGrowsFast) {
    config.segment_bytes.count = 256 << 10;
    open();
    append_image();
    std::uint64_t commit = 10;
    for (; commit < 100; ++commit) {
        append(change(commit, orders(), 3000));
        clock.advance(std::chrono::seconds(1));
    }
    EXPECT_EQ(disk.reserved(), 0U);
    for (; commit < 300; ++commit) append(change(commit, orders(), 3000));
    EXPECT_GT(disk.reserved(), 0U);
}

TEST_F(LogFaultsTest, FailedSyncEndsTheLogForEver) {
    config.segment_bytes.count = 1 << 20;  // no other file is being made meanwhile
    open();
    append_image();
    append(change(6));
    bool failed = false;
    disk.judge([&](std::uint64_t, Call call) {
        if (call != Call::sync || failed) return Verdict{};
        failed = true;
        return Verdict{Act::fail, -EIO};
    });
    const auto first = log->append(change(7), {});
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().fault, Fault::fatal);
    EXPECT_NE(first.error().what.find("fdatasync"), std::string::npos);
    // The disk is fine again; nothing may be believed all the same.
    const auto second = log->append(change(7), {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().fault, Fault::fatal);
    EXPECT_FALSE(log->resume_point());
    EXPECT_FALSE(log->release("duckdb", {}));
    disk.judge({});
    open();
    const auto point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_GE((*point).position->commit, 6U);
}

// Found by the fault sweep: the wait went on with a file that was not open.
TEST_F(LogFaultsTest, FullDiskWhereASegmentIsOpenedHoldsAppendsBack) {
    open();
    append_image();
    // Every second opening: that of the preparer succeeds, the one that starts the segment fails.
    std::atomic<int> openings = 0;
    disk.judge([&](std::uint64_t, Call call) {
        const bool fails = call == Call::open && ++openings % 2 == 0;
        return fails ? Verdict{Act::fail, -ENOSPC} : Verdict{};
    });
    std::vector<Frame> frames;
    for (std::uint64_t commit = 6; commit < 60; ++commit)
        frames.push_back(change(commit, orders(), 3000));
    Appending appending(*log, frames);
    appending.join();
    EXPECT_GT(openings, 2);
    disk.judge({});
    EXPECT_FALSE(appending.error) << appending.error->what;
    EXPECT_EQ(commits().size(), 54U);
}

// An unmounted volume shows the folder below it: a segment made there would be lost with the next
// mount, and everything in it.
TEST_F(LogFaultsTest, FolderThatWasReplacedEndsTheLog) {
    surroundings.disk = nullptr;  // the real one
    open();
    append_image();
    const auto elsewhere = folder.path() / "elsewhere";
    std::filesystem::create_directory(elsewhere);
    // At once, as a mount is.
    ASSERT_EQ(0, ::renameat2(AT_FDCWD, config.path.c_str(), AT_FDCWD, elsewhere.c_str(),
                             RENAME_EXCHANGE));
    std::vector<Frame> frames;
    for (std::uint64_t commit = 6; commit < 60; ++commit)
        frames.push_back(change(commit, orders(), 3000));
    Appending appending(*log, frames);
    appending.join();
    ASSERT_TRUE(appending.error);
    EXPECT_EQ(appending.error->fault, Fault::fatal);
    EXPECT_NE(appending.error->what.find("unmounted"), std::string::npos) << appending.error->what;
    EXPECT_NE(appending.error->hint, "");
    log.reset();
    for (const auto& file : std::filesystem::directory_iterator(config.path))
        ADD_FAILURE() << "made in the wrong folder: " << file.path();
    // Put back, it holds all that was acknowledged.
    std::filesystem::remove(config.path);
    std::filesystem::rename(elsewhere, config.path);
    open();
    EXPECT_GE(commits().size(), appending.appended);
}

TEST_F(LogFaultsTest, FailedCutOfAnUnfinishedTransactionEndsTheLog) {
    open();
    append_image();
    append(change(6));
    append(unfinished(7, 0));
    std::atomic<int> syncs = 0;
    disk.judge([&](std::uint64_t, Call call) {
        if (call != Call::sync && call != Call::sync_directory) return Verdict{};
        return ++syncs == 1 ? Verdict{Act::fail, -EIO} : Verdict{};
    });
    ASSERT_FALSE(log->resume_point());
    EXPECT_FALSE(log->append(change(7), {}));
    log.reset();
    EXPECT_EQ(syncs, 1);  // also not by its end
}

// A sync that meets a full disk proves as little as any other that failed.
TEST_F(LogFaultsTest, FullDiskInASyncEndsTheLog) {
    open();
    append_image();
    bool failed = false;
    disk.judge([&](std::uint64_t, Call call) {
        if (call != Call::sync_directory || failed) return Verdict{};
        failed = true;
        return Verdict{Act::fail, -ENOSPC};
    });
    std::vector<Frame> frames;
    for (std::uint64_t commit = 6; commit < 60; ++commit)
        frames.push_back(change(commit, orders(), 3000));
    Appending appending(*log, frames);
    appending.join();
    ASSERT_TRUE(appending.error);
    EXPECT_EQ(appending.error->fault, Fault::fatal) << appending.error->what;
}

TEST_F(LogFaultsTest, FullDiskHoldsAppendsBackAndLetsThemGoOn) {
    open();
    append_image();
    std::atomic<bool> full = true;
    disk.judge([&](std::uint64_t, Call call) {
        return call == Call::write && full ? Verdict{Act::fail, -ENOSPC} : Verdict{};
    });
    std::vector<Frame> frames;
    for (std::uint64_t commit = 6; commit < 80; ++commit)
        frames.push_back(change(commit, orders(), 3000));
    Appending appending(*log, frames);
    ASSERT_TRUE(wait_until([&] { return !log->pressure().empty(); }));
    EXPECT_NE(log->pressure().find("No space left"), std::string::npos) << log->pressure();
    EXPECT_FALSE(appending.done);
    full = false;
    ASSERT_TRUE(wait_until([&] { return appending.appended > 20; }));
    full = true;  // now where the next segment is made
    ASSERT_TRUE(wait_until([&] { return !log->pressure().empty(); }));
    full = false;
    appending.join();
    EXPECT_FALSE(appending.error) << appending.error->what;
    EXPECT_EQ(commits().size(), 74U);
    EXPECT_EQ(log->pressure(), "");
}

TEST_F(LogFaultsTest, StoppedOnAFullDiskLeavesNothingBehind) {
    open();
    append_image();
    append(change(6));
    std::atomic<int> writes = 0;
    disk.judge([&](std::uint64_t, Call call) {
        if (call != Call::write) return Verdict{};
        // Half of it is written before the disk turns out to be full.
        return ++writes == 1 ? Verdict{Act::fall_short} : Verdict{Act::fail, -EDQUOT};
    });
    Appending appending(*log, {change(7, orders(), 20000)});
    ASSERT_TRUE(wait_until([&] { return !log->pressure().empty(); }));
    appending.stop();
    ASSERT_TRUE(appending.error);
    EXPECT_EQ(appending.error->fault, Fault::retry);
    EXPECT_EQ(appending.error->what, "stopped");
    disk.judge({});
    append(change(7));
    EXPECT_EQ(commits(), (std::vector<std::uint64_t>{6, 7}));
    open();
    EXPECT_EQ(log->report().torn_bytes, 0U);
    EXPECT_EQ(commits(), (std::vector<std::uint64_t>{6, 7}));
}

TEST_F(LogFaultsTest, FullDiskAtStartSaysSo) {
    disk.judge([](std::uint64_t, Call call) {
        return call == Call::write ? Verdict{Act::fail, -ENOSPC} : Verdict{};
    });
    const auto made = try_open();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().fault, Fault::retry);
    EXPECT_NE(made.error().what.find("No space left"), std::string::npos);
    EXPECT_FALSE(made.error().hint.empty());
}

TEST_F(LogFaultsTest, ReadOnlyFolderIsRefused) {
    disk.judge([](std::uint64_t, Call call) {
        return call == Call::write ? Verdict{Act::fail, -EROFS} : Verdict{};
    });
    const auto made = try_open();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().fault, Fault::config);
    EXPECT_NE(made.error().what.find("Read-only"), std::string::npos);
}

TEST_F(LogFaultsTest, FolderThatCannotBeMadeIsRefused) {
    write_file(folder.path() / "file", "");
    config.path = folder.path() / "file" / "log";
    const auto made = try_open();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().fault, Fault::config);
}

TEST_F(LogFaultsTest, SecondOwnerIsRefusedWithThePid) {
    open();
    const auto second = LogQueue::make(config, context(), surroundings);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().fault, Fault::config);
    EXPECT_NE(second.error().what.find("pid " + std::to_string(::getpid())), std::string::npos);
}

TEST_F(LogFaultsTest, LogOfAnotherPipelineIsRefused) {
    open();
    log.reset();
    const auto made = LogQueue::make(config, {"other", lanes, &clock}, surroundings);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().fault, Fault::config);
    EXPECT_NE(made.error().what.find("another pipeline: shop"), std::string::npos);
}

TEST_F(LogFaultsTest, MissingManifestBesideSegmentsIsRefused) {
    open();
    append_image();
    log.reset();
    disk.remove(config.path / "log.json");
    const auto made = try_open();
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().fault, Fault::fatal);
}

TEST_F(LogFaultsTest, EveryOpeningTakesAHigherIncarnation) {
    open();
    const auto first = log->identity();
    open();
    const auto second = log->identity();
    EXPECT_EQ(second.incarnation, first.incarnation + 1);
    EXPECT_EQ(second.id, first.id);
    append_image();
    log.reset();
    disk.remove(config.path / "state");  // the frames know it as well
    open();
    EXPECT_GT(log->identity().incarnation, second.incarnation);
}

TEST_F(LogFaultsTest, MisplacedFramesAreRefused) {
    open();
    EXPECT_FALSE(log->append(image(1), {}));
    EXPECT_FALSE(log->append(marker(MarkerKind::end, 1, {1, 5, 0, ""}), {}));
    append_image();
    EXPECT_FALSE(log->append(image(1), {}));
    EXPECT_FALSE(log->append(marker(MarkerKind::begin, 1, {1, 5, 0, ""}), {}));
    append(unfinished(6, 0));
    EXPECT_FALSE(log->append(position(6), {}));
    auto frame = change(6);
    frame.batches[0].schema =
        keyed_table("orders", {{"id", arrow::int64()}, {"note", arrow::int32()}});
    EXPECT_FALSE(log->append(frame, {}));
}

TEST_F(LogFaultsTest, ThreadsShareCommits) {
    open();
    append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}));
    append(marker(MarkerKind::point, 1, {1, 5, 0, "point"}));
    std::atomic<std::uint64_t> syncs = 0;
    disk.judge([&](std::uint64_t, Call call) {
        if (call == Call::sync) {
            ++syncs;
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
        return Verdict{};
    });
    {
        std::vector<std::unique_ptr<Appending>> workers;
        for (int worker = 0; worker < 4; ++worker) {
            std::vector<Frame> frames;
            for (int i = 0; i < 50; ++i) frames.push_back(image(worker * 100 + i));
            workers.push_back(std::make_unique<Appending>(*log, std::move(frames)));
        }
        for (std::uint64_t commit = 6; commit < 56; ++commit) append(change(commit));
        for (auto& worker : workers) {
            worker->join();
            EXPECT_FALSE(worker->error);
        }
    }
    append_end(1);
    EXPECT_LT(syncs, 230U);
    std::set<std::int64_t> keys;
    for (const auto& delivery : read_all())
        if (delivery.frame.kind == FrameKind::snapshot)
            keys.insert(std::static_pointer_cast<arrow::Int64Array>(
                            delivery.frame.batches[0].rows->column(first_table_column))
                            ->Value(0));
    EXPECT_EQ(keys.size(), 200U);
    EXPECT_EQ(commits().size(), 50U);
}

TEST_F(LogFaultsTest, ReaderWaitsForWhatIsAppended) {
    Surroundings around;
    around.disk = &disk;
    auto made = LogQueue::make(config, {"shop", lanes, &system}, around);
    ASSERT_TRUE(made.has_value());
    log = std::move(made).value();
    append_image();
    auto reader = log->reader("duckdb", start());
    ASSERT_OK(reader);
    ASSERT_EQ(drain(**reader).size(), 4U);
    std::atomic<std::uint64_t> seen = 0;
    std::jthread lane([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            auto next = (*reader)->next(stop, std::chrono::seconds(30));
            if (next && *next) seen = (*next)->frame.last.commit;
        }
    });
    for (std::uint64_t commit = 6; commit < 300; ++commit) append(change(commit, orders(), 900));
    EXPECT_TRUE(wait_until([&] { return seen == 299; }));
}

}  // namespace
}  // namespace leat::log_queue
