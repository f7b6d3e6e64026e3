// Appender: Arrow rows into a table, or into the statement that takes them from a stage.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sink/duckdb/client.hpp"
#include "sink/duckdb/column_type.hpp"

namespace leat::duckdb {

// A column of the statement's stage.
struct StageColumn {
    std::string name;
    ColumnType type;
};

// Fills chunks of DuckDB's vector size from columns of any number of Arrow batches and hands them
// over. Borrows the connection. finish() must be called; destroying it without discards what has
// not been handed over.
class Appender {
public:
    // Into all columns of a table, in the table's order.
    static auto into_table(Connection& connection, const std::string& table, bool temporary,
                           std::vector<ColumnType> types) -> Result<Appender>;
    // Runs `sql` (one INSERT, DELETE or UPDATE), which finds the rows in the relation `stage`. A
    // large stage is given in several runs of the statement.
    static auto into_statement(Connection& connection, const std::string& sql,
                               const std::vector<StageColumn>& columns) -> Result<Appender>;

    // One array per column; a null pointer: NULLs. All have at least `rows` rows.
    auto append(std::span<const arrow::Array* const> columns, std::int64_t rows) -> Result<void>;
    // Hands over what has been gathered; DuckDB itself does so by rows, whatever their size.
    auto flush() -> Result<void>;
    auto finish() -> Result<void>;

private:
    struct AppenderDestroyer {
        using pointer = duckdb_appender;
        auto operator()(duckdb_appender appender) const -> void;
    };

    Appender(duckdb_appender appender, std::vector<ColumnType> types);
    auto make_chunk() -> Result<void>;
    auto failed(const char* doing) -> Error;

    std::unique_ptr<std::remove_pointer_t<duckdb_appender>, AppenderDestroyer> appender_;
    std::vector<ColumnType> types_;
    DataChunk chunk_;
};

}  // namespace leat::duckdb
