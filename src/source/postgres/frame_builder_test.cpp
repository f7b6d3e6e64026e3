// Frames hold whole transactions, or part of exactly one.
#include "source/postgres/frame_builder.hpp"

#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <string>

namespace leat::postgres {

namespace {

// Tuples of one int4 column, as on the wire.
auto tuple_bytes(int number) -> std::string {
    const auto text = std::to_string(number);
    return std::string("t\0\0\0", 4) + static_cast<char>(text.size()) + text;
}

class FrameBuilderTest : public testing::Test {
protected:
    FrameBuilderTest() {
        pgtype::PgType type;
        type.oid = 23;
        auto mapping = pgtype::map(type);
        auto schema = std::make_shared<TableSchema>();
        schema->name = {"public", "t"};
        schema->columns = {{"id", mapping.type, "", false, 1, nullptr}};
        schema->key = {0};
        table_ = TableBuilder::make({schema, {mapping}}).value();
    }
    auto add(int number) -> void {
        const auto bytes = tuple_bytes(number);
        EXPECT_FALSE(table_->insert(pgoutput::TupleView(bytes, 1), frames_.next_ordinal()));
        frames_.added(*table_, 10);
    }
    auto transaction(int first, int rows, std::uint64_t commit) -> void {
        frames_.begin();
        for (int i = 0; i < rows; ++i) add(first + i);
        EXPECT_TRUE(frames_.commit({commit, 5}).has_value());
    }
    // "commit.ordinal-commit.ordinal rows end|part"
    auto take() -> std::string {
        const auto frame = frames_.take();
        if (!frame) return "none";
        for (const auto& batch : frame->batches) EXPECT_TRUE(batch.rows->ValidateFull().ok());
        const auto place = [](const Position& position) {
            return std::to_string(position.commit) + "." + std::to_string(position.ordinal);
        };
        return place(frame->first) + "-" + place(frame->last) + " " +
               std::to_string(frame->rows()) + (frame->ends_transaction ? " end" : " part");
    }

    FrameBuilder frames_{1, "token"};
    std::unique_ptr<TableBuilder> table_;
};

TEST_F(FrameBuilderTest, GathersTransactionsUntilItIsClosed) {
    transaction(0, 2, 100);
    transaction(2, 3, 200);
    EXPECT_EQ(take(), "none");
    EXPECT_TRUE(frames_.has_whole());
    ASSERT_TRUE(frames_.close().has_value());
    EXPECT_EQ(take(), "100.0-200.2 5 end");
    EXPECT_EQ(take(), "none");
    EXPECT_FALSE(frames_.has_whole());
}

TEST_F(FrameBuilderTest, EmptyTransactionsLeaveNothing) {
    transaction(0, 0, 100);
    EXPECT_FALSE(frames_.has_whole());
    ASSERT_TRUE(frames_.close().has_value());
    EXPECT_EQ(take(), "none");
}

TEST_F(FrameBuilderTest, LargeTransactionLeavesInPartsOnceItsCommitIsKnown) {
    transaction(0, 2, 100);
    frames_.begin();
    add(1);
    add(2);
    ASSERT_TRUE(frames_.set_aside().has_value());
    EXPECT_EQ(take(), "100.0-100.1 2 end");
    EXPECT_EQ(take(), "none");
    add(3);
    ASSERT_TRUE(frames_.set_aside().has_value());
    add(4);
    ASSERT_TRUE(frames_.commit({200, 5}).has_value());
    EXPECT_EQ(take(), "200.0-200.1 2 part");
    EXPECT_EQ(take(), "200.2-200.2 1 part");
    EXPECT_EQ(take(), "200.3-200.3 1 end");
    transaction(0, 1, 300);
    ASSERT_TRUE(frames_.close().has_value());
    EXPECT_EQ(take(), "300.0-300.0 1 end");
}

TEST_F(FrameBuilderTest, LastPartEndsTheTransactionAlsoWithNothingBehindIt) {
    frames_.begin();
    add(1);
    ASSERT_TRUE(frames_.set_aside().has_value());
    ASSERT_TRUE(frames_.commit({200, 5}).has_value());
    EXPECT_EQ(take(), "200.0-200.0 1 end");
}

TEST_F(FrameBuilderTest, ClosingInsideATransactionTakesTheWholeOnesOnly) {
    transaction(0, 2, 100);
    frames_.begin();
    add(1);
    ASSERT_TRUE(frames_.close().has_value());
    EXPECT_EQ(take(), "100.0-100.1 2 end");
    ASSERT_TRUE(frames_.commit({200, 5}).has_value());
    ASSERT_TRUE(frames_.close().has_value());
    EXPECT_EQ(take(), "200.0-200.0 1 end");
}

TEST_F(FrameBuilderTest, KnownCommitLetsPartsGoAtOnce) {
    frames_.begin();
    add(1);
    ASSERT_TRUE(frames_.commit_part({200, 5}).has_value());
    EXPECT_EQ(take(), "200.0-200.0 1 part");
    add(2);
    ASSERT_TRUE(frames_.commit({200, 5}).has_value());
    ASSERT_TRUE(frames_.close().has_value());
    EXPECT_EQ(take(), "200.1-200.1 1 end");
}

TEST_F(FrameBuilderTest, RefusedRowLeavesNoTrace) {
    transaction(0, 1, 100);
    frames_.begin();
    add(1);
    const std::string bad("t\0\0\0\1x", 6);
    EXPECT_TRUE(table_->insert(pgoutput::TupleView(bad, 1), frames_.next_ordinal()));
    ASSERT_TRUE(frames_.flush(*table_, true).has_value());
    add(2);
    ASSERT_TRUE(frames_.commit({200, 5}).has_value());
    ASSERT_TRUE(frames_.close().has_value());
    EXPECT_EQ(take(), "100.0-200.1 3 end");
}

}  // namespace

}  // namespace leat::postgres
