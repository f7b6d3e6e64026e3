// The nasty mix for PostgreSQL: repeatable, and with every trap in it.
#include "simulate/nasty_rows.hpp"

#include <gtest/gtest.h>

#include <set>

namespace leat::simulate {
namespace {

struct Drawn {
    std::string text;
    std::set<Kind> kinds;
    std::set<Ending> endings;
    std::set<std::size_t> tables;
};

auto draw(std::uint64_t seed) -> Drawn {
    const auto data = shop();
    Generator ordinary({.data = data, .mix = *find_mix("nasty"), .seed = seed, .wall_us = {}}, {});
    NastyRows nasty(ordinary, {data.tables.size(), seed, 0});
    Drawn drawn;
    for (int i = 0; i < 3'000; ++i) {
        const auto transaction = nasty.next(1'000'000);
        drawn.endings.insert(transaction.ending);
        for (const auto& change : transaction.changes) {
            drawn.kinds.insert(change.kind);
            drawn.tables.insert(change.table);
            drawn.text += change.sql + "\n";
        }
    }
    return drawn;
}

TEST(NastyRowsTest, OneSeedMakesTheSameChanges) {
    const auto first = draw(1).text;
    EXPECT_EQ(first, draw(1).text);
    EXPECT_NE(first, draw(2).text);
}

TEST(NastyRowsTest, EveryTrapIsInTheMix) {
    const auto drawn = draw(3);
    EXPECT_EQ(drawn.kinds, (std::set<Kind>{Kind::insert, Kind::update, Kind::replace, Kind::remove,
                                           Kind::rekey, Kind::drop, Kind::rename, Kind::truncate,
                                           Kind::alter, Kind::control}));
    EXPECT_EQ(drawn.endings.size(), 5U);
    EXPECT_EQ(drawn.tables.size(), shop().tables.size() + nasty_tables().size());
    for (const auto* part : {"ROLLBACK TO s", "RELEASE s", "ADD COLUMN", "DROP COLUMN",
                             "ALTER day TYPE", "DEFAULT 7 + floor(random())", "RENAME TO",
                             "TRUNCATE", "CASE id WHEN", "ctid", "generate_series", "'-0'",
                             "infinity", "pg_logical_emit_message", "synchronous_commit = off"})
        EXPECT_NE(drawn.text.find(part), std::string::npos) << part;
}

TEST(NastyRowsTest, WritersDoNotUseEachOthersNames) {
    const auto data = shop();
    for (const std::int64_t writer : {0, 3}) {
        Generator ordinary({.data = data, .mix = *find_mix("nasty"), .wall_us = {}}, {});
        NastyRows nasty(ordinary, {data.tables.size(), 1, writer});
        std::string all;
        for (int i = 0; i < 3'000; ++i)
            for (const auto& change : nasty.next(1'000'000).changes) all += change.sql;
        const auto column = "ADD COLUMN x" + std::to_string(writer) + "_";
        EXPECT_NE(all.find(column), std::string::npos);
        EXPECT_NE(all.find("SET id = " + std::to_string(-1 - writer) + " "), std::string::npos);
        EXPECT_EQ(all.find(writer == 0 ? "ADD COLUMN x3_" : "ADD COLUMN x0_"), std::string::npos);
    }
}

}  // namespace
}  // namespace leat::simulate
