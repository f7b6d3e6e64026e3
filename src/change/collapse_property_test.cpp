// collapse() against the naive model: random histories that a source could have produced, cut into
// runs at random places.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "change/collapse_model.hpp"
#include "change/history_fixture.hpp"

namespace leat {

namespace {

using fixture::BagSource;
using fixture::BatchFixture;
using fixture::Dice;
using fixture::key_kinds;
using fixture::KeySource;
using fixture::Picks;

// Runs are cut out of a longer batch, so that array offsets are not zero.
auto check_in_runs(const Batch& batch, Dice& cuts, model::Table& naive, model::Table& sink)
    -> void {
    for (std::int64_t from = 0; from < batch.rows->num_rows();) {
        const auto left = batch.rows->num_rows() - from;
        const auto length =
            cuts.left() ? 1 + static_cast<std::int64_t>(cuts.roll(static_cast<std::size_t>(left)))
                        : left;
        const Batch run{batch.schema, batch.rows->Slice(from, length)};
        naive.incomplete = sink.incomplete = 0;
        model::apply_naive(run, naive);
        RC_ASSERT(model::SinkModel(run, sink).apply() == "");
        RC_ASSERT(naive.by_key == sink.by_key);
        RC_ASSERT(naive.bag == sink.bag);
        // A whole row or a delete later in the run heals an incomplete row, so the sink may see
        // fewer; it must never see one that was none.
        RC_ASSERT(sink.incomplete <= naive.incomplete);
        from += length;
    }
}

// Full size from the first test on: a short history hardly meets the same key twice.
auto some_picks() -> Picks {
    const auto pick = rc::gen::inRange<std::uint32_t>(0, 10'000);
    const auto length = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(1, 800));
    return *rc::gen::resize(rc::kNominalSize, rc::gen::container<Picks>(length, pick));
}

class CollapseProperty : public ::testing::TestWithParam<std::size_t> {};

TEST_P(CollapseProperty, KeyTableComesToTheSameAsRowByRow) {
    const auto kind = key_kinds()[GetParam()];
    const bool held = rc::check([&] {
        Dice dice(some_picks());
        Dice cuts(some_picks());
        KeySource source(kind, dice);
        model::Table naive;
        BatchFixture initial(kind.schema);
        source.fill(initial);
        model::apply_naive(initial.build(), naive);
        auto sink = naive;
        BatchFixture rows(kind.schema);
        while (dice.left()) source.change(rows);
        check_in_runs(rows.build(), cuts, naive, sink);
    });
    EXPECT_TRUE(held);
}

INSTANTIATE_TEST_SUITE_P(Kinds, CollapseProperty,
                         ::testing::Range(std::size_t{0}, key_kinds().size()));

TEST(CollapseProperty, TableWithoutKeyKeepsMultiplicities) {
    const auto schema = fixture::full_row_table("t", fixture::value_columns());
    const bool held = rc::check([&] {
        Dice dice(some_picks());
        Dice cuts(some_picks());
        BagSource source(dice);
        BatchFixture rows(schema);
        while (dice.left()) source.change(rows);
        model::Table naive;
        model::Table sink;
        check_in_runs(rows.build(), cuts, naive, sink);
    });
    EXPECT_TRUE(held);
}

}  // namespace

}  // namespace leat
