// The tables of the mix `nasty` in PostgreSQL: each is there for a trap of its own. They come with
// some rows, and can be filled up again at any time.
#pragma once

#include <string>
#include <vector>

#include "simulate/data_set.hpp"

namespace leat::simulate {

enum class NastyTable : std::size_t {
    rows,
    pairs,
    readings,
    values,
    changing,
    emptied,
    bulk,
    people,
    parts,
    events,
    days,
    tasks,
    accounts,
    transfers,
};

// In the order of NastyTable, besides the data set's tables.
auto nasty_tables() -> std::vector<Table>;

// The statement that makes rows where they are missing; empty for tables that are not filled up.
auto fill_statement(NastyTable table) -> std::string;

}  // namespace leat::simulate
