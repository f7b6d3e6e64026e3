// Queries of the DuckDB sink: one statement, SELECT only, values as text.
#include "sink/duckdb/query.hpp"

#include "sink/duckdb/copy.hpp"
#include "sink/duckdb/query_arrow.hpp"
#include "sink/duckdb/query_screen.hpp"

namespace leat::duckdb {

namespace {

using Statements = Owned<duckdb_extracted_statements, duckdb_destroy_extracted>;
using Prepared = Owned<duckdb_prepared_statement, duckdb_destroy_prepare>;

auto refused(const std::string& why) -> Error {
    return {Fault::config, "query refused: " + why,
            "Give one SELECT statement that duckdb accepts.", "query", Code::query_refused};
}

auto first_line(const char* message) -> std::string {
    const std::string text = message == nullptr ? "unknown" : message;
    return text.substr(0, text.find("\n\n"));
}

auto type_name(duckdb_logical_type type) -> std::string;

auto scalar_name(duckdb_type type) -> std::string {
    switch (type) {
        case DUCKDB_TYPE_BOOLEAN: return "BOOLEAN";
        case DUCKDB_TYPE_TINYINT: return "TINYINT";
        case DUCKDB_TYPE_SMALLINT: return "SMALLINT";
        case DUCKDB_TYPE_INTEGER: return "INTEGER";
        case DUCKDB_TYPE_BIGINT: return "BIGINT";
        case DUCKDB_TYPE_UTINYINT: return "UTINYINT";
        case DUCKDB_TYPE_USMALLINT: return "USMALLINT";
        case DUCKDB_TYPE_UINTEGER: return "UINTEGER";
        case DUCKDB_TYPE_UBIGINT: return "UBIGINT";
        case DUCKDB_TYPE_HUGEINT: return "HUGEINT";
        case DUCKDB_TYPE_UHUGEINT: return "UHUGEINT";
        case DUCKDB_TYPE_FLOAT: return "FLOAT";
        case DUCKDB_TYPE_DOUBLE: return "DOUBLE";
        case DUCKDB_TYPE_TIMESTAMP: return "TIMESTAMP";
        case DUCKDB_TYPE_TIMESTAMP_TZ: return "TIMESTAMP WITH TIME ZONE";
        case DUCKDB_TYPE_DATE: return "DATE";
        case DUCKDB_TYPE_TIME: return "TIME";
        case DUCKDB_TYPE_INTERVAL: return "INTERVAL";
        case DUCKDB_TYPE_VARCHAR: return "VARCHAR";
        case DUCKDB_TYPE_BLOB: return "BLOB";
        case DUCKDB_TYPE_UUID: return "UUID";
        case DUCKDB_TYPE_STRUCT: return "STRUCT";
        case DUCKDB_TYPE_MAP: return "MAP";
        default: return "OTHER";
    }
}

auto type_name(duckdb_logical_type type) -> std::string {
    if (char* const alias = duckdb_logical_type_get_alias(type); alias != nullptr) {
        std::string name = alias;
        duckdb_free(alias);
        if (!name.empty()) return name;
    }
    const auto id = duckdb_get_type_id(type);
    if (id == DUCKDB_TYPE_DECIMAL)
        return "DECIMAL(" + std::to_string(duckdb_decimal_width(type)) + "," +
               std::to_string(duckdb_decimal_scale(type)) + ")";
    if (id == DUCKDB_TYPE_LIST)
        return type_name(LogicalType(duckdb_list_type_child_type(type)).get()) + "[]";
    return scalar_name(id);
}

// Parses the text; its columns go into `result`. Anything but one SELECT is refused.
auto examine(Connection& connection, const std::string& sql, QueryResult& result) -> Result<void> {
    duckdb_extracted_statements raw = nullptr;
    const auto count = duckdb_extract_statements(connection.handle(), sql.c_str(), &raw);
    const Statements statements(raw);
    if (count == 0) {
        const char* const message = duckdb_extract_statements_error(raw);
        return refused(message == nullptr ? "no statement" : first_line(message));
    }
    if (count > 1) return refused("more than one statement");
    TRY(screen(connection, sql));
    duckdb_prepared_statement raw_prepared = nullptr;
    const auto state =
        duckdb_prepare_extracted_statement(connection.handle(), raw, 0, &raw_prepared);
    const Prepared prepared(raw_prepared);
    if (state != DuckDBSuccess) return refused(first_line(duckdb_prepare_error(raw_prepared)));
    if (duckdb_prepared_statement_type(raw_prepared) != DUCKDB_STATEMENT_TYPE_SELECT)
        return refused("not a SELECT");
    if (duckdb_nparams(raw_prepared) > 0) return refused("it has parameters");
    for (idx_t i = 0; i < duckdb_prepared_statement_column_count(raw_prepared); ++i) {
        const char* const name = duckdb_prepared_statement_column_name(raw_prepared, i);
        result.columns.emplace_back(name == nullptr ? "" : name);
        duckdb_free(const_cast<char*>(name));
        const LogicalType type(duckdb_prepared_statement_column_logical_type(raw_prepared, i));
        result.types.push_back(type_name(type.get()));
    }
    return {};
}

// The statement without what ends it, so that it can stand in brackets. The text was parsed as one
// statement before: cutting at its last semicolon outside of it can only leave less.
auto trimmed(std::string sql) -> std::string {
    const auto end = sql.find_last_not_of(" \t\r\n;");
    sql.resize(end == std::string::npos ? 0 : end + 1);
    return sql;
}

// Every value as VARCHAR. Columns are renamed by place, because two may have the same name.
auto as_text(const std::string& sql, std::size_t columns) -> std::string {
    std::string values;
    std::string names;
    for (std::size_t i = 0; i < columns; ++i) {
        const auto name = "c" + std::to_string(i);
        values += (i == 0 ? "" : ", ") + name + "::VARCHAR";
        names += (i == 0 ? "" : ", ") + name;
    }
    return "SELECT " + values + " FROM (" + trimmed(sql) + "\n) AS q(" + names + ")";
}

auto answer(Connection& connection, const std::string& sql, std::size_t rows_max)
    -> Result<QueryResult> {
    QueryResult result;
    TRY(connection.execute("BEGIN TRANSACTION READ ONLY"));
    TRY(examine(connection, sql, result));
    result.rows = TRY(connection.rows(as_text(sql, result.columns.size()), rows_max + 1));
    result.truncated = result.rows.size() > rows_max;
    if (result.truncated) result.rows.resize(rows_max);
    return result;
}

auto answer_in_arrow(Connection& connection, const std::string& sql, std::size_t rows_max)
    -> Result<QueryStream> {
    QueryResult examined;
    TRY(connection.execute("BEGIN TRANSACTION READ ONLY"));
    TRY(examine(connection, sql, examined));
    return arrow_answer(connection, sql, rows_max);
}

}  // namespace

auto QueryGate::enter() -> Result<std::list<Connection>::iterator> {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return database_ == nullptr || running_.size() < queries_max_; });
    if (database_ == nullptr)
        return Error{Fault::retry, "query: the duckdb file is being opened", "Ask again.", "query",
                     Code::sink_closed};
    running_.push_back(TRY(database_->connect()));
    return std::prev(running_.end());
}

