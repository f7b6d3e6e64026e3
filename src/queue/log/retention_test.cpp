// What is kept, for whom, for how long; and what happens at the size limit.
#include <atomic>
#include <thread>

#include "queue/log/log_fixture.hpp"
#include "queue/log/memory_disk.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

class RetentionTest : public LogTest {
protected:
    ~RetentionTest() override { log.reset(); }  // before the disk
    RetentionTest() {
        config.segment_bytes.count = 16 << 10;
        config.max_bytes.count = 4 << 20;
        surroundings.disk = &disk;
    }

    auto files(SequenceKind kind) -> std::size_t {
        std::size_t count = 0;
        for (const auto& name : disk.names())
            if (name.find(to_string(kind)) != std::string::npos) ++count;
        return count;
    }
    auto append_changes(std::uint64_t from, std::uint64_t to) -> void {
        for (auto commit = from; commit < to; ++commit) append(change(commit, orders(), 3000));
    }
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
};

TEST_F(RetentionTest, FullLogDropsTheSlowestLaneWhenAsked) {
    lanes = {"fast", "slow"};
    config.on_log_full = OnLogFull::drop_lane;
    config.max_bytes.count = 256 << 10;
    open();
    append_image();
    auto slow = log->reader("slow", start());
    ASSERT_OK(slow);
    const auto begun = (*slow)->next({}, Duration::zero());
    ASSERT_OK(begun);
    auto fast = log->reader("fast", start());
    ASSERT_OK(fast);
    // Far more than fits: nothing waits, because the fast lane keeps up.
    std::uint64_t seen = 0;
    for (std::uint64_t commit = 6; commit < 300; ++commit) {
        append(change(commit, orders(), 3000));
        for (const auto& delivery : drain(**fast)) {
            seen = delivery.frame.last.commit;
            ASSERT_OK(release("fast", delivery.after));
        }
    }
    EXPECT_EQ(seen, 299U);
    const auto refused = (*slow)->next({}, Duration::zero());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::fatal);
    EXPECT_NE(refused.error().what.find("needs rebuild"), std::string::npos);
    EXPECT_NE(refused.error().what.find("drop_lane"), std::string::npos);
    EXPECT_FALSE(log->reader("slow", start()));
    EXPECT_LE(log->room().held_bytes, log->room().bytes_max);
}

TEST_F(RetentionTest, TheLastLaneIsNeverDropped) {
    lanes = {"slow"};
    config.on_log_full = OnLogFull::drop_lane;
    config.max_bytes.count = 256 << 10;
    open();
    append_image();
    std::stop_source stop;
    std::atomic<std::size_t> appended = 0;
    std::jthread source([&] {
        for (std::uint64_t commit = 6; commit < 300; ++commit, ++appended)
            if (!log->append(change(commit, orders(), 3000), stop.get_token())) return;
    });
    EXPECT_TRUE(wait_until([&] { return !log->room().waits.empty(); }));
    EXPECT_NE(log->room().waits.find("size limit"), std::string::npos);
    EXPECT_LT(appended, 100U);
    EXPECT_TRUE(log->reader("slow", start()));
    stop.request_stop();
}

TEST_F(RetentionTest, HeldBytesFallWithTheSlowestRelease) {
    lanes = {"fast", "slow"};
    config.rewind_bytes.count = 1 << 20;
    config.rewind_time = std::chrono::hours(1);
    open();
    append_image();
    append_changes(6, 60);
    const auto all = read_all();
    const auto before = log->room().held_bytes;
    ASSERT_OK(release("fast", all.back().after));
    EXPECT_EQ(log->room().held_bytes, before);
    // Kept for a sink that goes back, but held by nobody.
    ASSERT_OK(release("slow", all.back().after));
    EXPECT_LT(log->room().held_bytes, before / 2);
}

TEST_F(RetentionTest, KeepsWhatOneLaneStillNeeds) {
    lanes = {"fast", "slow"};
    open();
    append_image();
    append_changes(6, 40);
    const auto all = read_all();
    const auto before = files(SequenceKind::changes);
    ASSERT_TRUE(release("fast", all.back().after).has_value());
    // A segment may be prepared meanwhile, so there may be one more; none may go.
    EXPECT_GE(files(SequenceKind::changes), before);
    ASSERT_TRUE(release("slow", all[all.size() / 2].after).has_value());
    const auto after = files(SequenceKind::changes);
    EXPECT_LT(after, before);
    // All that the slow one needs is there, also after a start that knows of it by the hints only.
    const auto rest = read_all(all[all.size() / 2].after).size();
    clock.advance(std::chrono::seconds(2));
    open();
    EXPECT_EQ(read_all(all[all.size() / 2].after).size(), rest);
    ASSERT_TRUE(release("fast", all.back().after).has_value());
    EXPECT_GE(files(SequenceKind::changes), after);
    EXPECT_FALSE(log->reader("fast", start()));
    EXPECT_EQ(log->reader("fast", start()).error().fault, Fault::fatal);
    EXPECT_NE(log->reader("fast", all[5].after).error().what.find("needs rebuild"),
              std::string::npos);
}

