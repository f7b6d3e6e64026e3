// The log as capture and lanes see it.
#include "queue/log/log_queue.hpp"

#include "queue/log/log_fixture.hpp"

namespace leat::log_queue {
namespace {

using namespace fixture;

using LogQueueTest = LogTest;

TEST_F(LogQueueTest, EmptyLogAsksForAFirstSnapshot) {
    open();
    const auto point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_FALSE((*point).position);
    EXPECT_TRUE((*point).generations.empty());
    EXPECT_TRUE(log->generations().empty());
    EXPECT_TRUE(read_all().empty());
}

TEST_F(LogQueueTest, ImageThenChangesComeBackAsTheyWere) {
    open();
    std::vector<Frame> frames = {marker(MarkerKind::point, 1, {1, 5, 0, "point"}),
                                 image(1),
                                 image(2),
                                 marker(MarkerKind::table, 1, {1, 5, 0, ""}, {orders_name()}),
                                 marker(MarkerKind::end, 1, {1, 7, 0, "settled"}),
                                 change(6),
                                 change(7, orders(2)),
                                 position(8),
                                 unfinished(9, 0),
                                 change(9, orders(2), 10, true, 1)};
    append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}));
    append(frames[0]);
    append(frames[5]);  // beside the image
    append(frames[1]);
    append(frames[2]);
    append(frames[3]);
    append(frames[6]);
    append(frames[4]);
    for (std::size_t i = 7; i < frames.size(); ++i) append(frames[i]);
    for (const bool reopened : {false, true}) {
        if (reopened) open();
        const auto deliveries = read_all();
        ASSERT_EQ(deliveries.size(), frames.size());
        for (std::size_t i = 0; i < frames.size(); ++i)
            EXPECT_TRUE(same(deliveries[i].frame, frames[i])) << i;
        EXPECT_TRUE(deliveries.back().at_end);
        EXPECT_FALSE(deliveries[4].at_end);
        EXPECT_EQ(deliveries[0].after.consistent_point, (Position{1, 5, 0, ""}));
        EXPECT_EQ(deliveries[0].after.consistent_point.token, "point");
        EXPECT_FALSE(deliveries[3].after.image_complete);
        EXPECT_TRUE(deliveries[4].after.image_complete);
        EXPECT_EQ(deliveries[4].after.settled_point.token, "settled");
    }
}

TEST_F(LogQueueTest, EveryDeliveryIsAPlaceToGoOnFrom) {
    open();
    append_image();
    for (std::uint64_t commit = 6; commit < 12; ++commit) append(change(commit));
    const auto all = read_all();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto rest = read_all(all[i].after);
        ASSERT_EQ(rest.size(), all.size() - i - 1) << i;
        for (std::size_t k = 0; k < rest.size(); ++k) {
            EXPECT_TRUE(same(rest[k].frame, all[i + 1 + k].frame));
            EXPECT_EQ(rest[k].after, all[i + 1 + k].after);
        }
    }
}

TEST_F(LogQueueTest, ResumesAtTheLastCompleteTransaction) {
    open();
    append_image();
    auto point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_EQ((*point).position->token, "point");
    append(change(6));
    append(change(7, orders(3)));
    append(unfinished(8, 0));
    point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_EQ((*point).position->token, "token-7");
    ASSERT_EQ((*point).schemas.size(), 1U);
    EXPECT_EQ((*point).schemas[0]->version, 3U);
    EXPECT_TRUE(is_whole((*point).generations.back()));
    append(change(8));
    open();
    point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_EQ((*point).position->token, "token-8");
    EXPECT_EQ((*point).schemas[0]->version, 3U);
    EXPECT_EQ(commits(), (std::vector<std::uint64_t>{6, 7, 8}));
}

TEST_F(LogQueueTest, ProofIsTheLastCompleteTransaction) {
    open();
    append_image();
    EXPECT_EQ((*log->append(change(6), {})).position().commit, 6U);
    EXPECT_EQ((*log->append(unfinished(7, 0), {})).position().commit, 6U);
    EXPECT_EQ((*log->append(change(7, orders(), 10, true, 1), {})).position().commit, 7U);
}

TEST_F(LogQueueTest, ReadersSeeWholeTransactionsOnly) {
    open();
    append_image();
    append(change(6));
    append(unfinished(7, 0));
    EXPECT_EQ(commits(), (std::vector<std::uint64_t>{6}));
    append(change(7, orders(), 10, true, 1));
    EXPECT_EQ(commits(), (std::vector<std::uint64_t>{6, 7, 7}));
}

TEST_F(LogQueueTest, SchemaOfACutTransactionIsNotResumed) {
    open();
    append_image();
    append(change(6));
    append(change(7, orders(2), 10, false));
    const auto point = log->resume_point();
    ASSERT_OK(point);
    EXPECT_EQ((*point).schemas[0]->version, 1U);
}

TEST_F(LogQueueTest, RowsAtOrBelowTheConsistentPointAreLeftOut) {
    open();
    append(marker(MarkerKind::begin, 1, {1, 0, 0, ""}));
    auto frame = change(5);
    frame.first.commit = 4;
    frame.last.commit = 7;
    auto batch = BatchFixture(orders(), 5).insert({5, "in the image"}).build();
    auto later = BatchFixture(orders(), 7).insert({7, "not yet"}).build();
    const auto rows = arrow::ConcatenateRecordBatches({batch.rows, later.rows});
    frame.batches = {{batch.schema, *rows}};
    append(change(4));
    append(frame);
    append(marker(MarkerKind::point, 1, {1, 5, 0, "point"}));
    append(image(1));
    append_end(1);
    const auto deliveries = read_all();
    ASSERT_EQ(deliveries.size(), 6U);
    EXPECT_EQ(deliveries[4].frame.rows(), 0);
    ASSERT_EQ(deliveries[5].frame.rows(), 1);
    EXPECT_TRUE(deliveries[5].frame.batches[0].rows->Equals(*later.rows));
    EXPECT_TRUE(deliveries[5].at_end);
}

TEST_F(LogQueueTest, ChangesGoOverSegmentsAndComeBack) {
    open();
    append_image();
    std::vector<std::uint64_t> expected;
    for (std::uint64_t commit = 6; commit < 200; ++commit) {
        append(change(commit, orders(1 + commit / 40), 3000));
        expected.push_back(commit);
    }
    EXPECT_EQ(commits(), expected);
    EXPECT_TRUE(std::filesystem::exists(segment(SequenceKind::changes, 10)));
    open();
    EXPECT_EQ(commits(), expected);
    const auto point = log->resume_point();
    EXPECT_EQ((*point).position->commit, 199U);
    EXPECT_EQ((*point).schemas[0]->version, 5U);
    EXPECT_TRUE(is_whole((*point).generations.back()));
}

TEST_F(LogQueueTest, FrameLargerThanASegmentGetsOneOfItsOwn) {
    open();
    append_image();
    append(change(6));
    append(change(7, orders(), 1 << 20));
    append(change(8));
    EXPECT_EQ(commits(), (std::vector<std::uint64_t>{6, 7, 8}));
    open();
    EXPECT_EQ(commits(), (std::vector<std::uint64_t>{6, 7, 8}));
}

}  // namespace
}  // namespace leat::log_queue
