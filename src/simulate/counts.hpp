// What a simulation has done: changes per table and kind as the server counted them. Plain data.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include "simulate/change.hpp"

namespace leat::simulate {

struct TableChanges {
    std::int64_t first_rows = 0;
    std::array<std::int64_t, kinds> changes{};

    auto of(Kind kind) -> std::int64_t& { return changes.at(static_cast<std::size_t>(kind)); }
    auto operator+=(const TableChanges& other) -> TableChanges& {
        first_rows += other.first_rows;
        for (std::size_t i = 0; i < kinds; ++i) changes.at(i) += other.changes.at(i);
        return *this;
    }
    [[nodiscard]] auto total() const -> std::int64_t {
        return std::accumulate(changes.begin(), changes.end(), std::int64_t{0});
    }
};

struct Counts {
    std::vector<TableChanges> tables;  // in the order of the data set
    std::int64_t events = 0;           // changes asked for; a statement may mean many rows
    std::int64_t undone = 0;           // of these, rolled back, or not made by conflicts
    std::int64_t missed = 0;           // of these, without a row to change
    std::int64_t transactions = 0;
    std::int64_t rolled_back = 0;  // of these
    // Besides these, transactions that other clients thwarted: by a lock, by making or taking away
    // what was needed. Nothing of them stays.
    std::int64_t conflicts = 0;

    auto operator+=(const Counts& other) -> Counts& {
        tables.resize(std::max(tables.size(), other.tables.size()));
        for (std::size_t i = 0; i < other.tables.size(); ++i) tables[i] += other.tables[i];
        events += other.events;
        undone += other.undone;
        missed += other.missed;
        transactions += other.transactions;
        rolled_back += other.rolled_back;
        conflicts += other.conflicts;
        return *this;
    }
};

}  // namespace leat::simulate
