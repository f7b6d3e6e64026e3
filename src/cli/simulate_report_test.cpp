// What a simulation says at its end.
#include "cli/simulate_report.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace leat::cli {
namespace {

auto sample() -> simulate::Look {
    simulate::Look look;
    look.loading = false;
    look.changing = std::chrono::seconds(2);
    look.counts.tables.resize(2);
    look.counts.tables[1].first_rows = 100;
    look.counts.tables[1].of(simulate::Kind::insert) = 8;
    look.counts.tables[1].of(simulate::Kind::rekey) = 1;
    look.counts.events = 15;
    look.counts.transactions = 4;
    look.counts.rolled_back = 1;
    look.counts.undone = 5;
    look.counts.conflicts = 2;
    look.counts.missed = 1;
    return look;
}

TEST(SimulateReportTest, TheTableHasTheKindsThatThereWere) {
    EXPECT_EQ(simulate_text(sample(), simulate::shop().tables),
              "                   first rows      inserts  key changes\n"
              "customers                   0            0            0\n"
              "orders                    100            8            1\n"
              "15 changes in 4 transactions, 2.0 s, 8 a second\n"
              "1 transactions with 5 changes were rolled back\n"
              "2 transactions met those of others and were given up\n"
              "1 changes met no row\n");
}

TEST(SimulateReportTest, SoDoesTheObject) {
    EXPECT_EQ(boost::json::serialize(simulate_json(sample(), simulate::shop().tables)),
              R"({"tables":{"customers":{"first_rows":0},"orders":{"first_rows":100,"insert":8,)"
              R"("key_change":1}},"changes":15,"transactions":4,"rolled_back_transactions":1,)"
              R"("transactions_in_conflict":2,"rolled_back_changes":5,"changes_without_a_row":1,)"
              R"("seconds":2E0,)"
              R"("changes_per_second":7.5E0})");
}

TEST(SimulateReportTest, TheLineSaysHowFast) {
    simulate::Look before;
    EXPECT_EQ(simulate_line(sample(), before, 3), "15 changes, 5 a second");
    before.counts.tables.resize(1);
    before.counts.tables[0].first_rows = 9;
    EXPECT_EQ(simulate_line(before, before, 1), "9 rows to begin with");
}

}  // namespace
}  // namespace leat::cli
