// What is kept of images and for rebuilds, what of generations is remembered, and that neither
// waits for ever.
#include <algorithm>
#include <atomic>
#include <thread>

#include "queue/log/log_fixture.hpp"
#include "queue/log/memory_disk.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

class ImageRetentionTest : public LogTest {
protected:
    ~ImageRetentionTest() override {
        disk.judge({});
        log.reset();  // before the disk
    }
    ImageRetentionTest() {
        config.segment_bytes.count = 16 << 10;
        config.max_bytes.count = 4 << 20;
        surroundings.disk = &disk;
    }

    auto append_changes(std::uint64_t from, std::uint64_t to) -> void {
        for (auto commit = from; commit < to; ++commit) append(change(commit, orders(), 3000));
    }
    // Of two segments and more.
    auto append_rebuild(Generation generation, std::uint64_t commit) -> void {
        append(begin(generation, Purpose::rebuild, {orders_name()}));
        append(marker(MarkerKind::point, generation, {1, commit, 0, "point"}));
        for (int key = 0; key < 12; ++key) append(image(key, generation, commit, 3000));
        append_end(generation, {1, commit, 0, ""});
    }
    auto known() -> std::vector<Generation> {
        std::vector<Generation> list;
        for (const auto& each : log->generations()) list.push_back(each.generation);
        return list;
    }
    auto files(SequenceKind kind) -> std::size_t {
        const auto names = disk.names();
        return static_cast<std::size_t>(std::count_if(
            names.begin(), names.end(),
            [&](const auto& name) { return name.find(to_string(kind)) != std::string::npos; }));
    }

    MemoryDisk disk;
};

TEST_F(ImageRetentionTest, ImageIsHeldForALaneThatHasNotMetItsBegin) {
    lanes = {"fast", "slow"};
    open();
    append_image();
    append_changes(6, 10);
    const auto before = read_all(start(1)).back().after;
    append_rebuild(2, 9);
    append_changes(10, 40);
    const auto image = start(2);
    const auto end = read_all(start(1)).back().after;
    ASSERT_OK(release("fast", end));
    ASSERT_OK(release("slow", before));
    EXPECT_TRUE(log->holds(image));
    // It meets the begin, and is filling its tables.
    const auto reader = log->reader("slow", image);
    ASSERT_OK(reader);
    auto rebuild = rebuild_at(image);
    rebuild.generation = 2;
    ASSERT_OK(release("slow", end, {rebuild}));
    EXPECT_TRUE(log->holds(image));
    const auto filled = read_all(image);
    static_cast<Place&>(rebuild) = filled[8].after;
    ASSERT_OK(release("slow", end, {rebuild}));
    EXPECT_FALSE(log->holds(image));
    EXPECT_TRUE(log->holds(filled[8].after));
    EXPECT_EQ(read_all(filled[8].after).size(), filled.size() - 9);
    const auto held = files(SequenceKind::snapshot);
    ASSERT_OK(release("slow", end));
    EXPECT_LT(files(SequenceKind::snapshot), held);
    EXPECT_FALSE(log->holds(filled[8].after));
}

TEST_F(ImageRetentionTest, ChangesAreHeldForTheEarliestRebuild) {
    open();
    append_image();
    append_rebuild(2, 5);
    append_changes(6, 40);
    const auto all = read_all(start(1));
    const auto end = all.back().after;
    auto early = rebuild_at(read_all(start(2)).back().after);
    early.change_offset = all[all.size() / 2].after.change_offset;
    auto late = early;
    late.change_offset = all[all.size() - 3].after.change_offset;
    ASSERT_OK(release("duckdb", end, {late, early}));
    EXPECT_TRUE(log->holds(early));
    EXPECT_EQ(read_all(early).size(), all.size() - all.size() / 2 - 1);
    const auto held = log->room().held_bytes;
    ASSERT_OK(release("duckdb", end, {late}));
    EXPECT_FALSE(log->holds(early));
    EXPECT_TRUE(log->holds(late));
    EXPECT_LT(log->room().held_bytes, held);
}