TEST_F(RetentionTest, KeepsReleasedSegmentsForTheRewindWindow) {
    config.rewind_time = std::chrono::hours(24);
    config.rewind_bytes.count = 1 << 30;
    open();
    append_image();
    append_changes(6, 20);
    const auto all = read_all();
    const auto before = files(SequenceKind::changes);
    ASSERT_TRUE(release("duckdb", all.back().after).has_value());
    EXPECT_EQ(files(SequenceKind::changes), before);
    EXPECT_EQ(read_all().size(), all.size());
    ASSERT_TRUE(release("duckdb", all.back().after).has_value());
    clock.advance(std::chrono::hours(25));
    ASSERT_TRUE(release("duckdb", all.back().after).has_value());
    EXPECT_LT(files(SequenceKind::changes), before);
}

TEST_F(RetentionTest, TargetThatWentBackIsServedAndKept) {
    config.rewind_time = std::chrono::hours(24);
    config.rewind_bytes.count = 1 << 30;
    open();
    append_image();
    append_changes(6, 20);
    const auto all = read_all();
    ASSERT_TRUE(release("duckdb", all.back().after).has_value());
    auto reader = log->reader("duckdb", all[4].after);
    ASSERT_OK(reader);
    clock.advance(std::chrono::hours(25));
    append_changes(20, 24);
    ASSERT_TRUE(release("duckdb", all[4].after).has_value());
    EXPECT_EQ(drain(**reader).size(), all.size() - 5 + 4);
}

TEST_F(RetentionTest, TargetAheadOfTheLogNeedsARebuild) {
    open();
    append_image();
    append_changes(6, 8);
    auto ahead = read_all().back().after;
    ++ahead.change_offset;
    EXPECT_NE(log->reader("duckdb", ahead).error().what.find("ahead of the log"),
              std::string::npos);
    ahead.generation = 2;
    EXPECT_NE(log->reader("duckdb", ahead).error().what.find("ahead of the log"),
              std::string::npos);
}

TEST_F(RetentionTest, AtTheCapAppendsWaitForTheLanes) {
    config.max_bytes.count = 256 << 10;
    open();
    append_image();
    std::atomic<std::uint64_t> appended = 5;
    std::jthread source([&](const std::stop_token& stop) {
        for (std::uint64_t commit = 6; commit < 200; ++commit) {
            if (!log->append(change(commit, orders(), 3000), stop)) return;
            appended = commit;
        }
    });
    ASSERT_TRUE(wait_until([&] { return !log->pressure().empty(); }));
    EXPECT_NE(log->pressure().find("size limit"), std::string::npos);
    EXPECT_LT(appended, 100U);
    EXPECT_LE(log->figures().bytes, config.max_bytes.count + config.segment_bytes.count);
    // The lane drains and releases; everything comes through, in order and once.
    auto reader = log->reader("duckdb", start());
    ASSERT_OK(reader);
    std::uint64_t seen = 5;
    ASSERT_TRUE(wait_until([&] {
        for (const auto& delivery : drain(**reader)) {
            if (delivery.frame.kind == FrameKind::changes) {
                EXPECT_EQ(delivery.frame.last.commit, seen + 1);
                seen = delivery.frame.last.commit;
            }
            EXPECT_TRUE(release("duckdb", delivery.after).has_value());
        }
        return seen == 199;
    }));
    source.join();
    EXPECT_EQ(log->pressure(), "");
    EXPECT_LE(log->figures().bytes, config.max_bytes.count + config.segment_bytes.count);
}

TEST_F(RetentionTest, UnfinishedTransactionPassesTheCap) {
    config.max_bytes.count = 256 << 10;
    open();
    append_image();
    std::uint64_t ordinal = 0;
    while (log->figures().bytes < 2 * config.max_bytes.count)
        append(unfinished(6, ordinal++, 3000));
    append(change(6, orders(), 10, true, ordinal));
    const auto all = read_all();
    EXPECT_EQ(all.back().frame.last.ordinal, ordinal);
}

TEST_F(RetentionTest, StopEndsTheWaitAtTheCap) {
    config.max_bytes.count = 256 << 10;
    open();
    append_image();
    Result<void> outcome;
    std::jthread source([&](const std::stop_token& stop) {
        for (std::uint64_t commit = 6; outcome; ++commit)
            if (auto durable = log->append(change(commit, orders(), 3000), stop); !durable)
                outcome = durable.error();
    });
    ASSERT_TRUE(wait_until([&] { return !log->pressure().empty(); }));
    source.request_stop();
    source.join();
    EXPECT_EQ(outcome.error().what, "stopped");
    EXPECT_EQ(outcome.error().fault, Fault::retry);
}

