// What happens at the made-up server: transactions over four tables, with every kind of change, and
// a sum that each of them keeps.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "change/batch_fixture.hpp"
#include "scenario/memory_sink.hpp"

namespace leat::scenario {

// The changes of one transaction, table by table, in order; ordinals run over all of them.
using Changes = std::vector<fixture::BatchFixture>;

// accounts  by key: transfers, the sum of all balances is always the same
// notes     by key: partial rows, key changes, deletes, inserts
// bag       without a key, old rows sent: duplicates come and go
// events    without a key, inserts only: one row per transaction, its running number from 1
class Workload {
public:
    explicit Workload(std::uint64_t seed);

    auto transaction(std::uint64_t commit) -> Changes;
    // All rows as they stand, as snapshot rows of `generation` at `point`.
    auto image(std::uint64_t point, Generation generation) const -> Changes;
    auto tables() const -> Tables;
    auto transactions() const -> std::int64_t { return transactions_; }

    // For every committed state of a target: whole transactions only, no event lost or doubled.
    static auto invariant(const Tables& tables) -> std::string;

private:
    auto roll(std::uint64_t sides) -> std::uint64_t { return random_() % sides; }
    auto transfer(fixture::BatchFixture& rows) -> void;
    auto change_note(fixture::BatchFixture& rows) -> void;
    auto change_bag(fixture::BatchFixture& rows) -> void;

    std::mt19937_64 random_;
    std::int64_t transactions_ = 0;
    std::int64_t bag_rows_ = 0;
    std::map<std::int64_t, std::int64_t> accounts_;
    std::map<std::int64_t, std::pair<std::string, std::string>> notes_;
    std::vector<std::string> bag_;
};

}  // namespace leat::scenario
