// Appender over duckdb_appender: table appends and statements over a stage.
#include "sink/duckdb/appender.hpp"

#include <arrow/array.h>

#include <algorithm>

#include "base/check.hpp"
#include "sink/duckdb/encode.hpp"

namespace leat::duckdb {

auto Appender::AppenderDestroyer::operator()(duckdb_appender appender) const -> void {
    // Destroying flushes, and what was not finished must not get in.
    duckdb_appender_clear(appender);
    duckdb_appender_destroy(&appender);
}

Appender::Appender(duckdb_appender appender, std::vector<ColumnType> types)
    : appender_(appender), types_(std::move(types)) {}

auto Appender::into_table(Connection& connection, const std::string& table, bool temporary,
                          std::vector<ColumnType> types) -> Result<Appender> {
    duckdb_appender raw = nullptr;
    const auto state = duckdb_appender_create_ext(connection.handle(), temporary ? "temp" : nullptr,
                                                  nullptr, table.c_str(), &raw);
    Appender appender(raw, std::move(types));
    if (state != DuckDBSuccess) return appender.failed("open duckdb table for append");
    TRY(appender.make_chunk());
    return appender;
}

auto Appender::into_statement(Connection& connection, const std::string& sql,
                              const std::vector<StageColumn>& columns) -> Result<Appender> {
    std::vector<LogicalType> owned;
    std::vector<duckdb_logical_type> logical;
    std::vector<const char*> names;
    std::vector<ColumnType> types;
    for (const auto& column : columns) {
        owned.push_back(logical_type(column.type));
        logical.push_back(owned.back().get());
        names.push_back(column.name.c_str());
        types.push_back(column.type);
    }
    duckdb_appender raw = nullptr;
    const auto state =
        duckdb_appender_create_query(connection.handle(), sql.c_str(), columns.size(),
                                     logical.data(), "stage", names.data(), &raw);
    Appender appender(raw, std::move(types));
    if (state != DuckDBSuccess) return appender.failed("prepare duckdb statement");
    TRY(appender.make_chunk());
    return appender;
}

auto Appender::make_chunk() -> Result<void> {
    const auto columns = duckdb_appender_column_count(appender_.get());
    if (columns != types_.size())
        return Error{Fault::fatal, "duckdb table was altered by somebody else",
                     "Run `leat drop FILE`, move the warehouse file away and start again.",
                     "duckdb", Code::duckdb_altered};
    std::vector<LogicalType> owned;
    std::vector<duckdb_logical_type> logical;
    for (idx_t i = 0; i < columns; ++i) {
        owned.emplace_back(duckdb_appender_column_type(appender_.get(), i));
        logical.push_back(owned.back().get());
    }
    chunk_.reset(duckdb_create_data_chunk(logical.data(), columns));
    if (!chunk_) return Error{Fault::fatal, "duckdb refuses the types of a chunk", "", "duckdb"};
    return {};
}

auto Appender::append(std::span<const arrow::Array* const> columns, std::int64_t rows)
    -> Result<void> {
    CHECK(columns.size() == types_.size());
    const auto capacity = static_cast<std::int64_t>(duckdb_vector_size());
    for (std::int64_t from = 0; from < rows; from += capacity) {
        const auto count = std::min(rows - from, capacity);
        for (std::size_t i = 0; i < columns.size(); ++i)
            encode({columns[i], from, count}, types_[i],
                   duckdb_data_chunk_get_vector(chunk_.get(), i), 0);
        duckdb_data_chunk_set_size(chunk_.get(), static_cast<idx_t>(count));
        if (duckdb_append_data_chunk(appender_.get(), chunk_.get()) != DuckDBSuccess)
            return failed("append to duckdb");
        duckdb_data_chunk_reset(chunk_.get());
    }
    return {};
}

auto Appender::flush() -> Result<void> {
    if (duckdb_appender_flush(appender_.get()) != DuckDBSuccess) return failed("append to duckdb");
    return {};
}

auto Appender::finish() -> Result<void> {
    if (duckdb_appender_close(appender_.get()) != DuckDBSuccess) return failed("append to duckdb");
    return {};
}

auto Appender::failed(const char* doing) -> Error {
    const auto data = duckdb_appender_error_data(appender_.get());
    const char* const message = duckdb_error_data_message(data);
    std::string text = message == nullptr ? "unknown" : message;
    const auto type = duckdb_error_data_error_type(data);
    duckdb_error_data raw = data;
    duckdb_destroy_error_data(&raw);
    return {fault_of(type), std::string(doing) + ": " + text.substr(0, text.find('\n')), "", "duckdb",
            code_of(type)};
}

}  // namespace leat::duckdb
