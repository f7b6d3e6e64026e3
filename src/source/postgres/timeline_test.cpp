// Timeline history files.
#include "source/postgres/timeline.hpp"

#include <gtest/gtest.h>

namespace leat::postgres {

namespace {

TEST(Timeline, HistoryNamesEachAncestorAndItsEnd) {
    const auto history = parse_history(
        "1\t0/3000158\tno recovery target specified\n\n# a comment\n2\t1/A0\tbefore 2000-01-01\n");
    EXPECT_EQ(history, (std::vector<Ancestor>{{1, Lsn{0x3000158}}, {2, Lsn{0x1000000A0}}}));
}

TEST(Timeline, LinesThatAreNoneAreLeftOut) {
    EXPECT_TRUE(parse_history("").empty());
    EXPECT_TRUE(parse_history("1").empty());
    EXPECT_TRUE(parse_history("1\tnowhere\tx\n").empty());
    EXPECT_TRUE(parse_history("x\t0/1\tx\n").empty());
    EXPECT_EQ(parse_history("7\t0/1"), (std::vector<Ancestor>{{7, Lsn{1}}}));
}

}  // namespace

}  // namespace leat::postgres
