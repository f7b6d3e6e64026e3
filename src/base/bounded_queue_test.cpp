// Bounded queues: limits in bytes and items, blocking, closing, stop tokens.
#include "base/bounded_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace leat {

namespace {

using namespace std::chrono_literals;

TEST(BoundedQueue, IsFirstInFirstOutAndCountsBytes) {
    BoundedQueue<int> queue(100);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.push(i, 10, {}));
    EXPECT_EQ(queue.bytes(), 30U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(queue.pop({}), i);
    EXPECT_EQ(queue.bytes(), 0U);
}

TEST(BoundedQueue, AcceptsAnItemLargerThanTheLimitWhenEmpty) {
    BoundedQueue<int> queue(10);
    int large = 7;
    EXPECT_TRUE(queue.push(large, 1000, {}));
    int next = 8;
    EXPECT_FALSE(queue.push(next, 1, {}, 1ms));
    EXPECT_EQ(queue.pop({}), 7);
    EXPECT_TRUE(queue.push(next, 1, {}));
}

TEST(BoundedQueue, LeavesTheItemAloneWhenThereWasNoRoom) {
    BoundedQueue<std::unique_ptr<int>> queue(10);
    auto first = std::make_unique<int>(1);
    ASSERT_TRUE(queue.push(first, 10, {}));
    auto second = std::make_unique<int>(2);
    EXPECT_FALSE(queue.push(second, 10, {}, 1ms));
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(*second, 2);
}

TEST(BoundedQueue, BlocksTheProducerUntilThereIsRoom) {
    BoundedQueue<int> queue(1);
    int first = 1;
    ASSERT_TRUE(queue.push(first, 1, {}));
    std::atomic<bool> pushed{false};
    std::jthread producer([&] {
        int second = 2;
        EXPECT_TRUE(queue.push(second, 1, {}));
        pushed = true;
    });
    EXPECT_FALSE(pushed);
    EXPECT_EQ(queue.pop({}), 1);
    EXPECT_EQ(queue.pop({}), 2);
    producer.join();
    EXPECT_TRUE(pushed);
}

TEST(BoundedQueue, CloseEndsWaitingProducersAndDrainsForConsumers) {
    BoundedQueue<int> queue(1);
    int first = 1;
    ASSERT_TRUE(queue.push(first, 1, {}));
    std::jthread producer([&] {
        int second = 2;
        EXPECT_FALSE(queue.push(second, 1, {}));
    });
    queue.close();
    producer.join();
    EXPECT_FALSE(queue.closed_and_empty());
    EXPECT_EQ(queue.pop({}), 1);
    EXPECT_TRUE(queue.closed_and_empty());
    EXPECT_EQ(queue.pop({}), std::nullopt);
}

TEST(BoundedQueue, StopEndsBothWaits) {
    BoundedQueue<int> queue(1);
    std::stop_source stop;
    std::jthread consumer([&] { EXPECT_EQ(queue.pop(stop.get_token()), std::nullopt); });
    stop.request_stop();
    consumer.join();
    int first = 1;
    ASSERT_TRUE(queue.push(first, 1, {}));
    int second = 2;
    EXPECT_FALSE(queue.push(second, 1, stop.get_token()));
}

TEST(BoundedQueue, WaitsNoLongerThanAsked) {
    BoundedQueue<int> queue(1);
    EXPECT_EQ(queue.pop({}, 1ms), std::nullopt);
}

TEST(BoundedQueue, LosesAndDoublesNothingBetweenManyThreads) {
    constexpr int producers = 4;
    constexpr int each = 2'000;
    BoundedQueue<int> queue(16);
    std::vector<std::atomic<int>> seen(producers * each);
    {
        std::vector<std::jthread> consumers;
        for (int i = 0; i < 3; ++i)
            consumers.emplace_back([&] {
                while (const auto item = queue.pop({})) ++seen[static_cast<std::size_t>(*item)];
            });
        {
            std::vector<std::jthread> pushing;
            for (int p = 0; p < producers; ++p)
                pushing.emplace_back([&, p] {
                    for (int i = 0; i < each; ++i) {
                        int item = p * each + i;
                        EXPECT_TRUE(queue.push(item, 1, {}));
                    }
                });
        }
        queue.close();
    }
    for (const auto& count : seen) ASSERT_EQ(count, 1);
}

}  // namespace

}  // namespace leat
