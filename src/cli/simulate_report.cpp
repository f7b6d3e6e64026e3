// Words and figures of a simulation; see simulate_report.hpp.
#include "cli/simulate_report.hpp"

#include <fmt/core.h>

namespace leat::cli {

namespace {

using simulate::Look;
using simulate::Table;

auto seconds_of(const Look& look) -> double {
    return std::chrono::duration<double>(look.changing).count();
}

auto rate_of(const Look& look) -> double {
    const auto seconds = seconds_of(look);
    return seconds > 0 ? static_cast<double>(look.counts.events) / seconds : 0;
}

auto kinds_seen(const Look& look) -> std::vector<std::size_t> {
    std::vector<std::size_t> seen;
    for (std::size_t kind = 0; kind < simulate::kinds; ++kind)
        for (const auto& table : look.counts.tables)
            if (table.changes.at(kind) > 0) {
                seen.push_back(kind);
                break;
            }
    return seen;
}

// key_change is two words for people.
auto heading(std::size_t kind) -> std::string {
    std::string words(simulate::kind_names.at(kind));
    for (char& c : words)
        if (c == '_') c = ' ';
    return words + "s";
}

}  // namespace

auto simulate_line(const Look& now, const Look& before, double seconds) -> std::string {
    if (now.loading) {
        std::int64_t rows = 0;
        for (const auto& table : now.counts.tables) rows += table.first_rows;
        return fmt::format("{} rows to begin with", rows);
    }
    const auto more = static_cast<double>(now.counts.events - before.counts.events);
    return fmt::format("{} changes, {:.0f} a second", now.counts.events,
                       seconds > 0 ? more / seconds : 0.0);
}

auto simulate_text(const Look& look, const std::vector<Table>& tables) -> std::string {
    const auto seen = kinds_seen(look);
    auto text = fmt::format("{:<16} {:>12}", "", "first rows");
    for (const auto kind : seen) text += fmt::format(" {:>12}", heading(kind));
    text += '\n';
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const auto& counted = look.counts.tables.at(i);
        text += fmt::format("{:<16} {:>12}", tables[i].name, counted.first_rows);
        for (const auto kind : seen) text += fmt::format(" {:>12}", counted.changes.at(kind));
        text += '\n';
    }
    text +=
        fmt::format("{} changes in {} transactions, {:.1f} s, {:.0f} a second\n",
                    look.counts.events, look.counts.transactions, seconds_of(look), rate_of(look));
    if (look.counts.rolled_back > 0)
        text += fmt::format("{} transactions with {} changes were rolled back\n",
                            look.counts.rolled_back, look.counts.undone);
    if (look.counts.conflicts > 0)
        text += fmt::format("{} transactions met those of others and were given up\n",
                            look.counts.conflicts);
    if (look.counts.missed > 0) text += fmt::format("{} changes met no row\n", look.counts.missed);
    return text;
}

auto simulate_json(const Look& look, const std::vector<Table>& tables) -> boost::json::object {
    boost::json::object by_table;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const auto& counted = look.counts.tables.at(i);
        boost::json::object object = {{"first_rows", counted.first_rows}};
        for (std::size_t kind = 0; kind < simulate::kinds; ++kind)
            if (counted.changes.at(kind) > 0)
                object[simulate::kind_names.at(kind)] = counted.changes.at(kind);
        by_table[tables[i].name] = std::move(object);
    }
    return {{"tables", std::move(by_table)},
            {"changes", look.counts.events},
            {"transactions", look.counts.transactions},
            {"rolled_back_transactions", look.counts.rolled_back},
            {"transactions_in_conflict", look.counts.conflicts},
            {"rolled_back_changes", look.counts.undone},
            {"changes_without_a_row", look.counts.missed},
            {"seconds", seconds_of(look)},
            {"changes_per_second", rate_of(look)}};
}

}  // namespace leat::cli
