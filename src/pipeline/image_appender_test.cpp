// Frames in order, one ahead, and none behind one that failed.
#include "pipeline/image_appender.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <vector>

namespace leat {

namespace {

auto frame(std::uint64_t commit) -> Frame {
    Frame made;
    made.first = made.last = {1, commit, 0, ""};
    return made;
}

TEST(ImageAppender, AppendsInOrderAndFlushWaitsForAll) {
    std::vector<std::uint64_t> appended;
    ImageAppender appender([&](const Frame& one) -> Result<void> {
        appended.push_back(one.last.commit);
        return {};
    });
    ASSERT_TRUE(appender.flush());
    for (std::uint64_t commit = 1; commit <= 100; ++commit)
        ASSERT_TRUE(appender.put(frame(commit)));
    ASSERT_TRUE(appender.flush());
    ASSERT_EQ(appended.size(), 100U);
    for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(appended[i], i + 1);
}

TEST(ImageAppender, OneWaitsWhileAnotherIsAppended) {
    std::counting_semaphore<> gate(0);
    std::atomic<int> put = 0;
    ImageAppender appender([&](const Frame&) -> Result<void> {
        gate.acquire();
        return {};
    });
    std::jthread worker([&] {
        for (std::uint64_t commit = 1; commit <= 4; ++commit) {
            EXPECT_TRUE(appender.put(frame(commit)));
            ++put;
        }
    });
    while (put < 2) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(put, 2);
    gate.release(4);
    worker.join();
    EXPECT_TRUE(appender.flush());
}

TEST(ImageAppender, NothingIsAppendedBehindAFrameThatFailed) {
    std::atomic<int> calls = 0;
    ImageAppender appender([&](const Frame& one) -> Result<void> {
        ++calls;
        if (one.last.commit == 2) return Error{Fault::retry, "no room", "", "log"};
        return {};
    });
    EXPECT_TRUE(appender.put(frame(1)));
    EXPECT_TRUE(appender.put(frame(2)));
    Result<void> last;
    for (std::uint64_t commit = 3; last && commit < 10; ++commit)
        last = appender.put(frame(commit));
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().what, "no room");
    EXPECT_FALSE(appender.flush());
    EXPECT_EQ(calls, 2);
}

}  // namespace

}  // namespace leat
