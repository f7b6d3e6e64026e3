// DuckDB's C API behind owning types: every handle has one owner, every failure is an Error.
// Knows SQL text and connections, nothing of tables or batches.
#pragma once

#include <duckdb.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/owned.hpp"
#include "base/result.hpp"

namespace leat::duckdb {

// The version that header and library must both be of.
inline constexpr std::string_view version_required = "v1.5.6";

// What the database of the sink is called in SQL.
inline constexpr auto attached_name = "leat";

// An identifier or a text as it stands in SQL, quoted.
auto quoted(std::string_view identifier) -> std::string;
auto literal(std::string_view text) -> std::string;

// What a DuckDB error means to the engine: passing trouble (disk, memory, conflict) is retry, all
// else is fatal.
auto fault_of(duckdb_error_type type) -> Fault;
auto code_of(duckdb_error_type type) -> Code;

// Values as text, empty: NULL. Only statements whose columns are all VARCHAR are read this way.
using TextRows = std::vector<std::vector<std::optional<std::string>>>;

using LogicalType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using DataChunk = Owned<duckdb_data_chunk, duckdb_destroy_data_chunk>;

// One connection: used by one thread at a time (interrupt() from any).
class Connection {
public:
    explicit Connection(duckdb_connection handle) : handle_(handle) {}

    // Runs one or more statements; yields the rows changed by the last.
    auto execute(const std::string& sql) -> Result<std::int64_t>;
    // At most rows_max rows are read (and no more computed than the last chunk needs).
    auto rows(const std::string& sql, std::size_t rows_max = SIZE_MAX) -> Result<TextRows>;
    auto interrupt() -> void { duckdb_interrupt(handle_.get()); }
    [[nodiscard]] auto handle() const -> duckdb_connection { return handle_.get(); }

private:
    Owned<duckdb_connection, duckdb_disconnect> handle_;
};

// A result and the memory it owns.
class QueryOutcome {
public:
    QueryOutcome() = default;
    QueryOutcome(const QueryOutcome&) = delete;
    auto operator=(const QueryOutcome&) -> QueryOutcome& = delete;
    ~QueryOutcome() { duckdb_destroy_result(&result_); }

    auto get() -> duckdb_result* { return &result_; }
    [[nodiscard]] auto error(std::string_view doing) -> Error;

private:
    duckdb_result result_{};
};

struct Setting {
    std::string name;
    std::string value;
};

// Whether a process was killed here after DuckDB had made the file and before it had written the
// three headers: DuckDB refuses to open that, and nothing was ever in it.
auto is_unborn_file(const std::string& path) -> bool;

// An open database. Closed when it and all its connections are gone.
class Database {
public:
    // The error is DuckDB's own words, Fault::retry or config by what it means: a held lock and a
    // file that is not DuckDB's are config.
    static auto open(const std::string& path, const std::vector<Setting>& settings)
        -> Result<Database>;
    // The same with row groups of `row_group_rows` in tables made from now on: what a transaction
    // holds in memory beside the memory limit is about two row groups. Only ATTACH takes that
    // option, so the file is the one database of an otherwise empty instance.
    static auto attach(const std::string& path, std::uint64_t row_group_rows,
                       const std::vector<Setting>& settings) -> Result<Database>;
    auto connect() -> Result<Connection>;

private:
    explicit Database(duckdb_database handle) : handle_(handle) {}
    Owned<duckdb_database, duckdb_close> handle_;
    bool is_attached_ = false;
};

}  // namespace leat::duckdb