// An image larger than its share passes through while changes come in beside it.
TEST_F(RetentionTest, ImageLargerThanItsSharePassesThrough) {
    config.max_bytes.count = 256 << 10;
    open();
    append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}));
    append(marker(MarkerKind::point, 1, {1, 5, 0, "point"}));
    std::atomic<bool> image_done = false;
    std::jthread snapshot([&](const std::stop_token& stop) {
        for (int key = 0; key < 150; ++key)
            if (!log->append(image(key, 1, 5, 3000), stop)) return;
        if (log->append(marker(MarkerKind::table, 1, {1, 5, 0, ""}, {orders_name()}), stop) &&
            log->append(marker(MarkerKind::end, 1, {1, 5, 0, ""}), stop)) image_done = true;
    });
    std::jthread source([&](const std::stop_token& stop) {
        for (std::uint64_t commit = 6; commit < 150; ++commit)
            if (!log->append(change(commit, orders(), 3000), stop)) return;
    });
    ASSERT_TRUE(wait_until([&] { return log->pressure().find("image") != std::string::npos; }));
    auto reader = log->reader("duckdb", start());
    ASSERT_OK(reader);
    std::int64_t rows = 0;
    std::uint64_t seen = 5;
    ASSERT_TRUE(wait_until([&] {
        for (const auto& delivery : drain(**reader)) {
            if (delivery.frame.kind == FrameKind::snapshot) rows += delivery.frame.rows();
            if (delivery.frame.kind == FrameKind::changes) seen = delivery.frame.last.commit;
            EXPECT_TRUE(release("duckdb", delivery.after).has_value());
        }
        return seen == 149;
    }));
    EXPECT_EQ(rows, 150);
    EXPECT_TRUE(image_done);
    snapshot.join();
    source.join();
    open();
    const auto point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_TRUE(is_whole((*point).generations.back()));
    EXPECT_EQ((*point).schemas.size(), 1U);
    EXPECT_LE(files(SequenceKind::snapshot), 3U);
}

// Recovery falls back to the end of the last transaction, however far all lanes are.
TEST_F(RetentionTest, LastEndOfATransactionIsKept) {
    open();
    append_image();
    append_changes(6, 12);
    const auto all = read_all();
    for (std::uint64_t ordinal = 0; ordinal < 20; ++ordinal) append(unfinished(12, ordinal, 9000));
    ASSERT_TRUE(release("duckdb", all.back().after).has_value());
    auto after = disk.copy();
    log.reset();
    surroundings.disk = after.get();
    open();
    const auto point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_EQ((*point).position->commit, 11U);
    EXPECT_EQ(log->report().unfinished_frames > 0, true);
    EXPECT_TRUE(read_all(all.back().after).empty());
    log.reset();
}

// That an image is complete is said in the image itself and, once, behind an unfinished
// transaction.
TEST_F(RetentionTest, ImageIsKeptUntilTheChangesSayThatItIsComplete) {
    open();
    append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}));
    append(unfinished(6, 0));
    append(marker(MarkerKind::point, 1, {1, 5, 0, "point"}));
    for (int key = 0; key < 30; ++key) append(image(key, 1, 5, 3000));
    append_end(1);
    const auto all = read_all();
    ASSERT_TRUE(release("duckdb", all.back().after).has_value());
    auto after = disk.copy();
    log.reset();
    surroundings.disk = after.get();
    open();
    const auto point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_TRUE(is_whole((*point).generations.back()));
    ASSERT_TRUE((*point).position);
    EXPECT_EQ((*point).position->token, "point");
    EXPECT_EQ((*point).schemas.size(), 1U);
    log.reset();
}

TEST_F(RetentionTest, StateOutlivesEverySegmentThatHeldIt) {
    config.segment_bytes.count = 32 << 10;
    config.max_bytes.count = 512 << 10;
    open();
    append_image();
    append_changes(6, 30);
    auto last = start();
    for (int round = 0; round < 10; ++round) {
        const auto all = read_all(last);
        last = all.back().after;
        ASSERT_TRUE(release("duckdb", last).has_value());
        const auto from = 30 + static_cast<std::uint64_t>(round) * 10;
        append_changes(from, from + 10);
        open();
        const auto point = log->resume_point();
        ASSERT_OK(point);
        ASSERT_TRUE((*point).position);
        EXPECT_EQ((*point).position->commit, from + 9);
        EXPECT_EQ((*point).schemas.size(), 1U);
    }
    EXPECT_LE(files(SequenceKind::changes), 12U);
}

}  // namespace
}  // namespace leat::log_queue
