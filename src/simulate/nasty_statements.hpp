// The statements of one nasty transaction as they are drawn, and what draws them: one function per
// trap. Keys come from small ranges, so that each is met often; whether a row is there is not
// known, and no statement fails without it. One thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulate/change.hpp"
#include "simulate/nasty_tables.hpp"
#include "simulate/random.hpp"

namespace leat::simulate {

struct NastyStatements {
    Random random;
    std::size_t first;    // where the nasty tables begin among all
    std::int64_t writer;  // which of several
    std::vector<Change> made{};

    auto add(NastyTable table, Kind kind, std::string sql) -> void {
        Change change{kind, first + static_cast<std::size_t>(table), value(Null{}), {}};
        change.sql = std::move(sql);
        made.push_back(std::move(change));
    }
    auto control(std::string sql) -> void { add(NastyTable::rows, Kind::control, std::move(sql)); }
    // A literal; some are long enough to be stored out of line.
    auto big_text() -> std::string {
        constexpr std::int64_t bytes_max = 20'000;
        if (random.chance(0.5)) return "NULL";
        const auto length = random.chance(0.6) ? 100 : random.below(bytes_max);
        return "'" + random.hex(static_cast<std::size_t>(length)) + "'";
    }
    auto maybe(std::string_view literal) -> std::string {
        return random.chance(0.15) ? "NULL" : "'" + std::string(literal) + "'";
    }
};

// Changes of rows.
auto change_rows(NastyStatements& to) -> void;
auto move_keys(NastyStatements& to) -> void;
auto change_people(NastyStatements& to) -> void;
auto change_parts(NastyStatements& to) -> void;
auto change_pairs(NastyStatements& to) -> void;
auto change_readings(NastyStatements& to) -> void;
auto change_values(NastyStatements& to) -> void;
auto change_events(NastyStatements& to) -> void;
auto change_days(NastyStatements& to) -> void;
auto change_tasks(NastyStatements& to) -> void;
auto move_money(NastyStatements& to) -> void;
auto send_message(NastyStatements& to) -> void;

// Changes of whole tables.
auto set_added_column(NastyStatements& to) -> void;
auto change_columns(NastyStatements& to) -> void;
auto remake_table(NastyStatements& to) -> void;
auto empty_tables(NastyStatements& to) -> void;
auto change_many(NastyStatements& to) -> void;
auto fill_table(NastyStatements& to) -> void;

}  // namespace leat::simulate
