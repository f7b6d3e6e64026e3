// Positions and progress: their order, and that what a sink stores reads back exactly or not at
// all.
#include "change/progress.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace leat {

namespace {

auto any_position() -> rc::Gen<Position> {
    return rc::gen::build<Position>(
        rc::gen::set(&Position::lineage), rc::gen::set(&Position::commit),
        rc::gen::set(&Position::ordinal),
        rc::gen::set(&Position::token,
                     rc::gen::container<std::string>(rc::gen::arbitrary<char>())));
}

auto fill(Place& place) -> void {
    place.generation = *rc::gen::arbitrary<std::uint64_t>();
    place.consistent_point = *any_position();
    place.settled_point = *any_position();
    place.snapshot_offset = *rc::gen::arbitrary<std::uint64_t>();
    place.image_complete = *rc::gen::arbitrary<bool>();
    place.change_offset = *rc::gen::arbitrary<std::uint64_t>();
}

auto any_tables() -> std::set<TableName> {
    std::set<TableName> tables;
    for (const auto& [schema, table] :
         *rc::gen::arbitrary<std::vector<std::pair<std::string, std::string>>>())
        tables.insert({schema, table});
    return tables;
}

auto any_progress() -> Progress {
    Progress progress;
    fill(progress.offsets);
    progress.offsets.is_swapped_in = *rc::gen::arbitrary<bool>();
    progress.offsets.absent = any_tables();
    progress.offsets.rebuilds.resize(*rc::gen::inRange<std::size_t>(0, 3));
    for (auto& rebuild : progress.offsets.rebuilds) {
        fill(rebuild);
        rebuild.tables = any_tables();
    }
    progress.position = *any_position();
    progress.commit_time_us = *rc::gen::arbitrary<std::int64_t>();
    progress.incarnation = *rc::gen::arbitrary<std::uint64_t>();
    return progress;
}

TEST(Position, ComparesByLineageThenCommitThenOrdinalAndNeverByToken) {
    EXPECT_LT((Position{1, 900, 9, ""}), (Position{2, 1, 0, ""}));
    EXPECT_LT((Position{1, 1, 9, ""}), (Position{1, 2, 0, ""}));
    EXPECT_LT((Position{1, 1, 0, "z"}), (Position{1, 1, 1, "a"}));
    EXPECT_EQ((Position{1, 1, 1, "z"}), (Position{1, 1, 1, "a"}));
    EXPECT_EQ(to_string(Position{3, 42, 7, "token"}), "3/42/7");
}

RC_GTEST_PROP(Progress, ReadsBackWhatWasWritten, ()) {
    const auto progress = any_progress();
    const auto text = encode(progress);
    RC_ASSERT(text.find('\n') == std::string::npos);
    const auto decoded = decode_progress(text);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded.value() == progress);
    RC_ASSERT(decoded.value().position.token == progress.position.token);
    RC_ASSERT(decoded.value().offsets.consistent_point.token ==
              progress.offsets.consistent_point.token);
}

RC_GTEST_PROP(Progress, RefusesEveryDamagedText, ()) {
    const auto text = encode(any_progress());
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    RC_ASSERT(!decode_progress(text.substr(0, at)).has_value());
    RC_ASSERT(!decode_progress(text + "x").has_value());
    // A changed byte is refused, or makes another progress in its own right: never misread.
    auto damaged = text;
    damaged[at] = *rc::gen::arbitrary<char>();
    const auto decoded = decode_progress(damaged);
    if (decoded) RC_ASSERT(encode(decoded.value()) == damaged);
}

TEST(Progress, KeepsTheExtremes) {
    Progress progress;
    progress.offsets.generation = std::numeric_limits<std::uint64_t>::max();
    progress.commit_time_us = std::numeric_limits<std::int64_t>::min();
    progress.position.token = std::string("\0;=\n\xff", 5);
    const auto decoded = decode_progress(encode(progress));
    ASSERT_TRUE(decoded.has_value());
    EXPECT_EQ(decoded.value(), progress);
    EXPECT_EQ(decoded.value().position.token, progress.position.token);
}

TEST(Progress, SaysWhatToDoWithAnUnknownForm) {
    for (const auto* text : {"", "leat-progress-3;generation=1", "something else"}) {
        const auto decoded = decode_progress(text);
        ASSERT_FALSE(decoded.has_value());
        EXPECT_EQ(decoded.error().fault, Fault::fatal);
        EXPECT_FALSE(decoded.error().hint.empty());
    }
}

}  // namespace

}  // namespace leat