auto QueryGate::leave(std::list<Connection>::iterator connection) -> bool {
    const std::lock_guard lock(mutex_);
    running_.erase(connection);  // its transaction ends with it
    changed_.notify_all();
    return database_ == nullptr;
}

template <class Work>
auto QueryGate::with_connection(Work work) -> std::invoke_result_t<Work, Connection&> {
    const auto connection = TRY(enter());
    auto result = work(*connection);
    // What fails in a transaction that only reads is the query's own doing, unless it was stopped.
    const bool was_stopped = leave(connection);
    if (!result) {
        result.error().fault = was_stopped ? Fault::retry : Fault::config;
        result.error().context = "query";
    }
    return result;
}

auto QueryGate::run(const std::string& sql, std::size_t rows_max) -> Result<QueryResult> {
    return with_connection(
        [&](Connection& connection) { return answer(connection, sql, rows_max); });
}

auto QueryGate::run_arrow(const std::string& sql, std::size_t rows_max) -> Result<QueryStream> {
    return with_connection(
        [&](Connection& connection) { return answer_in_arrow(connection, sql, rows_max); });
}

auto QueryGate::run_copy(const std::filesystem::path& path, const std::stop_token& stop)
    -> Result<void> {
    const auto connection = TRY(enter());
    auto result = copy_database(*connection, path, stop);
    if (leave(connection) && !result)
        result = Error{Fault::retry, "copy was interrupted: the database is closed or checkpointed",
                       "Nothing: it is made again.", "copy", Code::duckdb_copy};
    return result;
}

auto QueryGate::open(Database& database) -> void {
    const std::lock_guard lock(mutex_);
    database_ = &database;
}

auto QueryGate::running() -> std::size_t {
    const std::lock_guard lock(mutex_);
    return running_.size();
}

auto QueryGate::close() -> void {
    std::unique_lock lock(mutex_);
    database_ = nullptr;
    changed_.notify_all();
    // An interrupt meets only what runs at that moment, so it is repeated until all have left.
    while (!running_.empty()) {
        for (auto& connection : running_) connection.interrupt();
        changed_.wait_for(lock, std::chrono::milliseconds(5));
    }
}

}  // namespace leat::duckdb
