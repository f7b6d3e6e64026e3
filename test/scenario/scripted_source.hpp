// A server without a network: transactions that tests commit, and a Source with Snapshots over it.
// It forgets what was confirmed, as a real one would, so that confirming too early loses data here.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "scenario/fault_decorators.hpp"
#include "scenario/workload.hpp"
#include "source/source.hpp"

namespace leat::scenario {

// Thread-safe; outlives its sources.
class ScriptedServer {
public:
    explicit ScriptedServer(std::uint64_t seed, FaultPlan plan = {});

    // Commits transactions, as clients would, beside everything else.
    auto commit(int transactions) -> void;
    auto make_source() -> std::unique_ptr<Source>;
    // What sources carry that are opened from now on; at first all tables.
    auto capture(std::set<TableName> tables) -> void;
    // The next source that is opened cannot go on where it was.
    auto lose_position() -> void;
    // Commits a change of the table that cannot be followed.
    auto spoil(const TableName& table) -> void;

    [[nodiscard]] auto tables() const -> Tables;
    [[nodiscard]] auto head() const -> Position;
    [[nodiscard]] auto confirmed() const -> std::optional<Position>;
    [[nodiscard]] auto snapshots_begun() const -> int;
    // Of which tables, in order.
    [[nodiscard]] auto tables_read() const -> std::vector<std::set<TableName>>;

private:
    friend class ScriptedSource;

    struct Transaction {
        std::uint64_t commit = 0;
        Changes changes;
    };

    const FaultPlan plan_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::mt19937_64 random_;  // how transactions are cut into frames
    Workload workload_;
    std::vector<Transaction> log_;
    std::uint64_t last_commit_ = 10;
    std::uint32_t lineage_ = 0;
    Generation generation_ = 0;
    std::optional<Position> confirmed_;
    std::vector<std::set<TableName>> tables_read_;
    std::set<TableName> captured_;
    bool is_lost_ = false;
    std::map<TableName, std::uint64_t> spoiled_;  // the commit that did it
};

}  // namespace leat::scenario