TEST_F(ImageRetentionTest, LaneThatGoesBackIsHeldAgain) {
    lanes = {"back", "other"};
    config.rewind_time = std::chrono::hours(24);
    config.rewind_bytes.count = 1 << 30;
    open();
    append_image();
    append_changes(6, 40);
    const auto all = read_all();
    const auto end = all.back().after;
    ASSERT_OK(release("back", end));
    ASSERT_OK(release("other", end));
    const auto place = all[all.size() / 2].after;
    ASSERT_OK(log->retain("back", offsets_at(place)));
    clock.advance(std::chrono::hours(25));
    ASSERT_OK(release("other", end));
    EXPECT_TRUE(log->holds(place));
    EXPECT_FALSE(log->holds(all[4].after));
    // Nothing is let go by it.
    ASSERT_OK(log->retain("back", offsets_at(end)));
    ASSERT_OK(release("other", end));
    EXPECT_TRUE(log->holds(place));
    EXPECT_FALSE(log->retain("nobody", offsets_at(place)));
}

TEST_F(ImageRetentionTest, GenerationsAreForgottenWithTheirSegmentsOnly) {
    open();
    append_image();
    for (const Generation generation : {2U, 3U, 4U, 5U}) {
        append_changes(generation * 10, generation * 10 + 10);
        if (generation == 3) {
            append(begin(3, Purpose::rebuild, {orders_name()}));  // never ended
            continue;
        }
        append_rebuild(generation, generation * 10 + 9);
    }
    append_changes(60, 70);
    EXPECT_EQ(known(), (std::vector<Generation>{1, 2, 3, 4, 5}));
    // The begin of the second is still there.
    auto place = start(2);
    place.image_complete = true;
    place.change_offset -= 1;
    ASSERT_OK(release("duckdb", place));
    EXPECT_EQ(known(), (std::vector<Generation>{1, 2, 3, 4, 5}));
    ASSERT_OK(release("duckdb", read_all(place).back().after));
    // The beginning, what may get more, the newest.
    EXPECT_EQ(known(), (std::vector<Generation>{1, 3, 5}));
    append_changes(70, 75);
    open();
    EXPECT_EQ(log->resume_point()->position->commit, 74U);
    for (const Generation generation : {1U, 3U, 5U})
        EXPECT_EQ(start(generation).generation, generation);
}

// Found by kill_test: with every segment of changes a generation was forgotten, which the change
// sequence did not say yet, and so no segment of an image could ever go.
TEST_F(ImageRetentionTest, ImagesGoWhileGenerationsAreForgotten) {
    open();
    append_image();
    auto place = start(1);
    for (Generation generation = 2; generation < 12; ++generation) {
        append_rebuild(generation, generation * 10);
        append_changes(generation * 10, generation * 10 + 10);
        place = read_all(place).back().after;
        ASSERT_OK(release("duckdb", place));
        EXPECT_LT(known().size(), 4U);
    }
    EXPECT_LE(files(SequenceKind::snapshot), 4U);
}

// A crash left a marker that the change sequence had not heard of, with the image at its share: what
// ends the image would have waited for ever.
TEST_F(ImageRetentionTest, EndOfAnImageAtItsShareIsTakenAfterACrash) {
    config.max_bytes.count = 256 << 10;
    config.snapshot_share = 0.5;
    const std::uint64_t share = config.max_bytes.count / 2;
    open();
    append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}));
    append(marker(MarkerKind::point, 1, {1, 5, 0, "point"}));
    const auto changes_bytes = log->figures().bytes - 2 * page_bytes;
    while (log->figures().bytes - changes_bytes < share - page_bytes) append(image(1));
    ASSERT_EQ(log->figures().bytes - changes_bytes, share - page_bytes);
    std::atomic<int> syncs = 0;
    disk.judge([&](std::uint64_t, Call call) {
        return call == Call::sync && ++syncs > 1 ? Verdict{Act::fail} : Verdict{};
    });
    ASSERT_FALSE(log->append(marker(MarkerKind::table, 1, {1, 5, 0, ""}, {orders_name()}), {}));
    auto after = disk.copy();
    log.reset();
    surroundings.disk = after.get();
    open();
    const auto all = read_all();
    ASSERT_OK(release("duckdb", all.back().after));
    std::stop_source stop;
    std::atomic<bool> is_taken = false;
    std::jthread capture([&] {
        is_taken = log->append(marker(MarkerKind::end, 1, {1, 5, 0, ""}), stop.get_token())
                       .has_value();
    });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_taken && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    stop.request_stop();
    capture.join();
    EXPECT_TRUE(is_taken) << log->pressure();
    log.reset();
}

}  // namespace
}  // namespace leat::log_queue
