// Read-only SQL over the open database, for other threads than the lane's.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <type_traits>

#include "base/result.hpp"
#include "sink/duckdb/client.hpp"
#include "sink/sink.hpp"

namespace leat::duckdb {

// Thread-safe. At most `queries_max` queries run at once, others wait. The lane closes the gate
// before it closes or reopens the database: running queries are interrupted and waited for.
class QueryGate {
public:
    explicit QueryGate(std::size_t queries_max) : queries_max_(queries_max) {}

    // One SELECT (FROM, VALUES, WITH … SELECT) in a read-only transaction of its own.
    auto run(const std::string& sql, std::size_t rows_max) -> Result<QueryResult>;
    // A copy of the database; takes the place of one query.
    auto run_copy(const std::filesystem::path& path, const std::stop_token& stop) -> Result<void>;
    auto run_arrow(const std::string& sql, std::size_t rows_max) -> Result<QueryStream>;

    // `database` outlives the next close().
    auto open(Database& database) -> void;
    auto close() -> void;
    [[nodiscard]] auto running() -> std::size_t;

private:
    // Calls `work(connection)` with a connection of the query's own.
    template <class Work>
    auto with_connection(Work work) -> std::invoke_result_t<Work, Connection&>;
    auto enter() -> Result<std::list<Connection>::iterator>;
    // Whether the gate has been closed meanwhile.
    auto leave(std::list<Connection>::iterator connection) -> bool;

    const std::size_t queries_max_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Database* database_ = nullptr;
    std::list<Connection> running_;
};

}  // namespace leat::duckdb
