// Engine: the embedded DuckDB that transforms compile and run their SQL in. It holds no tables and
// reaches no files. One per lane; every transform has a connection of its own.
#pragma once

#include <duckdb.h>

#include <boost/json/value.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/owned.hpp"
#include "base/result.hpp"

namespace leat::sql {

using Database = Owned<duckdb_database, duckdb_close>;
using Connection = Owned<duckdb_connection, duckdb_disconnect>;
using Statement = Owned<duckdb_prepared_statement, duckdb_destroy_prepare>;
using Chunk = Owned<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using LogicalType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using ArrowOptions = Owned<duckdb_arrow_options, duckdb_destroy_arrow_options>;

// A result and the memory it owns.
class Outcome {
public:
    Outcome() = default;
    Outcome(const Outcome&) = delete;
    auto operator=(const Outcome&) -> Outcome& = delete;
    ~Outcome() { duckdb_destroy_result(&result_); }

    auto get() -> duckdb_result* { return &result_; }
    // The first line of DuckDB's message.
    [[nodiscard]] auto message() -> std::string;

private:
    duckdb_result result_{};
};

// What a function of the name is, so far as row-wise SQL cares.
enum class FunctionKind : std::uint8_t { unknown, row, aggregate, table, volatile_, macro };

class Engine {
public:
    // threads=1, no files, no statistics in plans: a plan that is prepared over a table function
    // must not be built on what the first batch happened to hold.
    static auto make() -> Result<std::shared_ptr<Engine>>;

    auto connect() -> Result<Connection>;

    // The parse tree of a text, as DuckDB's json_serialize_sql gives it; an error of the parser is
    // in it. And the way back.
    auto parse(std::string_view sql) -> Result<boost::json::value>;
    auto unparse(const boost::json::value& tree) -> Result<std::string>;

    auto function_kind(std::string_view name) -> FunctionKind;

private:
    struct Function {
        FunctionKind kind = FunctionKind::unknown;
        std::string definition;  // of a macro
    };

    explicit Engine(Database database) : database_(std::move(database)) {}
    auto load_functions() -> Result<void>;
    auto macro_kind(const std::string& definition) -> FunctionKind;
    // The one text value of a statement.
    auto ask(const std::string& sql) -> Result<std::string>;

    Database database_;
    Connection connection_;
    std::map<std::string, Function, std::less<>> functions_;
};

auto literal(std::string_view text) -> std::string;
auto run(duckdb_connection connection, const std::string& sql) -> Result<void>;

}  // namespace leat::sql
