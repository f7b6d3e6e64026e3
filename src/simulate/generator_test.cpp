// The generator: the same seed makes the same, and what it changes is there.
#include "simulate/generator.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

namespace leat::simulate {
namespace {

auto options(std::string_view data, std::string_view mix) -> GeneratorOptions {
    return {.data = *find_data_set(data),
            .mix = *find_mix(mix),
            .seed = 7,
            .transaction_changes = 10,
            .wall_us = {}};
}

// Everything that a simulation of so many changes would send.
auto all_changes(const GeneratorOptions& from, std::int64_t count) -> std::vector<Change> {
    Generator generator(from, {});
    std::vector<Change> all;
    for (std::size_t table = 0; table < from.data.tables.size(); ++table)
        for (auto& row : generator.first_rows(table, 50)) all.push_back(std::move(row));
    while (count > 0) {
        auto transaction = generator.next(count);
        count -= static_cast<std::int64_t>(transaction.changes.size());
        for (auto& change : transaction.changes) all.push_back(std::move(change));
    }
    return all;
}

auto key_of(const Change& change) -> std::int64_t {
    return std::get<std::int64_t>(change.key.held);
}

TEST(GeneratorTest, OneSeedMakesTheSameChanges) {
    for (const auto& data : data_sets()) {
        auto from = options(data.name, "moving");
        const auto first = all_changes(from, 500);
        EXPECT_TRUE(first == all_changes(from, 500)) << data.name;
        from.seed = 8;
        EXPECT_FALSE(first == all_changes(from, 500)) << data.name;
    }
}

TEST(GeneratorTest, ChangesMeetRowsThatAreThere) {
    for (const auto& data : data_sets()) {
        std::vector<std::set<std::int64_t>> live(data.tables.size());
        for (const auto& change : all_changes(options(data.name, "moving"), 5000)) {
            auto& keys = live[change.table];
            if (change.kind == Kind::insert) {
                ASSERT_TRUE(keys.insert(key_of(change)).second);
            } else {
                ASSERT_TRUE(keys.contains(key_of(change)));
            }
            if (change.kind == Kind::remove || change.kind == Kind::rekey)
                keys.erase(key_of(change));
            if (change.kind == Kind::rekey) {
                ASSERT_TRUE(
                    keys.insert(std::get<std::int64_t>(change.values[0].value.held)).second);
            }
        }
    }
}

TEST(GeneratorTest, KindsAreAsTheMixSays) {
    std::map<Kind, int> seen;
    for (const auto& change : all_changes(options("shop", "moving"), 20'000)) ++seen[change.kind];
    EXPECT_NEAR(seen[Kind::insert], 8'100, 400);
    EXPECT_NEAR(seen[Kind::update], 7'000, 400);
    EXPECT_NEAR(seen[Kind::remove], 3'000, 400);
    EXPECT_NEAR(seen[Kind::rekey], 2'000, 400);
}

TEST(GeneratorTest, WhereKeysDoNotChangeTheRowIsUpdated) {
    auto from = options("shop", "moving");
    from.keys_change = false;
    for (const auto& change : all_changes(from, 2'000)) EXPECT_NE(change.kind, Kind::rekey);
}

TEST(GeneratorTest, ATransactionByKindEndsWithItsDeletes) {
    auto from = options("events", "steady");
    from.by_kind = true;
    Generator generator(from, {});
    generator.first_rows(0, 100);
    for (int i = 0; i < 50; ++i) {
        const auto made = generator.next(100).changes;
        EXPECT_TRUE(std::is_sorted(made.begin(), made.end(), [](const Change& a, const Change& b) {
            return a.kind < b.kind;
        }));
    }
}

TEST(GeneratorTest, NewDocumentsArePadded) {
    auto from = options("video", "inserts");
    from.document_bytes = 2'000;
    Generator generator(from, {});
    for (const auto& change : generator.next(10).changes)
        EXPECT_NEAR(static_cast<double>(size_of(change.values)), 2'000, 40);
}

TEST(GeneratorTest, GoesOnBehindTheKeysThatAreThere) {
    Generator generator(options("events", "inserts"), {Keys({5, 900})});
    EXPECT_EQ(key_of(generator.next(1).changes[0]), 901);
}

TEST(GeneratorTest, SeveralNeverMeetTheSameRow) {
    std::vector<std::int64_t> live(100);
    std::iota(live.begin(), live.end(), 1);
    std::vector<std::set<std::int64_t>> met(3);
    for (std::size_t i = 0; i < met.size(); ++i) {
        Generator generator(options("events", "moving"), {Keys(live)});
        generator.keep({static_cast<std::int64_t>(i), 3});
        EXPECT_NEAR(static_cast<double>(generator.row_count(0)), 33, 1);
        for (int n = 0; n < 200; ++n)
            for (const auto& change : generator.next(10).changes) met[i].insert(key_of(change));
    }
    for (const auto key : met[0]) EXPECT_FALSE(met[1].contains(key) || met[2].contains(key));
    for (const auto key : met[1]) EXPECT_FALSE(met[2].contains(key));
}

TEST(GeneratorTest, TimesAreThoseOfTheClockOnRequest) {
    auto from = options("events", "inserts");
    from.wall_us = [] { return std::int64_t{42}; };
    Generator generator(from, {});
    const auto row = generator.next(1).changes[0].values;
    EXPECT_EQ(row[4], (Field{"at", value(Time{42})}));
}

TEST(GeneratorTest, NeverMoreThanAskedFor) {
    Generator generator(options("shop", "steady"), {});
    EXPECT_EQ(generator.next(3).changes.size(), 3U);
    EXPECT_EQ(generator.next(1'000).changes.size(), 10U);
}

}  // namespace
}  // namespace leat::simulate
